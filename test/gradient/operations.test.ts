import { afterAll, expect, test } from 'vitest';
import { lower } from '../../src/gradient/lower.ts';
import type { Float64Nd, NdArray } from '../../src/records/array.ts';
import {
  feedsOf,
  goldenOf,
  lossGraph,
  type OperationCase,
  operationCases,
  secondOrder,
  variablesOf,
} from './operation-cases.ts';
import { closeEngine, runGraph } from './run.ts';

afterAll(closeEngine);

/** ‖got − expected‖ / ‖expected‖, or ‖got‖ where 0 is expected. */
const errorOf = ({ data: got }: NdArray, { data: expected }: Float64Nd): number => {
  if (got.length !== expected.length) return Number.NaN;
  const difference = expected.map((value, at) => Number(got[at]) - value);
  return Math.hypot(...difference) / (Math.hypot(...expected) || 1);
};

const check = async (each: OperationCase): Promise<void> => {
  const feeds = await feedsOf(each);
  const variables = variablesOf(each);
  const graph = lower(secondOrder(lossGraph(each, feeds), variables));
  const results = await runGraph(graph, feeds);
  const names = [
    ...each.outputs,
    ...variables.flatMap((_, index) => [`first${index}`, `second${index}`]),
  ];
  for (const name of names) {
    const expected = await goldenOf(each, name);
    expect(results[name]!.shape, name).toEqual(expected.shape);
    expect(errorOf(results[name]!, expected), name).toBeLessThan(1e-5);
  }
};

test.each(operationCases)('$name', check);
