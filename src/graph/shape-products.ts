import { intAttribute } from './attributes.ts';
import type { Operation } from './operation.ts';
import { type Inputs, ruleFor, type ShapeRule, type ShapeRules } from './shape-rule.ts';
import { convShape, globalPoolShape, poolShape } from './shape-windows.ts';
import { broadcast, type Sizes } from './sizes.ts';

// Shapes of products, and of what quantised networks compute in place of floats.

/** The last two axes the other way round where an attribute says so (onnxruntime's FusedMatMul). */
const factor = (
  node: Operation,
  inputs: Inputs,
  index: number,
  attribute: string,
): Sizes | null => {
  const shape = inputs[index]?.shape ?? null;
  if (shape === null || shape.length < 2 || !intAttribute(node, attribute, 0)) return shape;
  return [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];
};

const matMul: ShapeRule = (node, inputs) => {
  const [a, b] = [factor(node, inputs, 0, 'transA'), factor(node, inputs, 1, 'transB')];
  if (a === null || b === null || a.length === 0 || b.length === 0) return [null];
  const rows = a.length > 1 ? [a.at(-2)!] : [];
  const columns = b.length > 1 ? [b.at(-1)!] : [];
  return [[...broadcast(a.slice(0, -2), b.slice(0, -2)), ...rows, ...columns]];
};

const gemm: ShapeRule = (node, inputs) => {
  const [a, b] = [factor(node, inputs, 0, 'transA'), factor(node, inputs, 1, 'transB')];
  return [[a?.[0] ?? null, b?.[1] ?? null]];
};

/** The rule of the operation on floats, on the inputs that are not scales and zero points. */
const quantised =
  (rule: ShapeRule, ...places: readonly number[]): ShapeRule =>
  (node, inputs, opset) =>
    rule(
      node,
      places.flatMap((place) => inputs[place] ?? []),
      opset,
    );

const same: ShapeRule = (_, inputs) => [inputs[0]?.shape ?? null];

const broadcastTwo: ShapeRule = (_, inputs) => {
  const [a, b] = [inputs[0]?.shape ?? null, inputs[1]?.shape ?? null];
  return [a === null || b === null ? null : broadcast(a, b)];
};

export const productShapes: ShapeRules = {
  ...ruleFor('MatMul FusedMatMul MatMulInteger MatMulIntegerToFloat DynamicQuantizeMatMul', matMul),
  ...ruleFor('Gemm FusedGemm', gemm),
  ConvInteger: convShape,
  QLinearConv: quantised(convShape, 0, 3),
  QLinearMatMul: quantised(matMul, 0, 3),
  QGemm: quantised(gemm, 0, 3),
  ...ruleFor('QLinearAdd QLinearMul', quantised(broadcastTwo, 0, 3)),
  ...ruleFor('QLinearSigmoid QLinearLeakyRelu QLinearSoftmax', same),
  QLinearAveragePool: poolShape,
  QLinearGlobalAveragePool: globalPoolShape,
  DynamicQuantizeLinear: (_, inputs) => [inputs[0]?.shape ?? null, [], []],
};
