import type { FeaturePass, FeatureSource, Features, LayerSize } from '../records/activations.ts';
import type { FloatNd } from '../records/array.ts';
import type { Engine, Ports, Watch } from '../records/ports.ts';
import type { EngineCheck } from '../records/provenance.ts';
import { asTask } from '../records/watch.ts';
import {
  activationsOf,
  type Extraction,
  rowsPerInput,
  type SizedLayer,
  slicesOf,
} from './activations.ts';
import { isRounding, levelled, roundingOf } from './spread.ts';
import { checkPasses } from './tap-check.ts';

/** Bytes of a row of a layer's features. */
const rowBytes = ({ features, featureBytes = 4 }: LayerSize): number => features * featureBytes;

/**
 * Packs layers, in order, into passes whose features (4 or 8 bytes each) fit the budget; a layer that alone
 * does not fit is taken in feature slices that do, where `canSlice`.
 */
export const planPasses = (
  layers: readonly LayerSize[],
  rows: number,
  budget: number,
  canSlice: boolean,
): FeaturePass[] => {
  const passes: FeaturePass[] = [];
  let open: LayerSize[] = [];
  let filled = 0;
  const close = (): void => {
    if (open.length > 0) passes.push({ layers: open, slices: 1 });
    open = [];
    filled = 0;
  };
  for (const layer of layers) {
    const bytes = rows * rowBytes(layer);
    if (bytes > budget && canSlice) {
      close();
      const slices = Math.min(layer.features, Math.ceil(bytes / budget));
      passes.push({ layers: [layer], slices });
      continue;
    }
    if (filled + bytes > budget) close();
    open.push(layer);
    filled += bytes;
  }
  close();
  return passes;
};

/** A layer held in memory, given away once so that its memory can be freed with the regression. */
export const heldSource = (
  name: string,
  features: FloatNd,
  warnings: readonly string[] = [],
): FeatureSource => {
  let kept: FloatNd | null = features;
  const [rows, columns] = features.shape as readonly [number, number];
  return {
    name,
    rows,
    columns,
    warnings,
    blockCount: 1,
    async *blocks() {
      const given = kept;
      kept = null;
      if (given === null) throw new Error(`the only block of ${name} was asked for twice`);
      yield given;
    },
  };
};

/** A batch of all taps, in the engine, on its way out and as it arrives. */
const batchBytes = ({ layers, batch, form }: Extraction): number => {
  const each = layers.reduce((sum, layer) => sum + rowBytes(layer), 0) * rowsPerInput(form);
  return 3 * batch.size * each;
};

export interface CheckedFeatures {
  readonly features: Features;
  readonly engineCheck: EngineCheck;
}

/** The features of a probed network under a memory budget in bytes; the session of every pass is checked. */
export const networkFeatures = async (
  ports: Pick<Ports, 'engine' | 'cache' | 'hash' | 'checkStop'>,
  extraction: Extraction,
  budget: number,
  identity: Readonly<Record<string, unknown>>,
  warnings: readonly string[],
): Promise<CheckedFeatures> => {
  const rows = extraction.inputs.count * rowsPerInput(extraction.form);
  const passes = planPasses(extraction.layers, rows, budget, extraction.form.kind === 'flatten');
  const runs = passes.reduce((sum, { slices }) => sum + slices, 0);
  const { optimised, engineCheck, notes } = await checkPasses(ports, extraction, passes, identity);
  const features: Features = {
    layers: extraction.layers,
    passes,
    seconds: runs * extraction.inputs.count * extraction.secondsPerInput,
    modelBytes: 3 * extraction.network.bytes.length + batchBytes(extraction),
    identity,
    warnings: [...warnings, ...notes],
    gather: async (pass, wanted, watch) => {
      const all = pass.layers as readonly SizedLayer[];
      const layers = all.filter(wanted);
      if (layers.length === 0) return [];
      const run = { layers: all, optimised: optimised[passes.indexOf(pass)]! };
      if (pass.slices > 1)
        return layers.map((layer) => {
          const sliced = { layer, slices: pass.slices, optimised: run.optimised };
          return slicedSource(ports.engine, extraction, sliced, rows, watch);
        });
      const task = `activations of ${layers.length === 1 ? layers[0]!.name : `${layers.length} layers`}`;
      const gathered = await activationsOf(
        ports.engine,
        extraction,
        run,
        layers,
        asTask(task, watch),
      );
      return layers.map((layer, index) => sourceOf(layer.name, gathered[index]!));
    },
  };
  return { features, engineCheck };
};

/** A layer that only rounding makes vary is one that does not vary, and has no score. */
const sourceOf = (name: string, features: FloatNd): FeatureSource => {
  if (!isRounding(features)) return heldSource(name, features);
  const numbers = roundingOf(features.data) < 1e-10 ? 'float64' : 'float32';
  levelled(features);
  return heldSource(name, features, [
    `the activations vary over the stimuli by no more than the rounding of ${numbers}`,
  ]);
};

const slicedSource = (
  engine: Engine,
  extraction: Extraction,
  pass: { readonly layer: SizedLayer; readonly slices: number; readonly optimised: boolean },
  rows: number,
  watch: Watch,
): FeatureSource => ({
  name: pass.layer.name,
  rows,
  columns: pass.layer.features,
  blockCount: pass.slices,
  blocks: () =>
    withoutRounding(
      slicesOf(
        engine,
        extraction,
        pass,
        asTask(`activations of ${pass.layer.name}, in ${pass.slices} slices`, watch),
      ),
    ),
});

async function* withoutRounding(blocks: AsyncGenerator<FloatNd>): AsyncGenerator<FloatNd> {
  for await (const block of blocks) {
    if (isRounding(block)) levelled(block);
    yield block;
  }
}
