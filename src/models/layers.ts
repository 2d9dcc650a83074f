import { fullName, placeOf } from '../graph/place.ts';
import type { ModelStructure } from '../graph/read.ts';
import type { LayerPlace } from '../records/activations.ts';
import { inputError } from '../records/errors.ts';
import type { Layer } from '../records/model.ts';
import type { ProblemCode } from '../records/problem-codes.ts';
import { type Arrangement, arrangementOf } from './arrangement.ts';
import { lettersOf, MANY_IMAGES, type Tracked, trackAxes } from './axes.ts';
import { layerNames, madeUnique } from './layer-names.ts';
import { findLayers } from './layer-rule.ts';
import { readersOf } from './regions.ts';
import { type ImageSize, type View, viewOf } from './view.ts';

/** A view of the model and the axes of its tensors. */
interface Reading {
  readonly view: View;
  /** Followed for many images, which tells their axis from all others; and for as many as the model is made for. */
  readonly tracked: readonly Tracked[];
  /** Prefix tokens by number of tokens, for layers that lost track of their axes. */
  readonly tokens: ReadonlyMap<number, number>;
}

const readingOf = (structure: ModelStructure, size: ImageSize | null): Reading => {
  const view = viewOf(structure, size);
  const own = view.input.batch ?? 1;
  const tracked = (own === 1 ? [MANY_IMAGES, 1] : [own]).map((images) =>
    trackAxes(view, size, images),
  );
  const tokens = new Map<number, number>();
  for (const { axes, facts, images } of tracked) {
    for (const [name, known] of axes) {
      const shape = facts.get(name)?.shape;
      const letters = lettersOf(known);
      const leads = images === 1 ? letters === '?TC' && shape?.[0] === 1 : letters === 'NTC';
      const count = leads ? shape?.[1] : null;
      if (count != null && !tokens.has(count)) tokens.set(count, known.prefix);
    }
  }
  return { view, tracked, tokens };
};

/** Of what is known for many images and for the model's own, that which shows more. */
const arranged = ({ tracked }: Reading, tensor: string): Arrangement => {
  const each = tracked.map(({ axes, facts, images }) =>
    arrangementOf(
      axes.get(tensor) ?? { axes: [], prefix: 0 },
      images,
      facts.get(tensor)?.shape ?? null,
    ),
  );
  const known = ({ shape }: Arrangement): boolean => shape.length > 0 && !shape.includes(null);
  const map = each.find(({ axes }) => axes !== 'channel');
  return map ?? each.find(known) ?? each.find(({ shape }) => shape.length > 0) ?? each[0]!;
};

const layerOf = (reading: Reading, tensor: string, name: string, operation: string): Layer => {
  const read = arranged(reading, tensor);
  const base = { name, tensor, operation, ...read };
  const known = reading.tokens.get(read.shape[0] ?? -1);
  const lost = reading.tracked.some(({ axes, images, facts }) => {
    const own = axes.get(tensor);
    const first = facts.get(tensor)?.shape?.[0];
    return own !== undefined && lettersOf(own) === '??C' && first === images;
  });
  if (lost && known !== undefined && read.axes === 'channel' && read.rearranged === null) {
    return { ...base, axes: 'token-channel', prefixTokens: known };
  }
  return base;
};

const layersOf = (reading: Reading): Layer[] => {
  const { nodes } = reading.view.structure;
  const found = findLayers(reading.view);
  const names = layerNames(
    reading.view.structure,
    found.map(({ node }) => node),
  );
  return found.map(({ tensor, node }, index) =>
    layerOf(reading, tensor, names[index]!, nodes[node]!.op),
  );
};

/**
 * The layers of a network, by the rule of `findLayers`, in graph order. Shapes are worked out from the graph; a size
 * that only a run can tell is `null`, and a shape of unknown length is empty. Input errors: no image input.
 *
 * @param size of the image, where the model leaves it free.
 */
export const listLayers = (structure: ModelStructure, size: ImageSize | null = null): Layer[] =>
  layersOf(readingOf(structure, size));

const FLOATS: ReadonlySet<string> = new Set([
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'undefined',
]);

/** A tensor that has one row for each image: its first dimension is the batch. */
const isPerImage = ({ view }: Reading, tensor: string): boolean => {
  const facts = view.facts.get(tensor);
  if (facts === undefined || !FLOATS.has(facts.type)) return false;
  if (facts.shape === null) return true;
  const [rows = null] = facts.shape;
  return facts.shape.length > 1 && (rows === null || rows === (view.input.batch ?? 1));
};

