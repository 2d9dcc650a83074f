import type { ModelStructure } from '../graph/read.ts';
import type { ReadNode } from '../graph/read-node.ts';

/** Where a node stands: the module that made it (empty for the outermost) and its own name there. */
export interface Place {
  readonly module: string;
  readonly leaf: string;
}

/** Components that exporters put around every name. */
const WRAPPERS: ReadonlySet<string> = new Set(['StatefulPartitionedCall', 'PartitionedCall']);

/** `layer1`, `layer1.0`, `conv1` → `layer1.0.conv1`: torch repeats a container in the names of its children. */
const joinScopes = (scopes: readonly string[]): string => {
  const parts: string[] = [];
  for (const scope of scopes) {
    const last = parts.at(-1);
    if (last !== undefined && scope.startsWith(`${last}.`)) parts.pop();
    parts.push(scope);
  }
  return parts.join('.');
};

/** Dynamo exports carry the modules as a Python list, the outermost (empty) first and the node itself last. */
const fromMetadata = ({ metadata }: ReadNode): Place | null => {
  const scopes = metadata['pkg.torch.onnx.name_scopes'];
  const names =
    scopes !== undefined
      ? [...scopes.matchAll(/'([^']*)'|"([^"]*)"/g)].map((match) => match[1] ?? match[2] ?? '')
      : metadata.namespace?.split('/').map((part) => part.split(':', 1)[0]!.trim());
  const leaf = names?.at(-1);
  if (names === undefined || leaf === undefined || leaf === '') return null;
  return { module: names.at(-2) ?? '', leaf };
};

/** TorchScript (`/layer1/layer1.0/conv1/Conv`) and TensorFlow (`resnet50/conv1/Conv2D`) name nodes by path. */
const fromPath = ({ name }: ReadNode): Place | null => {
  if (!name.includes('/')) return null;
  const parts = name.split('/').filter((part) => part !== '' && !WRAPPERS.has(part));
  const leaf = parts.pop();
  return leaf === undefined ? null : { module: joinScopes(parts), leaf };
};

/** Older exports number their nodes (`Conv_0`) but name the weights: `layer1.0.conv1.weight`. */
const fromWeights = ({ inputs, name, op }: ReadNode): Place | null => {
  const weight = inputs.find((input) => /.[./](weight|kernel)(:0)?$/.test(input));
  if (weight === undefined) return null;
  const module = weight.replace(/[./](weight|kernel)(:0)?$/, '').replaceAll('/', '.');
  return { module, leaf: name || op };
};

export const placeOf = (node: ReadNode): Place =>
  fromMetadata(node) ??
  fromPath(node) ??
  fromWeights(node) ?? { module: '', leaf: node.name || node.outputs[0] || node.op };

const counted = (names: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

/** Appends `_2`, `_3` … to names that were there before. */
export const madeUnique = (names: readonly string[], taken: Iterable<string> = []): string[] => {
  const seen = new Set(taken);
  return names.map((name) => {
    let unique = name;
    for (let count = 2; seen.has(unique); count++) unique = `${name}_${count}`;
    seen.add(unique);
    return unique;
  });
};

export const fullName = ({ module, leaf }: Place): string =>
  module === '' ? leaf : `${module}.${leaf}`;

/**
 * Names as the modules of the network have them, unique: `layer1.0.conv1`, or `layer1.0` for a block's sum. Where a
 * module has several layers, each carries its own name too: `encoder_layer_0.Add`, `encoder_layer_0.Add_1`.
 *
 * @param indices the nodes that name the layers.
 */
export const layerNames = ({ nodes }: ModelStructure, indices: readonly number[]): string[] => {
  const places = indices.map((index) => placeOf(nodes[index]!));
  const counts = counted(places.map(({ module }) => module));
  return madeUnique(
    places.map((place) =>
      place.module !== '' && counts.get(place.module) === 1 ? place.module : fullName(place),
    ),
  );
};
