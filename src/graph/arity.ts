import { inputError } from '../records/errors.ts';
import { ownValue } from '../records/own-value.ts';
import type { OnnxGraph, OnnxNode } from './graph.ts';

const withInputs = <Count>(count: Count, names: string): [string, Count][] =>
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

/** How many inputs an operation of opset 18 has at most; any number where nothing is said. */
const MOST: Readonly<Record<string, number>> = Object.fromEntries([
  ...withInputs(
    1,
    'Relu LeakyRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign',
  ),
  ...withInputs(
    1,
    'Erf Exp Log Sqrt Abs Neg Reciprocal Floor Ceil Round Sign Sin Cos Not Identity',
  ),
  ...withInputs(1, 'Softmax LogSoftmax Transpose Flatten Cast Shape MaxPool AveragePool LRN'),
  ...withInputs(1, 'GlobalAveragePool GlobalMaxPool DepthToSpace SpaceToDepth ArgMax ArgMin'),
  ...withInputs(2, 'Add Sub Mul Div Pow Mod PRelu Equal Greater Less And Or GreaterOrEqual'),
  ...withInputs(2, 'LessOrEqual MatMul Reshape Expand Tile Gather GatherElements GatherND'),
  ...withInputs(
    2,
    'Unsqueeze Squeeze Split TopK CumSum CastLike Xor ReduceMean ReduceSum ReduceMax',
  ),
  ...withInputs(2, 'ReduceMin ReduceProd ReduceL1 ReduceL2'),
  ...withInputs(3, 'Gemm Conv ConvTranspose LayerNormalization Where Clip Dropout'),
  ...withInputs(3, 'InstanceNormalization GroupNormalization'),
  ...withInputs(5, 'BatchNormalization Slice'),
]);

const neededBy = ({ op, domain = '' }: OnnxNode): number =>
  domain === '' ? (ownValue(NEEDED, op) ?? 1) : 0;

const wrong = (graph: OnnxGraph, node: OnnxNode, expected: string, got: string) =>
  inputError({
    where: `${graph.name}: node "${node.name ?? node.outputs[0] ?? ''}" (${node.op})`,
    expected,
    got,
    mend: 'export the network again',
  });

/**
 * The graph, of opset 18, as it is, once every node has the inputs without which its operation means nothing, no more than
 * it takes, and an output.
 * Input error, naming the node: onnxruntime would refuse it too, but a graph is differentiated before it is run.
 */
export const checkArity = (graph: OnnxGraph): OnnxGraph => {
  for (const node of graph.nodes) {
    const needed = neededBy(node);
    const there = Array.from({ length: needed }, (_, place) => node.inputs[place] ?? '');
    const missing = there.indexOf('');
    if (missing >= 0) {
      const places = `an input in each of the first ${needed} places`;
      throw wrong(graph, node, places, `none in place ${missing + 1}`);
    }
    if (node.outputs.every((name) => name === '')) throw wrong(graph, node, 'an output', 'none');
    const most = (node.domain ?? '') === '' ? (ownValue(MOST, node.op) ?? Infinity) : Infinity;
    const count = 1 + node.inputs.findLastIndex((name) => name !== '');
    if (count > most) throw wrong(graph, node, `at most ${most} inputs`, `${count}`);
  }
  return graph;
};
