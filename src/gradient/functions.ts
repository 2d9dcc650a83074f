import type { Sketch } from '../sketch/sketch.ts';
import { minus, negative, over, scaled, shifted, squared, times } from '../sketch/terms.ts';
import { type Rules, unary } from './rule.ts';

/** A function whose slope is written in its argument x and its value y. */
const slope = (of: (sketch: Sketch, x: string, y: string) => string) =>
  unary((cotangent, x, y, sketch) => times(sketch, cotangent, of(sketch, x, y)));

/** The same where the slope is the reciprocal of something. */
const inverseSlope = (of: (sketch: Sketch, x: string, y: string) => string) =>
  unary((cotangent, x, y, sketch) => over(sketch, cotangent, of(sketch, x, y)));

const oneMinus = (sketch: Sketch, x: string): string => minus(sketch, sketch.scalar(1, x), x);
const oneMinusSquare = (sketch: Sketch, x: string): string => oneMinus(sketch, squared(sketch, x));
const onePlusSquare = (sketch: Sketch, x: string): string => shifted(sketch, squared(sketch, x), 1);
const root = (sketch: Sketch, x: string): string => sketch.apply('Sqrt', [x]);

/** Smooth functions of one number. */
export const functions: Rules = {
  Exp: slope((_s, _x, y) => y),
  Log: inverseSlope((_, x) => x),
  // d erf(x)/dx = 2/√π · exp(−x²).
  Erf: slope((s, x) =>
    scaled(s, 2 / Math.sqrt(Math.PI), s.apply('Exp', [negative(s, squared(s, x))])),
  ),
  Sigmoid: slope((s, _, y) => minus(s, y, squared(s, y))),
  Tanh: slope((s, _, y) => oneMinusSquare(s, y)),
  Softplus: slope((s, x) => s.apply('Sigmoid', [x])),
  // 1 − |y| = 1 / (1 + |x|).
  Softsign: slope((s, _, y) => squared(s, oneMinus(s, s.apply('Abs', [y])))),
  Sin: slope((s, x) => s.apply('Cos', [x])),
  Cos: slope((s, x) => negative(s, s.apply('Sin', [x]))),
  Tan: slope((s, _, y) => onePlusSquare(s, y)),
  Asin: inverseSlope((s, x) => root(s, oneMinusSquare(s, x))),
  Acos: inverseSlope((s, x) => negative(s, root(s, oneMinusSquare(s, x)))),
  Atan: inverseSlope((s, x) => onePlusSquare(s, x)),
  Sinh: slope((s, x) => s.apply('Cosh', [x])),
  Cosh: slope((s, x) => s.apply('Sinh', [x])),
  Asinh: inverseSlope((s, x) => root(s, onePlusSquare(s, x))),
  Acosh: inverseSlope((s, x) => root(s, shifted(s, squared(s, x), -1))),
  Atanh: inverseSlope((s, x) => oneMinusSquare(s, x)),
};
