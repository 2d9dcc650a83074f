import { codeOf } from '../graph/schema.ts';
import type { Rule, Rules } from './rule.ts';
import { unary } from './rule.ts';
import type { Sketch } from './sketch.ts';
import {
  negative,
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
} from './terms.ts';

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

/** 1 where a condition holds, 0 elsewhere, in the type of `like`. */
export const indicator = (sketch: Sketch, condition: string, like: string): string =>
  sketch.apply('Cast', [condition], { to: { int: codeOf(sketch.fact(like).type) } });

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
  const none = sketch.scalar(0, cotangent);
  return [
    null,
    wanted[1]
      ? summedTo(sketch, where(sketch, condition, cotangent, none), shapeOf(sketch, a))
      : null,
    wanted[2]
      ? summedTo(sketch, where(sketch, condition, none, cotangent), shapeOf(sketch, b))
      : null,
  ];
};

/** d x^p / dx for a fixed number p. */
const powerSlope = (sketch: Sketch, x: string, y: string, p: number): string => {
  if (p === 2) return scaled(sketch, 2, x);
  if (p === 3) return scaled(sketch, 3, squared(sketch, x));
  if (p === 0.5) return over(sketch, sketch.scalar(0.5, x), y);
  return scaled(sketch, p, sketch.apply('Pow', [x, sketch.scalar(p - 1, x)]));
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
  const slope = (): string | null => {
    if (fixed?.data.length === 1) {
      const number = Number(fixed.data[0]);
      return number === 0 ? null : powerSlope(sketch, x, y, number);
    }
    const general = times(sketch, p, sketch.apply('Pow', [x, shifted(sketch, p, -1)]));
    return where(sketch, isZero(p), none, general);
  };
  const logarithm = (): string => sketch.apply('Log', [where(sketch, isZero(x), one, x)]);
  const towards = (factor: string | null, input: string): string | null =>
    factor === null
      ? null
      : summedTo(sketch, times(sketch, cotangent, factor), shapeOf(sketch, input));
  return [
    wanted[0] ? towards(slope(), x) : null,
    wanted[1] ? towards(times(sketch, y, logarithm()), given) : null,
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
