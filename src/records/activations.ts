import type { FloatNd } from './array.ts';
import type { CheckStop } from './ports.ts';

/**
 * One layer's activations for a regression: `rows × columns`, given in blocks `[rows, b]` in column order; float32, or
 * float64 where they were given so, since float32 would round away what varies beside an offset.
 * The consumer owns what is yielded. One block: yielded once, and kept by the consumer. Several blocks (a layer too
 * wide to hold): `blocks()` may be called again, and runs the network again.
 */
export interface FeatureSource {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly blockCount: number;
  /** What a reader of the layer's score should know of its activations. */
  readonly warnings?: readonly string[];
  blocks(): AsyncGenerator<FloatNd>;
}

/** Layers whose activations are gathered in one go; `slices` > 1: one layer, in feature slices over several goes. */
export interface FeaturePass {
  readonly layers: readonly LayerSize[];
  readonly slices: number;
}

export interface LayerSize {
  readonly name: string;
  /** Features per row. */
  readonly features: number;
  /** What identifies the layer within its model or file, for the cache. */
  readonly tensor: string;
  /** Where it stands in the whole network or file, whichever layers were asked for. */
  readonly place?: LayerPlace;
}

/** `index` among `of` layers in order, from 0; of a tensor that is no layer, between those around it. */
export interface LayerPlace {
  readonly index: number;
  readonly of: number;
}

/** Inputs done so far, and the check for an interrupt. */
export interface RunHooks {
  readonly progress: (task: string, done: number, total: number, unit: string) => void;
  readonly checkStop: CheckStop;
}

/** Where activations come from: a network that is run, or a file. */
export interface Features {
  readonly layers: readonly LayerSize[];
  readonly passes: readonly FeaturePass[];
  /** Seconds that gathering all passes takes, as estimated from one small run. */
  readonly seconds: number;
  /** Bytes that the model and one batch of its activations take; 0 for a file. */
  readonly modelBytes: number;
  /** Everything that the activations of a layer depend on, as plain data for the cache's key. */
  readonly identity: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  /** Sources of those layers of a pass that `wanted` keeps, in order. */
  gather(
    pass: FeaturePass,
    wanted: (layer: LayerSize) => boolean,
    hooks: RunHooks,
  ): Promise<FeatureSource[]>;
}
