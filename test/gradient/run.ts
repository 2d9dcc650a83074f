import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph, OnnxNode, ValueInfo } from '../../src/graph/graph.ts';
import type { ElementType } from '../../src/graph/schema.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { Engine, RunOutputs } from '../../src/records/ports.ts';

let started: Promise<Engine> | null = null;
/** One engine for all tests of a file. */
const engine = (): Promise<Engine> => {
  started ??= createNodeEngine({ threads: 1 });
  return started;
};
export const closeEngine = async (): Promise<void> => {
  await (await started)?.close();
  started = null;
};

export const float32 = (values: ArrayLike<number>, shape: readonly number[]): NdArray => ({
  data: Float32Array.from(values),
  shape,
});
export const int64 = (
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NdArray => ({
  data: BigInt64Array.from(values, BigInt),
  shape,
});

const typeOf = ({ data }: NdArray): ElementType =>
  data instanceof BigInt64Array ? 'int64' : data instanceof Float64Array ? 'float64' : 'float32';

/** A graph of opset 18 with these inputs and constants. */
export const graphOf = (
  nodes: readonly OnnxNode[],
  inputs: Readonly<Record<string, NdArray>>,
  constants: Readonly<Record<string, NdArray>> = {},
  outputs: readonly ValueInfo[] = [],
): OnnxGraph => ({
  name: 'test',
  opset: 18,
  inputs: Object.entries(inputs).map(([name, array]) => ({
    name,
    type: typeOf(array),
    shape: array.shape,
  })),
  outputs,
  initialisers: Object.entries(constants).map(([name, array]) => ({ name, array })),
  nodes,
});

type Feeds = Readonly<Record<string, NdArray>>;
type Outputs = RunOutputs['fetched'];

/** Runs a graph once for each of `feeds`, of which it takes what it has inputs for. */
export const runGraphs = async (graph: OnnxGraph, feeds: readonly Feeds[]): Promise<Outputs[]> => {
  const bytes = encodeModel(graph);
  const session = await (await engine()).open({ bytes });
  const results: Outputs[] = [];
  for (const own of feeds) {
    const used = session.inputs.map(({ name }) => [name, own[name]!]);
    results.push((await session.run(Object.fromEntries(used))).fetched);
  }
  await session.release();
  return results;
};

/** Runs a graph once. */
export const runGraph = async (graph: OnnxGraph, feeds: Feeds): Promise<Outputs> => {
  const [result] = await runGraphs(graph, [feeds]);
  return result!;
};
