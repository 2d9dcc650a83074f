import { each, flat, type Rules } from './rule.ts';

/** Functions that are constant but for jumps, and what tells positions, sizes and truths: no gradient flows through them. */
export const steps: Rules = each(
  'Sign Floor Ceil Round Mod OneHot Shape Size ConstantOfShape ArgMax ArgMin NonZero EyeLike ' +
    'Equal Greater GreaterOrEqual Less LessOrEqual Not And Or Xor IsNaN IsInf ' +
    'RandomNormalLike RandomUniformLike Bernoulli',
  flat,
);
