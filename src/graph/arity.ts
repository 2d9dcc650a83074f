import { inputError } from '../records/errors.ts';
import { ownValue } from '../records/own-value.ts';
import type { OnnxGraph, OnnxNode } from './graph.ts';

const withInputs = (count: number, names: string): [string, number][] =>
  names.split(' ').map((name) => [name, count]);

/** How many inputs, the first ones, an operation of opset 18 has always; 1 where nothing is said. */
const NEEDED: Readonly<Record<string, number>> = Object.fromEntries([
  ...withInputs(2, 'Add Sub Mul Div Pow Mod PRelu Equal Greater Less And Or GreaterOrEqual'),
  ...withInputs(2, 'LessOrEqual MatMul Gemm Conv ConvTranspose LayerNormalization Reshape Expand'),
  ...withInputs(2, 'Tile Gather GatherElements GatherND Pad Unsqueeze TopK CumSum CastLike Xor'),
  ...withInputs(3, 'Where InstanceNormalization GroupNormalization Slice ScatterND OneHot Range'),
  ...withInputs(3, 'ScatterElements'),
  ...withInputs(5, 'BatchNormalization'),
  ...withInputs(0, 'Constant RandomNormal RandomUniform If Loop Scan'),
]);

const neededBy = ({ op, domain = '' }: OnnxNode): number =>
  domain === '' ? (ownValue(NEEDED, op) ?? 1) : 0;

/**
 * The graph, of opset 18, as it is, once every node has the inputs without which its operation means nothing, and an output.
 * Input error, naming the node: onnxruntime would refuse it too, but a graph is differentiated before it is run.
 */
export const checkArity = (graph: OnnxGraph): OnnxGraph => {
  for (const node of graph.nodes) {
    const needed = neededBy(node);
    const there = Array.from({ length: needed }, (_, place) => node.inputs[place] ?? '');
    const missing = there.indexOf('');
    if (missing < 0 && node.outputs.some((name) => name !== '')) continue;
    throw inputError({
      where: `${graph.name}: node "${node.name ?? node.outputs[0] ?? ''}" (${node.op})`,
      expected: missing < 0 ? 'an output' : `an input in each of the first ${needed} places`,
      got: missing < 0 ? 'none' : `none in place ${missing + 1}`,
      mend: 'export the network again',
    });
  }
  return graph;
};
