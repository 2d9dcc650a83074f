import type { OnnxGraph } from '../../src/graph/graph.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { Dense } from './dense.ts';
import { evaluate } from './reference.ts';

const STEP = 1e-3;

const dense = ({ data, shape }: NdArray): Dense => ({
  data: Float64Array.from(data as Float64Array, Number),
  shape,
});

/** The output `loss` at `x + t · v`, in float64, by definitions that know nothing of the rules. */
const lossAt = (
  graph: OnnxGraph,
  feeds: Readonly<Record<string, NdArray>>,
  variables: readonly string[],
  t: number,
): number => {
  const moved = Object.entries(feeds).map(([name, array]): [string, Dense] => {
    const { data, shape } = dense(array);
    const place = variables.indexOf(name);
    if (place < 0) return [name, { data, shape }];
    const direction = feeds[`v${place}`]!.data;
    return [name, { data: data.map((value, at) => value + t * Number(direction[at])), shape }];
  });
  return evaluate(graph, Object.fromEntries(moved)).values.get('loss')!.data[0]!;
};

/**
 * Slope and curvature of `loss` along the directions `v<i>` of all variables together: five-point central differences
 * in float64, with errors of the order of 1e-12 and 1e-9 times the loss.
 */
export const differenceQuotients = (
  graph: OnnxGraph,
  feeds: Readonly<Record<string, NdArray>>,
  variables: readonly string[],
): { readonly slope: number; readonly curvature: number } => {
  const at = (steps: number): number => lossAt(graph, feeds, variables, steps * STEP);
  const [back2, back1, here, ahead1, ahead2] = [at(-2), at(-1), at(0), at(1), at(2)];
  return {
    slope: (back2 - 8 * back1 + 8 * ahead1 - ahead2) / (12 * STEP),
    curvature: (-back2 + 16 * back1 - 30 * here + 16 * ahead1 - ahead2) / (12 * STEP ** 2),
  };
};
