import { afterAll, expect, test } from 'vitest';
import { lower } from '../../src/gradient/lower.ts';
import { RULES } from '../../src/gradient/rules.ts';
import { operationOf } from '../../src/graph/graph.ts';
import type { Float64Nd, NdArray } from '../../src/records/array.ts';
import { differenceQuotients } from './difference-quotients.ts';
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

/** On a kink a difference quotient is no derivative; and some forms the interpreter does not know. */
const withoutQuotients = /equals|at 0$|at its bounds|statistics|ellipsis|implicit/;

type Arrays = Readonly<Record<string, NdArray>>;

const dot = (a: NdArray, b: NdArray): number =>
  Array.from(a.data as Float64Array, Number).reduce(
    (sum, value, at) => sum + value * Number(b.data[at]),
    0,
  );
const norm = (a: NdArray): number => Math.sqrt(dot(a, a));

/** ‖got − expected‖ / ‖expected‖, or ‖got‖ where 0 is expected. */
const errorOf = ({ data: got }: NdArray, { data: expected }: Float64Nd): number => {
  if (got.length !== expected.length) return Number.NaN;
  const difference = expected.map((value, at) => Number(got[at]) - value);
  return Math.hypot(...difference) / (Math.hypot(...expected) || 1);
};

const checkGoldens = async (each: OperationCase, results: Arrays): Promise<void> => {
  const names = [
    ...each.outputs,
    ...variablesOf(each).flatMap((_, index) => [`first${index}`, `second${index}`]),
  ];
  for (const name of names) {
    const expected = await goldenOf(each, name);
    expect(results[name]!.shape, name).toEqual(expected.shape);
    expect(errorOf(results[name]!, expected), name).toBeLessThan(1e-5);
  }
};

/** ⟨v, gradient⟩ and ⟨v, Hessian · v⟩ as the engine has them against difference quotients of the loss. */
const checkQuotients = (each: OperationCase, feeds: Arrays, results: Arrays): void => {
  const variables = variablesOf(each);
  const { slope, curvature } = differenceQuotients(lossGraph(each, feeds), feeds, variables);
  const along = (what: string, measure: (a: NdArray, v: NdArray) => number): number =>
    variables.reduce((sum, _, i) => sum + measure(results[`${what}${i}`]!, feeds[`v${i}`]!), 0);
  const size = (a: NdArray, v: NdArray): number => norm(a) * norm(v);
  const [first, second] = [along('first', size), along('second', size)];
  expect(Math.abs(along('first', dot) - slope) / first, 'slope').toBeLessThan(1e-5);
  expect(Math.abs(along('second', dot) - curvature) / (first + second), 'curvature').toBeLessThan(
    1e-5,
  );
};

/** The engine's gradients, in float32, against PyTorch's in float64 and against difference quotients. */
test.each(operationCases)('$name', async (each) => {
  const feeds = await feedsOf(each);
  const graph = secondOrder(lossGraph(each, feeds), variablesOf(each));
  // What rules are written in has rules itself: so there are further orders.
  for (const node of graph.nodes) expect(RULES).toHaveProperty([operationOf(node)]);
  const results = await runGraph(lower(graph), feeds);
  await checkGoldens(each, results);
  if (!withoutQuotients.test(each.name)) checkQuotients(each, feeds, results);
});
