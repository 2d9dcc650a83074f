import type { CheckStop } from '../records/ports.ts';
import type { StepHooks } from './gram.ts';

export interface RegressionHooks {
  readonly progress: (done: number, total: number) => void;
  readonly checkStop: CheckStop;
}

/** Steps that are announced and done one by one, as progress of one whole. */
export const stepsOf = ({ progress, checkStop }: RegressionHooks): StepHooks => {
  let done = 0;
  let total = 0;
  return {
    step: () => progress(++done, total),
    expect: (steps) => {
      total += steps;
    },
    checkStop,
  };
};
