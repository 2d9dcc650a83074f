import type { Interval } from './interval.ts';
import type { TimeBin } from './recording.ts';

/** One candidate network against one simulated area. */
export interface DemoScore {
  readonly network: string;
  /** Best layer. */
  readonly layer: string;
  readonly value: number;
  readonly raw: number;
  readonly interval: Interval | null;
  /** Value / attainable: the share of what is to be had that was found. */
  readonly recovery: number;
}

/** One simulated area: what is known of it, and what the candidates made of it. */
export interface DemoArea {
  readonly area: string;
  readonly sites: number;
  readonly images: number;
  readonly rows: number;
  readonly columns: number;
  readonly trials: number;
  readonly timeBin: TimeBin;
  /** From the true rates, in closed form; and as estimated from split halves of the trials. */
  readonly ceiling: { readonly known: number; readonly estimated: number };
  /** Score of a network that knows all that the patches tell of the rates. */
  readonly attainable: number;
  readonly scores: readonly DemoScore[];
  /** The best candidate's best layer again, with the maps of all sites exchanged between images. */
  readonly shuffled: Omit<DemoScore, 'recovery'>;
  /** Whether the interval of the highest score lies above those of all others. */
  readonly apart: boolean;
}

/** What `ventral demo` found. */
export interface Demo {
  readonly kind: 'demo';
  readonly format: 2;
  readonly seed: number;
  /** Where recordings and models were written. */
  readonly folder: string;
  /** What is simulated, in plain words. */
  readonly statement: readonly string[];
  readonly areas: readonly DemoArea[];
}
