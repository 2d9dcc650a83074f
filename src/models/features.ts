import type {
  FeaturePass,
  FeatureSource,
  Features,
  LayerSize,
  RunHooks,
} from '../records/activations.ts';
import type { Float32Nd } from '../records/array.ts';
import type { Engine } from '../records/ports.ts';
import {
  activationsOf,
  type Extraction,
  rowsPerInput,
  type SizedLayer,
  slicesOf,
} from './activations.ts';
import { isRounding, levelled } from './spread.ts';

const bytesPerFeature = 4;

/**
 * Packs layers, in order, into passes whose features (`rows × features × 4` bytes) fit the budget; a layer that alone
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
    const bytes = rows * layer.features * bytesPerFeature;
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
  features: Float32Nd,
  remarks: readonly string[] = [],
): FeatureSource => {
  let kept: Float32Nd | null = features;
  const [rows, columns] = features.shape as readonly [number, number];
  return {
    name,
    rows,
    columns,
    remarks,
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
  const each = layers.reduce((sum, { features }) => sum + features, 0) * rowsPerInput(form);
  return 3 * bytesPerFeature * batch.size * each;
};

/** The features of a probed network under a memory budget in bytes. */
export const networkFeatures = (
  engine: Engine,
  extraction: Extraction,
  budget: number,
  identity: Readonly<Record<string, unknown>>,
  warnings: readonly string[],
): Features => {
  const rows = extraction.inputs.count * rowsPerInput(extraction.form);
  const passes = planPasses(extraction.layers, rows, budget, extraction.form.kind === 'flatten');
  const runs = passes.reduce((sum, { slices }) => sum + slices, 0);
  return {
    layers: extraction.layers,
    passes,
    seconds: runs * extraction.inputs.count * extraction.secondsPerInput,
    modelBytes: 3 * extraction.network.bytes.length + batchBytes(extraction),
    identity,
    warnings,
    gather: async (pass, wanted, hooks) => {
      const layers = (pass.layers as readonly SizedLayer[]).filter(wanted);
      if (layers.length === 0) return [];
      if (pass.slices > 1)
        return layers.map((layer) =>
          slicedSource(engine, extraction, layer, pass.slices, rows, hooks),
        );
      const task = `activations of ${layers.length === 1 ? layers[0]!.name : `${layers.length} layers`}`;
      const gathered = await activationsOf(engine, extraction, layers, {
        progress: (done, total) => hooks.progress(task, done, total, 'inputs'),
        checkStop: hooks.checkStop,
      });
      return layers.map((layer, index) => sourceOf(layer.name, gathered[index]!));
    },
  };
};

/** A layer that only rounding makes vary is one that does not vary, and has no score. */
const sourceOf = (name: string, features: Float32Nd): FeatureSource => {
  if (!isRounding(features)) return heldSource(name, features);
  levelled(features);
  return heldSource(name, features, [
    'the activations vary over the stimuli by no more than the rounding of float32',
  ]);
};

const slicedSource = (
  engine: Engine,
  extraction: Extraction,
  layer: SizedLayer,
  slices: number,
  rows: number,
  hooks: RunHooks,
): FeatureSource => ({
  name: layer.name,
  rows,
  columns: layer.features,
  blockCount: slices,
  blocks: () =>
    withoutRounding(
      slicesOf(engine, extraction, layer, slices, {
        progress: (done, total) =>
          hooks.progress(
            `activations of ${layer.name}, in ${slices} slices`,
            done,
            total,
            'inputs',
          ),
        checkStop: hooks.checkStop,
      }),
    ),
});

async function* withoutRounding(blocks: AsyncGenerator<Float32Nd>): AsyncGenerator<Float32Nd> {
  for await (const block of blocks) {
    if (isRounding(block)) levelled(block);
    yield block;
  }
}
