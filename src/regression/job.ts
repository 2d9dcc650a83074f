import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Engine, Watch } from '../records/ports.ts';
import type { RegressionSettings } from '../records/protocol.ts';

/** One layer, what is predicted from it, and how. */
export interface RegressionJob<Settings extends RegressionSettings = RegressionSettings> {
  readonly engine: Engine;
  /** The single block of a source, once yielded, is owned and may be overwritten. */
  readonly source: FeatureSource;
  /** Target sets `[rows, sites]`, all from one Gram matrix. */
  readonly targets: readonly Float64Nd[];
  readonly settings: Settings;
  readonly watch: Watch;
}

/** A job for a table `[rows, sites]` that is given beside it. */
export type ReadoutJob<Settings extends RegressionSettings = RegressionSettings> = Omit<
  RegressionJob<Settings>,
  'targets'
>;
