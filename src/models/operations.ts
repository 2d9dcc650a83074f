import { floatAttribute, textAttribute } from '../graph/attributes.ts';
import type { ReadNode } from '../graph/read-node.ts';
import type { View } from './view.ts';

// Which operations the layer rule takes for what.

const set = (names: string): ReadonlySet<string> => new Set(names.split(' '));

/** Value by value; with two operands, broadcasting. Batch norm is one in evaluation mode. */
const ELEMENTWISE = set(
  'Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Erf Exp Log Sqrt Abs Neg ' +
    'Reciprocal Pow Add Sum Sub Mul Div Clip Gelu Mish Min Max ThresholdedRelu Shrink Swish Where Less LessOrEqual ' +
    'Greater GreaterOrEqual Sign Floor Round Cast Identity Dropout BatchNormalization FastGelu QuickGelu BiasGelu ' +
    'QuantizeLinear DequantizeLinear QLinearAdd QLinearMul QLinearSigmoid QLinearLeakyRelu',
);

const NONLINEAR = set(
  'Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Erf Exp Log Sqrt Abs Pow ' +
    'Gelu Mish Min Max ThresholdedRelu Shrink Swish Where Sign FastGelu QuickGelu BiasGelu',
);

/** Values stay, their places change, or some are cut away. */
const MOVEMENT = set('Transpose Reshape Flatten Squeeze Unsqueeze Split Slice');

/** Normalisations that are one operation. */
const NORMALISATION = set(
  'LayerNormalization InstanceNormalization GroupNormalization RMSNormalization SimplifiedLayerNormalization LRN ' +
    'LpNormalization MeanVarianceNormalization',
);

/** What else may lie between a branch and its sum: windows cut and rolled, decomposed normalisations, padding. */
const ON_THE_WAY = set(
  'Slice Concat Gather Expand Tile Pad ReduceMean ReduceSum ReduceL2 DepthToSpace',
);

const WITH_WEIGHTS = set(
  'Conv ConvTranspose FusedConv MatMul FusedMatMul Gemm FusedGemm Einsum MatMulInteger ConvInteger ' +
    'MatMulIntegerToFloat DynamicQuantizeMatMul QLinearConv QLinearMatMul QGemm',
);

const ATTENTION = set('Attention MultiHeadAttention GroupQueryAttention PackedAttention');

const isPlain = ({ domain }: ReadNode): boolean => domain === '' || domain === 'com.microsoft';

export const isElementwise = (node: ReadNode): boolean => isPlain(node) && ELEMENTWISE.has(node.op);

export const isMovement = (node: ReadNode): boolean => isPlain(node) && MOVEMENT.has(node.op);

export const isNormalisation = (node: ReadNode): boolean =>
  isPlain(node) && NORMALISATION.has(node.op);

/** May lie between a branch and the sum that it goes into, or between attention and its projection. */
export const isOnTheWay = (node: ReadNode): boolean =>
  isElementwise(node) ||
  isMovement(node) ||
  isNormalisation(node) ||
  (isPlain(node) && ON_THE_WAY.has(node.op));

/** A lower bound below zero (or none) is a range of quantisation, not a rectifier. */
const clipsBelowZero = (view: View, node: ReadNode): boolean => {
  const bound = node.inputs[1];
  const least =
    bound === undefined || bound === ''
      ? floatAttribute(node, 'min')
      : (view.facts.get(bound)?.values?.[0] ?? null);
  return least === null || least < 0;
};

export const isNonlinear = (view: View, node: ReadNode): boolean =>
  node.op === 'Clip' ? !clipsBelowZero(view, node) : isPlain(node) && NONLINEAR.has(node.op);

/** 8-bit numbers of which the least stands for zero: the quantiser has put the ReLU that followed into their range. */
const endsAtZero = ({ facts }: View, { op, inputs }: ReadNode): boolean => {
  const place = /^QLinear(Conv|MatMul)$/.test(op) ? 7 : op === 'QGemm' ? 8 : null;
  const zero = place === null ? undefined : facts.get(inputs[place] ?? '');
  const least = zero?.type === 'int8' ? -128 : 0;
  return zero?.values?.[0] !== undefined && Number(zero.values[0]) === least;
};

/** Activation that onnxruntime, or a quantiser, fused into the operation itself. */
export const hasFusedActivation = (view: View, node: ReadNode): boolean =>
  (textAttribute(node, 'activation') ?? '') !== '' || endsAtZero(view, node);

/** Inputs that depend on the image, each once. */
export const imageInputsOf = ({ dependent }: View, { inputs, captured }: ReadNode): string[] => [
  ...new Set([...inputs, ...captured].filter((name) => dependent.has(name))),
];

/** A convolution or product, whatever its factors are. */
export const isProduct = (node: ReadNode): boolean => isPlain(node) && WITH_WEIGHTS.has(node.op);

/** The two factors of a product; quantised ones have each a scale and a zero point behind them. */
const factorsOf = ({ op, inputs }: ReadNode): readonly string[] =>
  /^(QLinear|QGemm)/.test(op) ? [inputs[0] ?? '', inputs[3] ?? ''] : inputs.slice(0, 2);

/** A product with weights: exactly one of the factors depends on the image. */
export const isWeighted = (view: View, node: ReadNode): boolean =>
  isPlain(node) &&
  WITH_WEIGHTS.has(node.op) &&
  factorsOf(node).filter((name) => view.dependent.has(name)).length === 1;

/** A product of two tensors that both depend on the image: attention. */
export const isContraction = (view: View, node: ReadNode): boolean =>
  isPlain(node) &&
  (ATTENTION.has(node.op) ||
    (WITH_WEIGHTS.has(node.op) &&
      factorsOf(node).filter((name) => view.dependent.has(name)).length === 2));
