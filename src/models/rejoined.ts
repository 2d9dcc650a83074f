import { intAttribute, intsAttribute } from '../graph/attributes.ts';
import type { ReadNode } from '../graph/read-node.ts';
import { axisOf } from '../graph/sizes.ts';
import { imageInputsOf, isElementwise, isWeighted } from './operations.ts';
import { readersOf, regionOf } from './regions.ts';
import type { View } from './view.ts';

/** A concatenation that puts together again what products with weights gave, and everything between. */
export interface Rejoined {
  /** The concatenation, by index. */
  readonly node: number;
  /** The products, and what is computed of parts of them. */
  readonly inside: ReadonlySet<number>;
}

const rankOf = (view: View, tensor: string): number => view.facts.get(tensor)?.shape?.length ?? 4;

/** The axis of a product's channels: the second of a convolution, the last of a matrix product. */
const channelAxis = (view: View, { op, outputs }: ReadNode): number =>
  /Conv/.test(op) ? 1 : rankOf(view, outputs[0]!) - 1;

/** Whether a Slice or Split cuts along this axis alone. */
const cutsAlong = (view: View, node: ReadNode, axis: number): boolean => {
  const rank = rankOf(view, node.inputs[0]!);
  if (node.op === 'Split') return axisOf(intAttribute(node, 'axis', 0), rank) === axis;
  const given = intsAttribute(node, 'axes') ??
    view.facts.get(node.inputs[3] ?? '')?.values ?? [null];
  return node.op === 'Slice' && given.every((each) => each !== null && axisOf(each, rank) === axis);
};

/**
 * What an operand of the concatenation is computed of, back to products: value by value, and from parts of their
 * channels. `null` where it comes from elsewhere, or where something else reads it on the way.
 */
const sourcesOf = (
  view: View,
  operand: string,
  axis: number,
): { readonly products: Set<number>; readonly between: Set<number> } | null => {
  const [products, between] = [new Set<number>(), new Set<number>()];
  const open = [operand];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const index = view.wiring.producer.get(name);
    if (index === undefined) return null;
    if (products.has(index) || between.has(index)) continue;
    const node = view.structure.nodes[index]!;
    if (isWeighted(view, node)) {
      if (channelAxis(view, node) !== axis) return null;
      products.add(index);
      continue;
    }
    if (!isElementwise(node) && !cutsAlong(view, node, axis)) return null;
    between.add(index);
    open.push(...imageInputsOf(view, node));
  }
  return { products, between };
};

const rejoinedAt = (view: View, index: number): Rejoined | null => {
  const node = view.structure.nodes[index]!;
  const operands = imageInputsOf(view, node);
  if (operands.length < 2 || operands.length < node.inputs.length) return null;
  const axis = axisOf(intAttribute(node, 'axis', 1), rankOf(view, node.outputs[0]!));
  const sources: NonNullable<ReturnType<typeof sourcesOf>>[] = [];
  for (const operand of operands) {
    const found = sourcesOf(view, operand, axis);
    if (found === null) return null;
    sources.push(found);
  }
  const products = sources.flatMap((each) => [...each.products]);
  const inside = new Set([...products, ...sources.flatMap(({ between }) => [...between])]);
  // A product in one operand only is a branch of its own, as Inception has them; one that has its nonlinearity before
  // it is parted is a layer by itself.
  const shared = products.filter((each, place) => products.indexOf(each) < place);
  const output = (each: number): string => view.structure.nodes[each]!.outputs[0]!;
  if (shared.every((each) => regionOf(view, output(each)).nonlinear)) return null;
  const leaves = [...inside].some((each) =>
    view.structure.nodes[each]!.outputs.some(
      (name) =>
        view.outputs.has(name) ||
        readersOf(view, name).some((reader) => reader !== index && !inside.has(reader)),
    ),
  );
  return leaves ? null : { node: index, inside };
};

/**
 * Concatenations, along the channels, of what was computed of one product in several ways: of parts of its channels
 * (VOneNet's simple and complex cells, Dapello et al. 2020, value 2), or of all (x and −x). They are layers, and their
 * operands are none.
 */
export const rejoinedProducts = (view: View): Rejoined[] =>
  view.structure.nodes.flatMap(({ op, domain }, index) => {
    const found = op === 'Concat' && domain === '' ? rejoinedAt(view, index) : null;
    return found === null ? [] : [found];
  });
