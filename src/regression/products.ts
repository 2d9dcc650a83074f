import {
  centredProductModel,
  gramScoresModel,
  type ProductForm,
  productModel,
  stackedProductModel,
  trainingImagesModel,
} from '../graph/products.ts';
import { ROW_STEPS, rowStepsModel } from '../graph/row-steps.ts';
import type { ArrayData, NdArray } from '../records/array.ts';
import type {
  Engine,
  EngineModel,
  EngineSession,
  Feed,
  Held,
  HeldRows,
  RunOutputs,
} from '../records/ports.ts';

/** Products of matrices in the engine; sessions are opened when first needed. */
export interface Products {
  /** Both operands float64. */
  multiply(form: ProductForm, a: Feed, b: Feed): Promise<Float64Array>;
  /** Products of pairs of float64 matrices [f, i, k] and [f, k, j]: [f, i, j]. */
  multiplyStacked(a: Feed, b: Feed): Promise<Float64Array>;
  /** Xᵀ of the centred training scores X·r of m tasks [m, p] (`trainingImagesModel`). */
  trainingImages(
    feeds: Readonly<Record<'x' | 'r' | 'mask' | 'share', Feed>>,
  ): Promise<Float64Array>;
  /** Both operands float32. */
  multiply32(form: ProductForm, a: Feed, b: Feed): Promise<Float32Array>;
  /** (x − mean)·b or (x − mean)ᵀ·b for a held float32 `x`, in float64. */
  multiplyCentred(
    form: 'a·b' | 'aᵀ·b',
    x: HeldRows,
    mean: NdArray<Float64Array>,
    b: Feed,
  ): Promise<Float64Array>;
  /** K·tᵀ, y·tᵀ, and y·(K·tᵀ) over the rows where the mask is 1, for t [m, n], mask [n, m], y [r, n]. */
  gramScores(k: Held, t: Feed, mask: Feed, y: Feed): Promise<GramScoreProducts>;
  /** Steps of the power iteration over rows (`rowStepsModel`). */
  rowSteps(feeds: Readonly<Record<string, Feed>>): Promise<RowSteps>;
  hold(array: NdArray): Promise<Held>;
  /** Gives a held array's memory back. */
  drop(held: Held): Promise<void>;
  release(): Promise<void>;
}

export interface GramScoreProducts {
  /** [n, m]. */
  readonly h: Float64Array;
  /** [r, m]. */
  readonly yt: Float64Array;
  readonly yh: Float64Array;
}

/** One step for m tasks: u / √(uᵀKu) and K times it [m, n], uᵀKu and what changed since the step before [m]. */
export interface RowStep {
  readonly unit: Float64Array;
  readonly image: Float64Array;
  readonly square: Float64Array;
  readonly change: Float64Array;
}

export interface RowSteps {
  readonly steps: readonly RowStep[];
  /** What the next step begins with [m, n]. */
  readonly next: Float64Array;
}

export const openProducts = (engine: Engine): Products => {
  const sessions = new Map<string, Promise<EngineSession>>();
  const run = async (
    key: string,
    model: () => EngineModel,
    feeds: Readonly<Record<string, Feed>>,
  ): Promise<RunOutputs['fetched']> => {
    let session = sessions.get(key);
    if (session === undefined) {
      session = engine.open(model());
      sessions.set(key, session);
    }
    return (await (await session).run(feeds)).fetched;
  };
  const product = async (...asked: Parameters<typeof run>): Promise<ArrayData> =>
    (await run(...asked)).c!.data;
  return {
    multiply: async (form, a, b) =>
      (await product(form, () => productModel(form, 'float64'), { a, b })) as Float64Array,
    multiplyStacked: async (a, b) =>
      (await product('stacked', stackedProductModel, { a, b })) as Float64Array,
    trainingImages: async (feeds) =>
      (await product('training images', trainingImagesModel, feeds)) as Float64Array,
    multiply32: async (form, a, b) =>
      (await product(`32 ${form}`, () => productModel(form, 'float32'), { a, b })) as Float32Array,
    multiplyCentred: async (form, x, mean, b) =>
      (await product(`centred ${form}`, () => centredProductModel(form), {
        x,
        mean,
        b,
      })) as Float64Array,
    gramScores: async (k, t, mask, y) => {
      const { h, yt, yh } = await run('images', gramScoresModel, { k: { held: k }, t, mask, y });
      const [images, alongT, alongH] = [h, yt, yh].map((each) => each!.data as Float64Array);
      return { h: images!, yt: alongT!, yh: alongH! };
    },
    rowSteps: async (feeds) => {
      const fetched = await run('row steps', rowStepsModel, feeds);
      const output = (name: string) => fetched[name]!.data as Float64Array;
      const steps = Array.from({ length: ROW_STEPS }, (_, k) => ({
        unit: output(`unit${k}`),
        image: output(`image${k}`),
        square: output(`square${k}`),
        change: output(`change${k}`),
      }));
      return { steps, next: output(`u${ROW_STEPS}`) };
    },
    hold: (array) => engine.hold(array),
    drop: (held) => engine.drop(held),
    release: async () => {
      for (const session of sessions.values()) await (await session).release();
      sessions.clear();
    },
  };
};

/** A float64 matrix as it is fed. */
export const matrix = (data: Float64Array, rows: number): NdArray<Float64Array> => ({
  data,
  shape: [rows, data.length / rows],
});
