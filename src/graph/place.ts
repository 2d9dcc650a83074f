/** Where a node stands: the module that made it (empty for the outermost) and its own name there. */
export interface NodePlace {
  readonly module: string;
  readonly leaf: string;
}

/** What tells where a node stands, whether it was read or decoded. */
interface Named {
  readonly op: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
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
const fromMetadata = ({ metadata = {} }: Named): NodePlace | null => {
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
const fromPath = ({ name = '' }: Named): NodePlace | null => {
  if (!name.includes('/')) return null;
  const parts = name.split('/').filter((part) => part !== '' && !WRAPPERS.has(part));
  const leaf = parts.pop();
  return leaf === undefined ? null : { module: joinScopes(parts), leaf };
};

/** Older exports number their nodes (`Conv_0`) but name the weights: `layer1.0.conv1.weight`. */
const fromWeights = ({ inputs, name, op }: Named): NodePlace | null => {
  const weight = inputs.find((input) => /.[./](weight|kernel)(:0)?$/.test(input));
  if (weight === undefined) return null;
  const module = weight.replace(/[./](weight|kernel)(:0)?$/, '').replaceAll('/', '.');
  return { module, leaf: name || op };
};

/** The place of a node by its metadata, its path, or the names of its weights. */
export const placeOf = (node: Named): NodePlace =>
  fromMetadata(node) ??
  fromPath(node) ??
  fromWeights(node) ?? { module: '', leaf: node.name || node.outputs[0] || node.op };

/** Module and node in one: `layer1.0.Add`. */
export const fullName = ({ module, leaf }: NodePlace): string =>
  module === '' ? leaf : `${module}.${leaf}`;
