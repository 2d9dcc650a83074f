import { codeOf } from '../graph/schema.ts';
import type { Sketch } from '../sketch/sketch.ts';
import {
  indicator,
  negative,
  onlyWhere,
  over,
  plus,
  scaled,
  shapeOf,
  shifted,
  sign,
  squared,
  summedTo,
  times,
  where,
} from '../sketch/terms.ts';
import type { Rule, Rules } from './rule.ts';
import { unary } from './rule.ts';

/** What flows to each input before the sum over the axes along which it was repeated. */
const repeating =
  (
    flowing: (
      cotangent: string,
      inputs: readonly string[],
      index: number,
      sketch: Sketch,
      y: string,
    ) => string,
  ): Rule =>
  (node, [cotangent], wanted, sketch) =>
    node.inputs.map((input, index) =>
      wanted[index] && cotangent != null
        ? summedTo(
            sketch,
            flowing(cotangent, node.inputs, index, sketch, node.outputs[0]!),
            shapeOf(sketch, input),
          )
        : null,
    );

/** y = a / b: da = dy / b, db = −dy · y / b. */
const divide = repeating((cotangent, [, b = ''], index, sketch, y) => {
  const ofA = over(sketch, cotangent, b);
  return index === 0 ? ofA : negative(sketch, times(sketch, ofA, y));
});

/** Equal largest (smallest) operands share the cotangent, as in PyTorch's `maximum`. */
const extreme = repeating((cotangent, inputs, index, sketch, y) => {
  if (inputs.length === 1) return cotangent;
  const chosen = inputs.map((input) => indicator(sketch, sketch.apply('Equal', [input, y]), y));
  const count = chosen.reduce((a, b) => plus(sketch, a, b));
  return over(sketch, times(sketch, cotangent, chosen[index]!), count);
});

const choose: Rule = (node, [cotangent], wanted, sketch) => {
  const [condition = '', a = '', b = ''] = node.inputs;
  if (cotangent == null) return [null, null, null];
  return [
    null,
    wanted[1]
      ? summedTo(sketch, onlyWhere(sketch, condition, cotangent), shapeOf(sketch, a))
      : null,
    wanted[2]
      ? summedTo(
          sketch,
          onlyWhere(sketch, sketch.apply('Not', [condition]), cotangent),
          shapeOf(sketch, b),
        )
      : null,
  ];
};

/** dy · p · x^(p−1) for a fixed number p, null where p is 0. */
const fixedPower = (
  sketch: Sketch,
  [cotangent, x, y]: readonly [string, string, string],
  p: number,
): string | null => {
  if (p === 0) return null;
  const flowing = scaled(sketch, p, cotangent);
  if (p === 2) return times(sketch, flowing, x);
  if (p === 0.5) return over(sketch, flowing, y);
  const rest = p === 3 ? squared(sketch, x) : sketch.apply('Pow', [x, sketch.scalar(p - 1, x)]);
  return times(sketch, flowing, rest);
};

/** y = x^p: dx = dy · p · x^(p−1), and 0 where p is 0; dp = dy · y · ln x, and 0 where x is 0. */
const power: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null];
  const [x = '', given = ''] = node.inputs;
  const [y = ''] = node.outputs;
  const fixed = wanted[1] ? null : sketch.value(given);
  const p = sketch.apply('Cast', [given], { to: { int: codeOf(sketch.fact(x).type) } });
  const [none, one] = [sketch.scalar(0, x), sketch.scalar(1, x)];
  const isZero = (tensor: string): string => sketch.apply('Equal', [tensor, none]);
  const towardsBase = (): string | null => {
    if (fixed?.data.length === 1) {
      return fixedPower(sketch, [cotangent, x, y], Number(fixed.data[0]));
    }
    const slope = times(sketch, p, sketch.apply('Pow', [x, shifted(sketch, p, -1)]));
    return times(sketch, cotangent, where(sketch, isZero(p), none, slope));
  };
  const logarithm = (): string => sketch.apply('Log', [where(sketch, isZero(x), one, x)]);
  const ofBase = wanted[0] ? towardsBase() : null;
  return [
    ofBase === null ? null : summedTo(sketch, ofBase, shapeOf(sketch, x)),
    wanted[1]
      ? summedTo(
          sketch,
          times(sketch, cotangent, times(sketch, y, logarithm())),
          shapeOf(sketch, given),
        )
      : null,
  ];
};

/** Arithmetic of tensors of which the smaller are repeated. */
export const arithmetic: Rules = {
  Add: repeating((cotangent) => cotangent),
  Sum: repeating((cotangent) => cotangent),
  Sub: repeating((cotangent, _, index, sketch) =>
    index === 0 ? cotangent : negative(sketch, cotangent),
  ),
  Mul: repeating((cotangent, inputs, index, sketch) =>
    times(sketch, cotangent, inputs[1 - index]!),
  ),
  Div: divide,
  Mean: repeating((cotangent, inputs, _, sketch) => scaled(sketch, 1 / inputs.length, cotangent)),
  Max: extreme,
  Min: extreme,
  Pow: power,
  Where: choose,
  Neg: unary((cotangent, _x, _y, sketch) => negative(sketch, cotangent)),
  Abs: unary((cotangent, x, _y, sketch) => times(sketch, cotangent, sign(sketch, x))),
  Reciprocal: unary((cotangent, _x, y, sketch) =>
    negative(sketch, times(sketch, cotangent, squared(sketch, y))),
  ),
  Sqrt: unary((cotangent, _x, y, sketch) => over(sketch, scaled(sketch, 0.5, cotangent), y)),
};
