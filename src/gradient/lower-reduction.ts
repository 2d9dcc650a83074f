import { intAttribute } from '../graph/attributes.ts';
import { axesFrom, shapeOf } from '../sketch/terms.ts';
import type { Lowering, Lowerings } from './lowering.ts';

/** Over batch and space: first over space, along which onnxruntime is several times as fast, then over the rest. */
const overBatchAndSpace =
  (op: string): Lowering =>
  (node, sketch) => {
    const [x = '', axesInput = ''] = node.inputs;
    const value = axesInput === '' ? null : sketch.value(axesInput);
    if (value === null || intAttribute(node, 'keepdims', 1) !== 1) return null;
    const rank = shapeOf(sketch, x).length;
    const axes = axesFrom(Array.from(value.data as Float64Array, Number), rank);
    const isWhole = axes.length === rank - 1 && !axes.includes(1);
    if (rank < 3 || !isWhole) return null;
    const keepdims = { keepdims: { int: 1 } };
    const space = sketch.ints(axes.filter((axis) => axis !== 0));
    return [sketch.apply(op, [sketch.apply(op, [x, space], keepdims), sketch.ints([0])], keepdims)];
  };

/** Cheaper forms of sums. */
export const loweredReductions: Lowerings = {
  ReduceSum: overBatchAndSpace('ReduceSum'),
  ReduceMean: overBatchAndSpace('ReduceMean'),
};
