import { centredProductModel, type ProductForm, productModel } from '../graph/products.ts';
import type { ArrayData, NdArray } from '../records/array.ts';
import type { Engine, EngineModel, EngineSession, Feed, HeldRows } from '../records/ports.ts';

/** Products of matrices in the engine; sessions are opened when first needed. */
export interface Products {
  /** Both operands float64. */
  multiply(form: ProductForm, a: Feed, b: Feed): Promise<Float64Array>;
  /** Both operands float32. */
  multiply32(form: ProductForm, a: Feed, b: Feed): Promise<Float32Array>;
  /** (x − mean)·b or (x − mean)ᵀ·b for a held float32 `x`, in float64. */
  multiplyCentred(
    form: 'a·b' | 'aᵀ·b',
    x: HeldRows,
    mean: NdArray<Float64Array>,
    b: Feed,
  ): Promise<Float64Array>;
  release(): Promise<void>;
}

export const openProducts = (engine: Engine): Products => {
  const sessions = new Map<string, Promise<EngineSession>>();
  const run = async (
    key: string,
    model: () => EngineModel,
    feeds: Readonly<Record<string, Feed>>,
  ): Promise<ArrayData> => {
    let session = sessions.get(key);
    if (session === undefined) {
      session = engine.open(model());
      sessions.set(key, session);
    }
    const { c } = await (await session).run(feeds);
    return c!.data;
  };
  return {
    multiply: async (form, a, b) =>
      (await run(form, () => productModel(form, 'float64'), { a, b })) as Float64Array,
    multiply32: async (form, a, b) =>
      (await run(`32 ${form}`, () => productModel(form, 'float32'), { a, b })) as Float32Array,
    multiplyCentred: async (form, x, mean, b) =>
      (await run(`centred ${form}`, () => centredProductModel(form), {
        x,
        mean,
        b,
      })) as Float64Array,
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
