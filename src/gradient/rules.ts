import { activations } from './activations.ts';
import { arithmetic } from './arithmetic.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';
import type { Rules } from './rule.ts';
import { steps } from './steps.ts';

/** The table: every operation that can be differentiated. One line per family. */
export const RULES: Rules = {
  ...arithmetic,
  ...activations,
  ...products,
  ...reductions,
  ...steps,
};
