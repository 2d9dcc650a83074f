import type { Sketch } from '../sketch/sketch.ts';
import { shapeOf } from '../sketch/terms.ts';
import type { Lowerings } from './lowering.ts';
import { flat, type Rules } from './rule.ts';

/** `x` as if it were a constant: nothing that is differentiated flows back through it. */
export const detached = (sketch: Sketch, x: string): string =>
  sketch.apply('ventral.Detach', [x], { shape: { ints: shapeOf(sketch, x) } });

export const detach: Rules = { 'ventral.Detach': flat };

export const loweredDetach: Lowerings = { 'ventral.Detach': ({ inputs }) => [inputs[0]!] };
