import { intAttribute, intsAttribute, textAttribute } from '../graph/attributes.ts';
import { codeOf } from '../graph/schema.ts';
import { inputError } from '../records/errors.ts';
import { reshaped, shapeOf, summed, summedTo, transposed } from '../sketch/terms.ts';
import { described, integersOf } from './constants.ts';
import { each, type Rule, type Rules, unary } from './rule.ts';

/** The elements stay in their order: back to the shape that was there. */
const sameOrder = unary((cotangent, x, _, sketch) =>
  reshaped(sketch, cotangent, shapeOf(sketch, x)),
);

const transpose = unary((cotangent, x, _, sketch, node) => {
  const rank = shapeOf(sketch, x).length;
  const perm =
    intsAttribute(node, 'perm') ?? Array.from({ length: rank }, (_each, axis) => rank - 1 - axis);
  return transposed(
    sketch,
    cotangent,
    perm.map((_each, axis) => perm.indexOf(axis)),
  );
});

const tile = unary((cotangent, x, _, sketch, node) => {
  const shape = shapeOf(sketch, x);
  const repeats = integersOf(node, 1, sketch);
  const split = reshaped(
    sketch,
    cotangent,
    shape.flatMap((size, axis) => [repeats[axis]!, size]),
  );
  const copies = shape.map((_size, axis) => 2 * axis);
  return reshaped(sketch, summed(sketch, split, copies), shape);
});

const cast = unary((cotangent, x, _, sketch) =>
  sketch.apply('Cast', [cotangent], { to: { int: codeOf(sketch.fact(x).type) } }),
);

/** As in evaluation, where it does nothing. */
const dropout: Rule = (node, [cotangent], wanted, sketch) => {
  const mode = node.inputs[2] ? sketch.value(node.inputs[2]) : null;
  if (node.inputs[2] && (mode === null || Number(mode.data[0]) !== 0)) {
    throw inputError({
      where: described(node),
      expected: 'dropout in evaluation mode',
      got: 'dropout that is drawn at each run',
      mend: 'export the model in evaluation mode',
    });
  }
  return node.inputs.map((_, index) => (index === 0 && wanted[0] ? (cotangent ?? null) : null));
};

const depthToSpace = unary((cotangent, x, _, sketch, node) => {
  const size = intAttribute(node, 'blocksize', 1);
  const isColumnFirst = textAttribute(node, 'mode') === 'CRD';
  if (!isColumnFirst)
    return sketch.apply('SpaceToDepth', [cotangent], { blocksize: { int: size } });
  const shape = shapeOf(sketch, x);
  const [batch, channels, height, width] = shape;
  const blocks = [batch!, channels! / size ** 2, height!, size, width!, size];
  const apart = transposed(sketch, reshaped(sketch, cotangent, blocks), [0, 1, 3, 5, 2, 4]);
  return reshaped(sketch, apart, shape);
});

const spaceToDepth = unary((cotangent, _x, _y, sketch, node) =>
  sketch.apply('DepthToSpace', [cotangent], {
    blocksize: { int: intAttribute(node, 'blocksize', 1) },
  }),
);

/** Running sums: the same from the other end. */
const cumulative = unary((cotangent, _x, _y, sketch, node) =>
  sketch.apply('CumSum', [cotangent, node.inputs[1]!], {
    exclusive: { int: intAttribute(node, 'exclusive', 0) },
    reverse: { int: 1 - intAttribute(node, 'reverse', 0) },
  }),
);

const triangle = unary((cotangent, _x, _y, sketch, node) =>
  sketch.apply('Trilu', [cotangent, ...node.inputs.slice(1)], {
    upper: { int: intAttribute(node, 'upper', 1) },
  }),
);

/** Operations that move or repeat elements, all of them. */
export const shapes: Rules = {
  ...each('Reshape Flatten Squeeze Unsqueeze', sameOrder),
  Identity: unary((cotangent) => cotangent),
  Transpose: transpose,
  Expand: unary((cotangent, x, _, sketch) => summedTo(sketch, cotangent, shapeOf(sketch, x))),
  Tile: tile,
  Cast: cast,
  CastLike: cast,
  Dropout: dropout,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  CumSum: cumulative,
  Trilu: triangle,
};
