import { type Rules, unary } from './rule.ts';
import { sign, times } from './terms.ts';

/** Elementwise nonlinearities. Where one has a kink, its slope there is PyTorch's. */
export const activations: Rules = {
  // The slope at 0 is 0.
  Relu: unary((cotangent, _, y, sketch) => times(sketch, cotangent, sign(sketch, y))),
};
