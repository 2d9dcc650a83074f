import type { Sketch } from '../sketch/sketch.ts';
import { minus, negative, over, scaled, shifted, squared, times } from '../sketch/terms.ts';
import { type Rules, unary } from './rule.ts';

/** A function whose derivative is written in its argument x and its value y. */
const derivative = (of: (sketch: Sketch, x: string, y: string) => string) =>
  unary((cotangent, x, y, sketch) => times(sketch, cotangent, of(sketch, x, y)));

/** A function whose derivative is the reciprocal of what is written. */
const inverseDerivative = (of: (sketch: Sketch, x: string, y: string) => string) =>
  unary((cotangent, x, y, sketch) => over(sketch, cotangent, of(sketch, x, y)));

const oneMinus = (sketch: Sketch, x: string): string => minus(sketch, sketch.scalar(1, x), x);
const oneMinusSquare = (sketch: Sketch, x: string): string => oneMinus(sketch, squared(sketch, x));
const onePlusSquare = (sketch: Sketch, x: string): string => shifted(sketch, squared(sketch, x), 1);
const root = (sketch: Sketch, x: string): string => sketch.apply('Sqrt', [x]);

/** Smooth functions of one number. */
export const functions: Rules = {
  Exp: derivative((_s, _x, y) => y),
  Log: inverseDerivative((_, x) => x),
  // d erf(x)/dx = 2/√π · exp(−x²).
  Erf: derivative((s, x) =>
    scaled(s, 2 / Math.sqrt(Math.PI), s.apply('Exp', [negative(s, squared(s, x))])),
  ),
  Sigmoid: derivative((s, _, y) => minus(s, y, squared(s, y))),
  Tanh: derivative((s, _, y) => oneMinusSquare(s, y)),
  Softplus: derivative((s, x) => s.apply('Sigmoid', [x])),
  // 1 − |y| = 1 / (1 + |x|).
  Softsign: derivative((s, _, y) => squared(s, oneMinus(s, s.apply('Abs', [y])))),
  Sin: derivative((s, x) => s.apply('Cos', [x])),
  Cos: derivative((s, x) => negative(s, s.apply('Sin', [x]))),
  Tan: derivative((s, _, y) => onePlusSquare(s, y)),
  Asin: inverseDerivative((s, x) => root(s, oneMinusSquare(s, x))),
  Acos: inverseDerivative((s, x) => negative(s, root(s, oneMinusSquare(s, x)))),
  Atan: inverseDerivative((s, x) => onePlusSquare(s, x)),
  Sinh: derivative((s, x) => s.apply('Cosh', [x])),
  Cosh: derivative((s, x) => s.apply('Sinh', [x])),
  Asinh: inverseDerivative((s, x) => root(s, onePlusSquare(s, x))),
  Acosh: inverseDerivative((s, x) => root(s, shifted(s, squared(s, x), -1))),
  Atanh: inverseDerivative((s, x) => oneMinusSquare(s, x)),
};
