import { intsAttribute } from './attributes.ts';
import { inferGraphFacts } from './facts.ts';
import type { Attribute, Initialiser, OnnxGraph, OnnxNode } from './graph.ts';
import { readsOf, renamedNode } from './names.ts';
import type { Facts } from './sizes.ts';

// Operations that do nothing, and pairs that one operation says as well.

const sameShape = (a: Facts | undefined, b: Facts | undefined): boolean =>
  a?.shape != null &&
  b?.shape != null &&
  a.shape.length === b.shape.length &&
  a.shape.every((size, axis) => size !== null && size === b.shape![axis]);

const inOrder = (perm: readonly number[] | null): boolean =>
  perm?.every((axis, place) => axis === place) ?? false;

const isZero = (values: Facts['values'] | undefined): boolean =>
  values?.every((value) => value === 0) ?? false;

/** Whether a node's output is its first input. */
const doesNothing = (node: OnnxNode, facts: ReadonlyMap<string, Facts>): boolean => {
  if ((node.domain ?? '') !== '' || node.outputs.length !== 1) return false;
  const [x, second] = node.inputs.map((name) => facts.get(name));
  const y = facts.get(node.outputs[0]!);
  switch (node.op) {
    case 'Identity':
      return true;
    case 'Reshape':
    case 'Flatten':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Expand':
    case 'Slice':
      return (
        sameShape(x, y) && (node.op !== 'Slice' || stepsForward(facts.get(node.inputs[4] ?? '')))
      );
    case 'Transpose':
      return inOrder(intsAttribute(node, 'perm'));
    case 'Pad':
      return isZero(second?.values);
    case 'Concat':
      return node.inputs.length === 1;
    case 'Cast':
      return x !== undefined && x.type !== 'undefined' && x.type === y?.type;
    default:
      return false;
  }
};

const stepsForward = (steps: Facts | undefined): boolean =>
  steps === undefined || (steps.values?.every((step) => step === 1) ?? false);

/** Lets the input of every node that does nothing stand for its output; outputs of the graph keep their names. */
const withoutIdle = (graph: OnnxGraph): OnnxGraph => {
  const facts = inferGraphFacts(graph);
  const published = new Set(graph.outputs.map(({ name }) => name));
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const names = new Map<string, string>();
  const current = (name: string): string => names.get(name) ?? name;
  const kept: OnnxNode[] = [];
  for (const node of graph.nodes) {
    const [output = ''] = node.outputs;
    if (!doesNothing(node, facts)) {
      kept.push(node);
      continue;
    }
    const source = current(node.inputs[0]!);
    if (!published.has(output)) names.set(output, source);
    else if (made.has(source) && !published.has(source)) {
      // What made the input takes over the public name.
      for (const [name, target] of names) if (target === source) names.set(name, output);
      names.set(source, output);
    } else kept.push({ op: 'Identity', inputs: [source], outputs: [output] });
  }
  return { ...graph, nodes: kept.map((node) => renamedNode(node, current)) };
};

interface Uses {
  readonly makers: ReadonlyMap<string, OnnxNode>;
  /** Tensors that exactly one node reads and that are no outputs. */
  readonly single: ReadonlySet<string>;
}

const usesOf = (graph: OnnxGraph): Uses => {
  const counts = new Map<string, number>();
  for (const name of [...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)]) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const published = new Set(graph.outputs.map(({ name }) => name));
  return {
    makers: new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node]))),
    single: new Set(
      [...counts].flatMap(([name, count]) => (count === 1 && !published.has(name) ? [name] : [])),
    ),
  };
};

