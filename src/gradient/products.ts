import { floatAttribute, intAttribute } from '../graph/attributes.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { reshaped, scaled, shapeOf, summedTo, transposed } from '../sketch/terms.ts';
import type { Rule, Rules } from './rule.ts';

const swapped = (sketch: Sketch, x: string): string => {
  const rank = shapeOf(sketch, x).length;
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  return transposed(sketch, x, [...perm.slice(0, -2), rank - 1, rank - 2]);
};

const multiplied = (sketch: Sketch, a: string, b: string): string => sketch.apply('MatMul', [a, b]);

/** A product of matrices, either transposed first. */
const gemm = (
  sketch: Sketch,
  [a, b]: readonly [string, string],
  [transA, transB]: readonly [boolean, boolean],
  alpha = 1,
): string =>
  sketch.apply('Gemm', [a, b], {
    ...(alpha === 1 ? {} : { alpha: { float: alpha } }),
    ...(transA ? { transA: { int: 1 } } : {}),
    ...(transB ? { transB: { int: 1 } } : {}),
  });

/** c = a · b: da = dc · bᵀ, db = aᵀ · dc, summed over the batch axes along which an operand was repeated. */
const matMul: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null];
  const [a = '', b = ''] = node.inputs;
  const [aShape, bShape] = [shapeOf(sketch, a), shapeOf(sketch, b)];
  // A vector stands for a matrix of one row (on the left) or one column (on the right).
  const left = aShape.length === 1 ? reshaped(sketch, a, [1, ...aShape]) : a;
  const right = bShape.length === 1 ? reshaped(sketch, b, [...bShape, 1]) : b;
  const [rows, inner] = shapeOf(sketch, left).slice(-2);
  const columns = shapeOf(sketch, right).at(-1)!;
  const batch = shapeOf(sketch, cotangent).slice(
    0,
    shapeOf(sketch, cotangent).length - Number(aShape.length > 1) - Number(bShape.length > 1),
  );
  const flows = reshaped(sketch, cotangent, [...batch, rows!, columns]);
  const isPlain = bShape.length <= 2;
  const flat = (x: string): string => reshaped(sketch, x, [-1, shapeOf(sketch, x).at(-1)!]);
  const ofLeft = (): string =>
    isPlain
      ? gemm(sketch, [flat(flows), right], [false, true])
      : multiplied(sketch, flows, swapped(sketch, right));
  const ofRight = (): string =>
    isPlain
      ? gemm(sketch, [flat(left), flat(flows)], [true, false])
      : multiplied(sketch, swapped(sketch, left), flows);
  const shaped = (x: string, whole: readonly number[], shape: readonly number[]): string =>
    reshaped(sketch, isPlain ? x : summedTo(sketch, x, whole), shape);
  return [
    wanted[0] ? shaped(ofLeft(), shapeOf(sketch, left), aShape) : null,
    wanted[1] ? shaped(ofRight(), [...bShape.slice(0, -2), inner!, columns], bShape) : null,
  ];
};

/** y = α · a′ b′ + β · c, where a prime may transpose. */
const gemmRule: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return node.inputs.map(() => null);
  const [a = '', b = '', c = ''] = node.inputs;
  const alpha = floatAttribute(node, 'alpha') ?? 1;
  const transA = intAttribute(node, 'transA', 0) === 1;
  const transB = intAttribute(node, 'transB', 0) === 1;
  const ofA = (): string =>
    transA
      ? gemm(sketch, [b, cotangent], [transB, true], alpha)
      : gemm(sketch, [cotangent, b], [false, !transB], alpha);
  const ofB = (): string =>
    transB
      ? gemm(sketch, [cotangent, a], [true, transA], alpha)
      : gemm(sketch, [a, cotangent], [!transA, false], alpha);
  const ofC = (): string =>
    summedTo(
      sketch,
      scaled(sketch, floatAttribute(node, 'beta') ?? 1, cotangent),
      shapeOf(sketch, c),
    );
  return [wanted[0] ? ofA() : null, wanted[1] ? ofB() : null, wanted[2] ? ofC() : null];
};

/** Products of matrices. */
export const products: Rules = {
  MatMul: matMul,
  Gemm: gemmRule,
};