/**
 * Every layer (those of 8-bit numbers too), and every tensor of real numbers that depends on the image and has a row for each, in graph order: layers under their
 * names, all others under module and node (`layer1.0.relu.Relu`). Tensors that mix images with tokens or windows in
 * their first dimension are left out, as are those that only compute shapes.
 */
export const everyTensor = (structure: ModelStructure, size: ImageSize | null = null): Layer[] => {
  const reading = readingOf(structure, size);
  const { view } = reading;
  const listed = new Map(layersOf(reading).map((layer) => [layer.tensor, layer]));
  const others = structure.nodes.flatMap((node) =>
    node.outputs
      .filter((name, place) => name !== '' && (place === 0 || readersOf(view, name).length > 0))
      .filter((name) => view.dependent.has(name) && (listed.has(name) || isPerImage(reading, name)))
      .map((tensor) => ({ tensor, node })),
  );
  const unlisted = others.filter(({ tensor }) => !listed.has(tensor));
  const names = madeUnique(
    unlisted.map(({ node }) => fullName(placeOf(node))),
    [...listed.values()].map(({ name }) => name),
  );
  const rest = new Map(
    unlisted.map(({ tensor, node }, index) => [
      tensor,
      layerOf(reading, tensor, names[index]!, node.op),
    ]),
  );
  return others.map(({ tensor }) => listed.get(tensor) ?? rest.get(tensor)!);
};

/**
 * The place of each tensor (in graph order) among the layers of its network: a layer's own, of others as far between the
 * layers around them as they stand.
 */
export const placesAmong = (
  tensors: readonly string[],
  layers: readonly { readonly tensor: string }[],
): LayerPlace[] => {
  const own = new Map(layers.map(({ tensor }, index) => [tensor, index]));
  const of = layers.length;
  const listed = tensors.flatMap((tensor, at) =>
    own.has(tensor) ? [{ at, index: own.get(tensor)! }] : [],
  );
  let passed = 0;
  return tensors.map((_, at) => {
    if (of === 0) return { index: at, of: tensors.length };
    while (listed[passed] !== undefined && listed[passed]!.at <= at) passed++;
    const [before, after] = [listed[passed - 1], listed[passed]];
    if (before === undefined) return { index: 0, of };
    if (after === undefined) return { index: before.index, of };
    const share = (at - before.at) / (after.at - before.at);
    return { index: before.index + share * (after.index - before.index), of };
  });
};

const globOf = (pattern: string): RegExp => {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
};

/** Whether a name matches any of the patterns: `*` stands for any characters, dots included, `?` for one. */
export const matchesAny = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => globOf(pattern).test(name));

/** Letters to change, add or leave out to get from one text to the other (Levenshtein). */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[b.length]!;
};

const similar = (pattern: string, names: readonly string[]): string[] => {
  const plain = pattern.replaceAll(/[*?]/g, '').toLowerCase();
  const scored = names
    .map((name) => ({ name, by: distance(plain, name.toLowerCase()) }))
    .filter(({ by }) => by <= Math.max(2, plain.length / 3))
    .sort((a, b) => a.by - b.by);
  return scored.slice(0, 3).map(({ name }) => name);
};

const listed = { code: 'no-such-layer', more: '; a list of its layers shows all' } as const;

/**
 * The layers whose names match any of the patterns (`matchesAny`), in the order of `layers`. Throws an input error for
 * a pattern that matches nothing, which shows the names that come near it, or else the first.
 */
export const selectLayers = <L extends Layer>(
  layers: readonly L[],
  patterns: readonly string[],
  modelName: string,
): L[] => selectNamed(layers, patterns, modelName, listed);

/** What of anything with names matches any of the patterns; `code` is of a pattern that matches nothing, `more` says where all names can be seen. */
export const selectNamed = <T extends { readonly name: string }>(
  layers: readonly T[],
  patterns: readonly string[],
  owner: string,
  { code, more }: { readonly code: ProblemCode; readonly more: string },
): T[] => {
  const names = layers.map(({ name }) => name);
  for (const pattern of patterns) {
    if (names.some((name) => matchesAny(name, [pattern]))) continue;
    const near = similar(pattern, names);
    const hint =
      near.length > 0
        ? `did you mean ${near.join(' or ')}?`
        : `its layers begin with ${names.slice(0, 3).join(', ')}${more}`;
    throw inputError({
      code,
      field: 'layers',
      where: `layers: ${pattern}`,
      expected: `a pattern that matches layers of ${owner}`,
      got: `none among its ${names.length}`,
      mend: hint,
    });
  }
  return layers.filter(({ name }) => matchesAny(name, patterns));
};
