import type { ReadNode } from '../graph/read-node.ts';
import {
  imageInputsOf,
  isContraction,
  isElementwise,
  isMovement,
  isNonlinear,
  isNormalisation,
  isOnTheWay,
  isWeighted,
} from './operations.ts';
import type { View } from './view.ts';

/** The operations that follow a tensor without anything joining from elsewhere. */
export interface Region {
  /** The last tensor that everything before it flows into. */
  readonly end: string;
  /** Absorbed nodes up to `end`. */
  readonly nodes: readonly number[];
  /** Whether a nonlinearity is among them. */
  readonly nonlinear: boolean;
}

/** Nodes that read the values of a tensor, not only its shape. */
export const readersOf = (view: View, tensor: string): number[] =>
  (view.wiring.consumers.get(tensor) ?? []).filter((index) =>
    view.structure.nodes[index]!.outputs.some((name) => view.dependent.has(name)),
  );

interface Growth {
  readonly inside: Set<string>;
  readonly absorbed: Set<number>;
  readonly pending: Set<number>;
}

/** Absorbs the next node in graph order; `null` where that one may not be, which ends the growth. */
const grow = (view: View, growth: Growth, may: (node: ReadNode) => boolean): ReadNode | null => {
  const { inside, absorbed, pending } = growth;
  if (pending.size === 0) return null;
  const index = Math.min(...pending);
  const node = view.structure.nodes[index]!;
  // A rejected reader leaves its tensor open for ever, so that no later tensor can be the only open one.
  if (!may(node) || imageInputsOf(view, node).some((name) => !inside.has(name))) return null;
  pending.delete(index);
  absorbed.add(index);
  node.outputs.forEach((name, place) => {
    const readers = readersOf(view, name);
    // The mask of a Dropout, say: nobody reads it, and it must not count as open.
    if (!view.dependent.has(name) || (place > 0 && readers.length === 0)) return;
    inside.add(name);
    for (const reader of readers) if (!absorbed.has(reader)) pending.add(reader);
  });
  return node;
};

/** The one tensor of the growth that something outside still reads, or that nothing reads; else `null`. */
const onlyOpen = (view: View, { inside, absorbed }: Growth): string | null => {
  let open: string | null = null;
  for (const name of inside) {
    const readers = readersOf(view, name);
    if (readers.length > 0 && readers.every((reader) => absorbed.has(reader))) continue;
    if (open !== null) return null;
    open = name;
  }
  return open;
};

const startAt = (view: View, tensor: string): Growth => ({
  inside: new Set([tensor]),
  absorbed: new Set(),
  pending: new Set(readersOf(view, tensor)),
});

/** Quantised tensors and masks lie within a region, but are no end of it. */
const isReal = (view: View, tensor: string): boolean =>
  !/int|bool/.test(view.facts.get(tensor)?.type ?? '');

/**
 * Follows a tensor through elementwise operations while exactly one tensor stays open, so that activations exported
 * as several operations (GELU, SiLU, HardSwish, a gated linear unit) count as one. A change of layout or a
 * normalisation is crossed only where a nonlinearity comes behind it and none before.
 */
export const regionOf = (view: View, tensor: string): Region => {
  const growth = startAt(view, tensor);
  let region: Region = { end: tensor, nodes: [], nonlinear: false };
  let nonlinear = false;
  let crossed = false;
  const may = (node: ReadNode): boolean =>
    isElementwise(node) || (!region.nonlinear && (isMovement(node) || isNormalisation(node)));
  for (let node = grow(view, growth, may); node !== null; node = grow(view, growth, may)) {
    if (!isElementwise(node)) crossed = true;
    nonlinear ||= isNonlinear(view, node);
    const end = onlyOpen(view, growth);
    if (end !== null && isReal(view, end) && (!crossed || (nonlinear && isElementwise(node)))) {
      region = { end, nodes: [...growth.absorbed], nonlinear };
    }
  }
  return region;
};

/** Follows a tensor on its way to a sum: also through changes of layout, windows and normalisations. */
export const wayOf = (view: View, tensor: string): string => {
  const growth = startAt(view, tensor);
  let end = tensor;
  while (grow(view, growth, isOnTheWay) !== null) end = onlyOpen(view, growth) ?? end;
  return end;
};

/** Tensors that follow from `tensor` by elementwise operations alone. */
export const elementwiseFrom = (view: View, tensor: string): Set<string> => {
  const growth = startAt(view, tensor);
  const open = [tensor];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const index of readersOf(view, name)) {
      const node = view.structure.nodes[index]!;
      if (!isElementwise(node)) continue;
      if (imageInputsOf(view, node).some((input) => !growth.inside.has(input))) continue;
      for (const output of node.outputs) {
        if (growth.inside.has(output)) continue;
        growth.inside.add(output);
        open.push(output);
      }
    }
  }
  return growth.inside;
};

/** Whether a tensor becomes a factor of attention without passing weights. */
export const feedsAttention = (view: View, tensor: string): boolean => {
  const seen = new Set([tensor]);
  const open = [tensor];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const index of readersOf(view, name)) {
      const node = view.structure.nodes[index]!;
      if (isContraction(view, node)) return true;
      if (!isOnTheWay(node) && node.op !== 'Softmax') continue;
      for (const output of node.outputs) {
        if (seen.has(output) || !view.dependent.has(output)) continue;
        seen.add(output);
        open.push(output);
      }
    }
  }
  return false;
};

/** Whether a tensor comes out of attention without having passed weights. */
export const comesFromAttention = (view: View, tensor: string): boolean => {
  const seen = new Set([tensor]);
  const open = [tensor];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const index = view.wiring.producer.get(name);
    const node = index === undefined ? undefined : view.structure.nodes[index];
    if (node === undefined || isWeighted(view, node)) continue;
    if (isContraction(view, node)) return true;
    if (!isOnTheWay(node)) continue;
    for (const input of imageInputsOf(view, node)) {
      if (seen.has(input)) continue;
      seen.add(input);
      open.push(input);
    }
  }
  return false;
};

/** Whether a tensor goes to the model's outputs only: no weights, attention or joining tensors behind it. */
export const goesOut = (view: View, tensor: string): boolean => {
  const seen = new Set([tensor]);
  const open = [tensor];
  let out = false;
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    out ||= view.outputs.has(name);
    for (const index of readersOf(view, name)) {
      const node = view.structure.nodes[index]!;
      if (isWeighted(view, node) || isContraction(view, node)) return false;
      if (imageInputsOf(view, node).some((input) => !seen.has(input)) && !isElementwise(node))
        return false;
      for (const output of node.outputs) {
        if (seen.has(output) || !view.dependent.has(output)) continue;
        seen.add(output);
        open.push(output);
      }
    }
  }
  return out;
};
