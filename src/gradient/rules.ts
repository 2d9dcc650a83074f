import { activationFunctions } from './activations.ts';
import { arithmetic } from './arithmetic.ts';
import { batchNorms } from './batch-norm.ts';
import { convolutions } from './convolution.ts';
import { detach } from './detach.ts';
import { einsums } from './einsum.ts';
import { functions } from './functions.ts';
import { gathers } from './gathers.ts';
import { joins } from './joins.ts';
import { norms } from './norms.ts';
import { paddings } from './padding.ts';
import { pools } from './pooling.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';
import { resamplings } from './resampling.ts';
import type { Rules } from './rule.ts';
import { shapes } from './shapes.ts';
import { softmaxes } from './softmax.ts';
import { standardise } from './standardise.ts';
import { steps } from './steps.ts';

/** The table: every operation that can be differentiated. One line per family. */
export const RULES: Rules = {
  ...activationFunctions,
  ...arithmetic,
  ...einsums,
  ...functions,
  ...gathers,
  ...joins,
  ...norms,
  ...batchNorms,
  ...convolutions,
  ...detach,
  ...paddings,
  ...pools,
  ...resamplings,
  ...products,
  ...reductions,
  ...shapes,
  ...softmaxes,
  ...standardise,
  ...steps,
};
