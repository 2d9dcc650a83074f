import type { ModelStructure } from './read.ts';
import type { ReadNode } from './read-node.ts';

/** Who makes and who takes each tensor; nodes by their index. */
export interface Wiring {
  readonly producer: ReadonlyMap<string, number>;
  readonly consumers: ReadonlyMap<string, readonly number[]>;
}

/** Tensors that a node reads: its inputs and what its subgraphs capture, without the inputs left out. */
export const inputsOf = (node: ModelStructure['nodes'][number]): string[] =>
  [...node.inputs, ...node.captured].filter((name) => name !== '');

export const wire = ({ nodes }: ModelStructure): Wiring => {
  const producer = new Map<string, number>();
  const consumers = new Map<string, number[]>();
  nodes.forEach((node, index) => {
    for (const name of node.outputs) if (name !== '') producer.set(name, index);
    for (const name of new Set(inputsOf(node))) {
      const others = consumers.get(name);
      if (others === undefined) consumers.set(name, [index]);
      else others.push(index);
    }
  });
  return { producer, consumers };
};

/** Nodes that `tensors` need, directly or not; the walk stops at the tensors in `given`. */
export const ancestors = (
  { nodes }: ModelStructure,
  { producer }: Wiring,
  tensors: Iterable<string>,
  given: ReadonlySet<string> = new Set(),
): Set<number> => {
  const found = new Set<number>();
  const open = [...tensors];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const index = given.has(name) ? undefined : producer.get(name);
    if (index === undefined || found.has(index)) continue;
    found.add(index);
    open.push(...inputsOf(nodes[index]!));
  }
  return found;
};

/** Operations whose output depends on the size of what comes in, not on its values. */
const SIZE_ONLY: ReadonlySet<string> = new Set(['Shape', 'Size', 'EyeLike', 'RandomNormalLike']);

/**
 * Tensors whose values depend on those of `input`; the input itself is among them.
 *
 * @param isPassedBy outputs of nodes, by place, that do not count.
 */
export const dependents = (
  { nodes }: ModelStructure,
  { consumers }: Wiring,
  input: string,
  isPassedBy: (node: ReadNode, output: number) => boolean = () => false,
): Set<string> => {
  const found = new Set([input]);
  const open = [input];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const index of consumers.get(name) ?? []) {
      const node = nodes[index]!;
      if (SIZE_ONLY.has(node.op)) continue;
      node.outputs.forEach((output, place) => {
        if (output === '' || found.has(output) || isPassedBy(node, place)) return;
        found.add(output);
        open.push(output);
      });
    }
  }
  return found;
};
