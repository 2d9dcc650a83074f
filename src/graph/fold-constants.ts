import type { ArrayData } from '../records/array.ts';
import { inferGraphFacts } from './facts.ts';
import type { Initialiser, OnnxGraph } from './graph.ts';
import { withoutDeadCode } from './rewrite.ts';
import type { ElementType } from './schema.ts';
import type { Facts } from './sizes.ts';
import { wholeNumbers } from './storage.ts';

/** Beyond 2^53 a double holds few whole numbers; 2^63 stands for the largest. */
const isExact = (value: number): boolean => Number.isSafeInteger(value) || value === 2 ** 63;

/** Storage of folded numbers; `null` for types in which shapes are never computed. */
const stored = (type: ElementType, values: readonly number[]): ArrayData | null => {
  switch (type) {
    case 'int64':
      return values.every(isExact) ? wholeNumbers(values) : null;
    case 'int32':
      return values.every(Number.isInteger) ? Int32Array.from(values) : null;
    case 'bool':
      return Uint8Array.from(values);
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    default:
      return null;
  }
};

const folded = (name: string, { type, shape, values }: Facts): Initialiser | null => {
  const known = values?.every((value) => value !== null) && shape?.every((size) => size !== null);
  if (!known) return null;
  const data = stored(type, values as readonly number[]);
  if (data === null || data.length !== shape.reduce<number>((a, b) => a * b!, 1)) return null;
  const array = { data, shape: shape as readonly number[] };
  return type === 'bool' ? { name, array, type } : { name, array };
};

/**
 * The graph with every small tensor (up to 64 elements) that is known without running it as an initialiser: the shape
 * arithmetic of exports, and whatever else of constants comes to so little. What they needed alone is dropped. Sizes
 * of free inputs are not known: fix them first (`fixInputs`). Outputs stay computed.
 */
export const foldConstants = (graph: OnnxGraph): OnnxGraph => {
  const facts = inferGraphFacts(graph);
  const published = new Set(graph.outputs.map(({ name }) => name));
  const initialisers: Initialiser[] = [];
  const nodes = graph.nodes.filter(({ outputs }) => {
    const [name = ''] = outputs;
    if (outputs.length !== 1 || published.has(name)) return true;
    const found = folded(name, facts.get(name)!);
    if (found !== null) initialisers.push(found);
    return found === null;
  });
  return withoutDeadCode({
    ...graph,
    nodes,
    initialisers: [...graph.initialisers, ...initialisers],
  });
};
