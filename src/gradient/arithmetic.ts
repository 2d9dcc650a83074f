import type { Rule, Rules } from './rule.ts';
import { shapeOf, summedTo, times } from './terms.ts';

/** d(a + b) = da + db. */
const add: Rule = (node, [cotangent], wanted, sketch) =>
  node.inputs.map((input, index) =>
    wanted[index] && cotangent != null ? summedTo(sketch, cotangent, shapeOf(sketch, input)) : null,
  );

/** d(a · b) = b · da + a · db. */
const multiply: Rule = (node, [cotangent], wanted, sketch) =>
  node.inputs.map((input, index) =>
    wanted[index] && cotangent != null
      ? summedTo(sketch, times(sketch, cotangent, node.inputs[1 - index]!), shapeOf(sketch, input))
      : null,
  );

/** Arithmetic of two tensors of which the smaller is repeated. */
export const arithmetic: Rules = {
  Add: add,
  Mul: multiply,
};
