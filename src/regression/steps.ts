import type { CheckStop, Watch } from '../records/ports.ts';
import type { PlsSettings } from '../records/protocol.ts';
import type { Products } from './products.ts';

/** Steps of a regression that are announced and done one by one, as progress of one whole. */
export interface Steps {
  /** One more step is done. */
  readonly step: () => void;
  /** Announces steps to come. */
  readonly expect: (steps: number) => void;
  readonly checkStop: CheckStop;
}

/** What iterations of partial least squares work with. */
export interface PlsRun {
  readonly products: Products;
  readonly settings: PlsSettings;
  readonly steps: Steps;
}

/** The steps of a regression on a layer, as progress that is reported. */
export const stepsOf = ({ progress, checkStop }: Watch, layer: string): Steps => {
  const task = `regression on ${layer}`;
  let done = 0;
  let total = 0;
  return {
    step: () => progress({ task, done: ++done, total, unit: 'steps' }),
    expect: (steps) => {
      total += steps;
    },
    checkStop,
  };
};
