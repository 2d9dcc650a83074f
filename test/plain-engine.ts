// The products of a regression multiplied in the test's own thread: where thousands of tiny regressions are fitted, the
// messages to the engine's thread are what takes time.

import { centredProductModel, type ProductForm, productModel } from '../src/graph/products.ts';
import type { NdArray } from '../src/records/array.ts';
import type { Engine, Feed, Held } from '../src/records/ports.ts';

const forms: readonly ProductForm[] = ['a·b', 'a·bᵀ', 'aᵀ·b'];

type Matrix = NdArray<Float64Array>;

const transposed = ({ data, shape: [rows = 0, columns = 0] }: Matrix): Matrix => {
  const result = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!;
  return { data: result, shape: [columns, rows] };
};

const product = (form: ProductForm, left: Matrix, right: Matrix): Matrix => {
  const a = form === 'aᵀ·b' ? transposed(left) : left;
  const b = form === 'a·bᵀ' ? transposed(right) : right;
  const [[m = 0, n = 0], [, q = 0]] = [a.shape, b.shape];
  const data = new Float64Array(m * q);
  for (let i = 0; i < m; i++)
    for (let k = 0; k < n; k++) {
      const factor = a.data[i * n + k]!;
      for (let j = 0; j < q; j++) data[i * q + j] = data[i * q + j]! + factor * b.data[k * q + j]!;
    }
  return { data, shape: [m, q] };
};

const centred = ({ data, shape }: Matrix, mean: Matrix): Matrix => ({
  data: data.map((value, at) => value - mean.data[at % shape[1]!]!),
  shape,
});

/** An engine that knows the float64 products of `regression/products.ts` and nothing else; it is never closed. */
export const plainEngine = (): Engine => {
  const held = new Map<number, NdArray>();
  let count = 0;
  const taken = (feed: Feed): Matrix => {
    const array = 'held' in feed ? held.get(feed.held.id)! : feed;
    const [rows = 0, columns = 0] = array.shape;
    const [from, to] = ('held' in feed ? feed.rows : undefined) ?? [0, rows];
    const data = Float64Array.from(array.data as Float64Array);
    return { data: data.subarray(from * columns, to * columns), shape: [to - from, columns] };
  };
  const known = new Map<string, (feeds: Readonly<Record<string, Feed>>) => Matrix>();
  const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
  for (const form of forms) {
    known.set(nameOf(productModel(form, 'float64').bytes), ({ a, b }) =>
      product(form, taken(a!), taken(b!)),
    );
    if (form === 'a·bᵀ') continue;
    known.set(nameOf(centredProductModel(form).bytes), ({ x, mean, b }) =>
      product(form, centred(taken(x!), taken(mean!)), taken(b!)),
    );
  }
  return {
    device: 'cpu',
    threads: 1,
    version: 'plain products',
    open: async ({ bytes }) => {
      const runPls = known.get(nameOf(bytes))!;
      return {
        inputs: [],
        outputs: [],
        run: async (feeds) => ({ c: runPls(feeds) }),
        release: async () => undefined,
      };
    },
    hold: async (array): Promise<Held> => {
      held.set(++count, array);
      return { id: count, shape: array.shape };
    },
    take: async ({ id }) => {
      const array = held.get(id)!;
      held.delete(id);
      return array;
    },
    close: async () => undefined,
  };
};
