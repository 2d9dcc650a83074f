import { floatAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/graph.ts';
import type { Sketch } from '../sketch/sketch.ts';
import {
  minus,
  onlyWhere,
  plus,
  scaled,
  shapeOf,
  shifted,
  squared,
  summedTo,
  times,
  where,
} from '../sketch/terms.ts';
import { type Rule, type Rules, unary } from './rule.ts';

/** ONNX's constants of Selu (Klambauer et al. 2017). */
const SELU = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

const compared = (sketch: Sketch, op: string, x: string, bound: number): string =>
  sketch.apply(op, [x, sketch.scalar(bound, x)]);

/** A slope above 0, and below it what `below` says. */
const kinked = (
  above: (node: OnnxNode) => number,
  below: (s: Sketch, x: string, y: string, node: OnnxNode) => string,
) =>
  unary((cotangent, x, y, sketch, node) => {
    const positive = compared(sketch, 'Greater', x, 0);
    const slope = where(sketch, positive, sketch.scalar(above(node), x), below(sketch, x, y, node));
    return times(sketch, cotangent, slope);
  });

const alphaOf = (node: OnnxNode, fallback: number): number =>
  floatAttribute(node, 'alpha') ?? fallback;
const gammaOf = (node: OnnxNode): number => floatAttribute(node, 'gamma') ?? SELU.gamma;

/** x with a slope of its own for each channel below 0. */
const parametricRelu: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return [null, null];
  const [x = '', slope = ''] = node.inputs;
  const positive = compared(sketch, 'Greater', x, 0);
  const negativePart = sketch.apply('Min', [x, sketch.scalar(0, x)]);
  const factor = where(sketch, positive, sketch.scalar(1, x), slope);
  return [
    wanted[0] ? times(sketch, cotangent, factor) : null,
    wanted[1]
      ? summedTo(sketch, times(sketch, cotangent, negativePart), shapeOf(sketch, slope))
      : null,
  ];
};

/** The slope is 1 where the value was let through, bounds included, as in PyTorch's `clamp`. */
const clip: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return node.inputs.map(() => null);
  const [x = '', lower = '', upper = ''] = node.inputs;
  const through = (op: string, bound: string): string =>
    summedTo(
      sketch,
      onlyWhere(sketch, sketch.apply(op, [x, bound]), cotangent),
      shapeOf(sketch, bound),
    );
  const same = sketch.apply('Equal', [x, node.outputs[0]!]);
  return [
    wanted[0] ? onlyWhere(sketch, same, cotangent) : null,
    wanted[1] ? through('Less', lower) : null,
    wanted[2] ? through('Greater', upper) : null,
  ];
};

/** y = max(0, min(1, α x + β)). */
const hardSigmoid = unary((cotangent, _, y, sketch, node) => {
  const inside = sketch.apply('And', [
    compared(sketch, 'Greater', y, 0),
    compared(sketch, 'Less', y, 1),
  ]);
  return onlyWhere(sketch, inside, scaled(sketch, alphaOf(node, 0.2), cotangent));
});

/** y = x · gate with gate = max(0, min(1, x/6 + 1/2)); between −3 and 3, bounds included, the gate has slope 1/6. */
const hardSwish = unary((cotangent, x, _, sketch) => {
  const gate = sketch.apply('HardSigmoid', [x], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
  const sloping = compared(sketch, 'LessOrEqual', sketch.apply('Abs', [x]), 3);
  const extra = onlyWhere(sketch, sloping, scaled(sketch, 1 / 6, x));
  return times(sketch, cotangent, plus(sketch, gate, extra));
});

/** y = x · tanh(softplus(x)) (Misra 2019). */
const mish = unary((cotangent, x, _, sketch) => {
  const gate = sketch.apply('Tanh', [sketch.apply('Softplus', [x])]);
  const slope = times(
    sketch,
    minus(sketch, sketch.scalar(1, x), squared(sketch, gate)),
    sketch.apply('Sigmoid', [x]),
  );
  return times(sketch, cotangent, plus(sketch, gate, times(sketch, x, slope)));
});

/** x where it exceeds α, 0 elsewhere. */
const thresholdedRelu = unary((cotangent, x, _, sketch, node) =>
  onlyWhere(sketch, compared(sketch, 'Greater', x, alphaOf(node, 1)), cotangent),
);

/** Elementwise nonlinearities. Where one has a kink, its slope there is PyTorch's. */
export const activationFunctions: Rules = {
  Relu: unary((cotangent, _, y, sketch) =>
    onlyWhere(sketch, compared(sketch, 'Greater', y, 0), cotangent),
  ),
  LeakyRelu: kinked(
    () => 1,
    (sketch, x, _, node) => sketch.scalar(alphaOf(node, 0.01), x),
  ),
  PRelu: parametricRelu,
  // y = α (exp(x) − 1) below 0, so that its slope is y + α.
  Elu: kinked(
    () => 1,
    (sketch, _, y, node) => shifted(sketch, y, alphaOf(node, 1)),
  ),
  Selu: kinked(gammaOf, (sketch, _, y, node) =>
    shifted(sketch, y, gammaOf(node) * alphaOf(node, SELU.alpha)),
  ),
  // y = α (exp(x/α) − 1) below 0.
  Celu: kinked(
    () => 1,
    (sketch, _, y, node) => shifted(sketch, scaled(sketch, 1 / alphaOf(node, 1), y), 1),
  ),
  Clip: clip,
  HardSigmoid: hardSigmoid,
  HardSwish: hardSwish,
  Mish: mish,
  ThresholdedRelu: thresholdedRelu,
};
