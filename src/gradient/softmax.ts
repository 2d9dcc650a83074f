import { intAttribute } from '../graph/attributes.ts';
import { axesFrom, minus, shapeOf, summed, times } from '../sketch/terms.ts';
import { type Rules, unary } from './rule.ts';

/** Normalised exponentials along one axis. */
export const softmaxes: Rules = {
  // dx = y (dy − Σ dy · y).
  Softmax: unary((cotangent, x, y, sketch, node) => {
    const axes = axesFrom([intAttribute(node, 'axis', -1)], shapeOf(sketch, x).length);
    const along = summed(sketch, times(sketch, cotangent, y), axes);
    return times(sketch, y, minus(sketch, cotangent, along));
  }),
  // dx = dy − exp(y) Σ dy.
  LogSoftmax: unary((cotangent, x, y, sketch, node) => {
    const axes = axesFrom([intAttribute(node, 'axis', -1)], shapeOf(sketch, x).length);
    const along = summed(sketch, cotangent, axes);
    return minus(sketch, cotangent, times(sketch, sketch.apply('Exp', [y]), along));
  }),
};