/** Zeros around an image that a convolution reads become its own padding. */
const withPadding = (
  conv: OnnxNode,
  pad: OnnxNode,
  facts: ReadonlyMap<string, Facts>,
): OnnxNode | null => {
  const mode = pad.attributes?.mode;
  if (mode !== undefined && 'string' in mode && mode.string !== 'constant') return null;
  const value = pad.inputs[2] ?? '';
  if (value !== '' && !isZero(facts.get(value)?.values ?? null)) return null;
  const pads = facts.get(pad.inputs[1]!)?.values;
  const own = intsAttribute(conv, 'pads');
  if (pads == null || own === null || pads.some((each) => each === null || each < 0)) return null;
  const rank = pads.length / 2;
  const image = pads.filter((_, place) => place % rank >= 2) as number[];
  if ([0, 1, rank, rank + 1].some((place) => pads[place] !== 0)) return null;
  const sum: Attribute = { ints: own.map((each, place) => each + image[place]!) };
  return {
    ...conv,
    inputs: [pad.inputs[0]!, ...conv.inputs.slice(1)],
    attributes: { ...conv.attributes, pads: sum },
  };
};

/** A bound of a Clip: its number, or none; `null` where a run alone could tell it. */
const boundOf = (
  clip: OnnxNode,
  index: number,
  facts: ReadonlyMap<string, Facts>,
): number | null => {
  const name = clip.inputs[index] ?? '';
  if (name === '') return index === 1 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return facts.get(name)?.values?.[0] ?? null;
};

/** Of two Clips in a row the tighter bounds, where they overlap. */
const withBothBounds = (
  outer: OnnxNode,
  inner: OnnxNode,
  facts: ReadonlyMap<string, Facts>,
): OnnxNode | null => {
  const [lowest, highest] = [boundOf(inner, 1, facts), boundOf(inner, 2, facts)];
  const [low, high] = [boundOf(outer, 1, facts), boundOf(outer, 2, facts)];
  if (lowest === null || highest === null || low === null || high === null) return null;
  if (lowest > high || low > highest) return null;
  const pick = (first: boolean, index: number): string =>
    (first ? inner : outer).inputs[index] ?? '';
  return { ...outer, inputs: [inner.inputs[0]!, pick(lowest > low, 1), pick(highest < high, 2)] };
};

/** Two Reshapes in a row are the second. */
const withoutFirst = (outer: OnnxNode, inner: OnnxNode): OnnxNode => ({
  ...outer,
  inputs: [inner.inputs[0]!, ...outer.inputs.slice(1)],
});

const paired = (
  node: OnnxNode,
  inner: OnnxNode,
  facts: ReadonlyMap<string, Facts>,
): OnnxNode | null => {
  switch (`${inner.op} ${node.op}`) {
    case 'Pad Conv':
      return withPadding(node, inner, facts);
    case 'Clip Clip':
      return withBothBounds(node, inner, facts);
    case 'Reshape Reshape':
      return withoutFirst(node, inner);
    default:
      return null;
  }
};

const inPairs = (graph: OnnxGraph): OnnxGraph => {
  const facts = inferGraphFacts(graph);
  const { makers, single } = usesOf(graph);
  const changed = new Map<string, OnnxNode>();
  const gone = new Set<OnnxNode>();
  const nodes = graph.nodes.map((node) => {
    let own = node;
    for (;;) {
      const [x = ''] = own.inputs;
      const inner = changed.get(x) ?? makers.get(x);
      if (inner === undefined || !single.has(x)) break;
      if ((own.domain ?? '') !== '' || (inner.domain ?? '') !== '') break;
      const one = paired(own, inner, facts);
      if (one === null) break;
      gone.add(inner);
      own = one;
    }
    if (own !== node) for (const name of node.outputs) changed.set(name, own);
    return own;
  });
  return { ...graph, nodes: nodes.filter((node) => !gone.has(node)) };
};

const usedInitialisers = (graph: OnnxGraph): Initialiser[] => {
  const used = new Set([...graph.nodes.flatMap(readsOf), ...graph.outputs.map(({ name }) => name)]);
  return graph.initialisers.filter(({ name }) => used.has(name));
};

/**
 * Without operations that do nothing (Identity, a Reshape to the shape that is there, a Pad of zeros' width, …) and with
 * one operation in place of two where it says the same: zeros around the input of a convolution, a Clip of a Clip, a
 * Reshape of a Reshape. For graphs of the canonical opset in topological order; names of inputs and outputs stay.
 */
export const simplified = (graph: OnnxGraph): OnnxGraph => {
  const once = inPairs(withoutIdle(graph));
  return { ...once, initialisers: usedInitialisers(once) };
};
