// The products of a regression multiplied in the test's own thread: where thousands of tiny regressions are fitted, the
// messages to the engine's thread are what takes time. It keeps the contract of the port (`contracts/engine.ts`).

import {
  centredProductModel,
  gramScoresModel,
  type ProductForm,
  productModel,
  stackedProductModel,
  trainingImagesModel,
} from '../src/graph/products.ts';
import { readModel } from '../src/graph/read.ts';
import type { ArrayData, NdArray } from '../src/records/array.ts';
import { engineError, stoppedError } from '../src/records/errors.ts';
import type {
  Engine,
  EngineModel,
  EngineSession,
  Feed,
  Held,
  RunOptions,
} from '../src/records/ports.ts';

const forms: readonly ProductForm[] = ['a·b', 'a·bᵀ', 'aᵀ·b'];

type Matrix = NdArray<Float64Array>;

const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

const transposed = ({ data, shape: [rows = 0, columns = 0] }: Matrix): Matrix => {
  const result = new Float64Array(data.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = data[i * columns + j]!;
  return { data: result, shape: [columns, rows] };
};

const product = (form: ProductForm, left: Matrix, right: Matrix): Matrix => {
  const a = form === 'aᵀ·b' ? transposed(left) : left;
  const b = form === 'a·bᵀ' ? transposed(right) : right;
  const [[m = 0, n = 0], [inner = 0, q = 0]] = [a.shape, b.shape];
  if (n !== inner) throw refused(`a product of [${a.shape}] and [${b.shape}]`);
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

const masked = (h: Matrix, mask: Matrix): Matrix => ({
  data: h.data.map((value, at) => value * mask.data[at]!),
  shape: h.shape,
});

/** The matrices of a stack [f, i, k]. */
const unstacked = ({ data, shape: [count = 0, i = 0, k = 0] }: Matrix): Matrix[] =>
  Array.from({ length: count }, (_, f) => ({
    data: data.subarray(f * i * k, (f + 1) * i * k),
    shape: [i, k],
  }));

const stackedProduct = (a: Matrix, b: Matrix): Matrix => {
  const right = unstacked(b);
  const products = unstacked(a).map((left, f) => product('a·b', left, right[f]!));
  const data = Float64Array.from(products.flatMap((each) => [...each.data]));
  return { data, shape: [products.length, a.shape[1]!, b.shape[2]!] };
};

/** Columns of t [n, m] less their means over the rows where the mask is 1, and 0 on the others. */
const centredWhere = (t: Matrix, mask: Matrix, share: Matrix): Matrix => {
  const m = t.shape[1]!;
  const means = new Float64Array(m);
  t.data.forEach((value, at) => {
    means[at % m] = means[at % m]! + value * mask.data[at]! * share.data[at % m]!;
  });
  return masked({ data: t.data.map((value, at) => value - means[at % m]!), shape: t.shape }, mask);
};

type Matrices = Readonly<Record<string, Matrix>>;

/** What the models of `graph/products.ts` compute in float64, by their bytes. */
const known = (() => {
  const programs = new Map<string, (feeds: Matrices) => Matrices>();
  const keep = ({ bytes }: EngineModel, program: (feeds: Matrices) => Matrices): void => {
    programs.set(nameOf(bytes), program);
  };
  for (const form of forms) {
    keep(productModel(form, 'float64'), ({ a, b }) => ({ c: product(form, a!, b!) }));
    if (form === 'a·bᵀ') continue;
    keep(centredProductModel(form), ({ x, mean, b }) => ({
      c: product(form, centred(x!, mean!), b!),
    }));
  }
  keep(stackedProductModel(), ({ a, b }) => ({ c: stackedProduct(a!, b!) }));
  keep(trainingImagesModel(), ({ x, r, mask, share }) => ({
    c: product('aᵀ·b', centredWhere(product('a·bᵀ', x!, r!), mask!, share!), x!),
  }));
  keep(gramScoresModel(), ({ k, t, mask, y }) => {
    const h = product('a·bᵀ', k!, t!);
    return { h, yt: product('a·bᵀ', y!, t!), yh: product('a·b', y!, masked(h, mask!)) };
  });
  return programs;
})();

const refused = (got: string) =>
  engineError({ where: 'plain engine', expected: 'what it knows', got, mend: 'feed it that' });

const typeOf = (data: ArrayData): string => {
  if (data instanceof Float64Array) return 'float64';
  return data instanceof Float32Array ? 'float32' : data.constructor.name;
};

const copied = (feed: Feed): Feed => ('held' in feed ? feed : { ...feed, data: feed.data.slice() });

/** Copied where the buffer is larger or shared, else moved: `data` is empty afterwards. */
const moved = <T extends ArrayData>(data: T): T =>
  data.buffer instanceof ArrayBuffer && data.buffer.byteLength === data.byteLength
    ? structuredClone(data, { transfer: [data.buffer] })
    : (data.slice() as T);

const rowsOf = ({ data, shape }: NdArray, rows: readonly [number, number] | undefined): NdArray => {
  if (rows === undefined) return { data, shape };
  const [from, to] = rows;
  const [count = 0, ...rest] = shape;
  if (!(0 <= from && from <= to && to <= count)) throw refused(`rows ${from} to ${to} of ${count}`);
  const width = count === 0 ? 0 : data.length / count;
  return { data: data.subarray(from * width, to * width), shape: [to - from, ...rest] };
};

// Of all plain engines of a process, so that one refuses what another holds.
let ids = 0;

/** An engine that knows the products of `regression/products.ts` and nothing else. */
export const plainEngine = (): Engine => {
  const arrays = new Map<number, NdArray>();
  let isClosed = false;
  const job = async <T>(doing: () => T): Promise<T> => {
    // An answer comes later than the question, and not after the end.
    await null;
    if (isClosed) throw stoppedError();
    return doing();
  };
  const found = ({ id }: Held): NdArray => {
    const array = arrays.get(id);
    if (array === undefined) throw refused('a held array that was taken or dropped');
    return array;
  };
  const keep = ({ data, shape }: NdArray): Held => {
    arrays.set(++ids, { data, shape });
    return { id: ids, type: typeOf(data), shape };
  };
  const fed = (name: string, expected: string, feed: Feed | undefined): Matrix => {
    if (feed === undefined) throw refused(`no input "${name}"`);
    const { data, shape } = 'held' in feed ? rowsOf(found(feed.held), feed.rows) : feed;
    if (typeOf(data) !== expected) throw refused(`${typeOf(data)} for "${name}"`);
    return { data: data as Float64Array, shape };
  };
  const run = (
    session: Omit<EngineSession, 'run' | 'release'>,
    program: (feeds: Matrices) => Matrices,
    feeds: Readonly<Record<string, Feed>>,
    options: RunOptions,
  ) => {
    const outputs = session.outputs.map(({ name }) => name);
    const kept = [...new Set(options.keep ?? [])];
    const fetched = options.fetch ?? outputs.filter((name) => !kept.includes(name));
    const wrong =
      Object.keys(feeds).find((name) => session.inputs.every((each) => each.name !== name)) ??
      [...fetched, ...kept].find((name) => !outputs.includes(name)) ??
      kept.find((name) => fetched.includes(name));
    if (wrong !== undefined) throw refused(`"${wrong}"`);
    const given = session.inputs.map(
      ({ name, type }) => [name, fed(name, type, feeds[name])] as const,
    );
    const values = program(Object.fromEntries(given));
    return {
      fetched: Object.fromEntries(fetched.map((name) => [name, values[name]!])),
      kept: Object.fromEntries(kept.map((name) => [name, keep(values[name]!)])),
    };
  };
  const open = ({ bytes }: EngineModel): EngineSession => {
    const program = known.get(nameOf(bytes));
    if (program === undefined) throw refused('a model that is no product');
    const { inputs, outputs } = readModel(bytes, 'product');
    const info = ({ name, type, shape }: (typeof inputs)[number]) => ({
      name,
      type,
      shape: (shape ?? []).map((size) => size ?? ''),
    });
    const session = { inputs: inputs.map(info), outputs: outputs.map(info) };
    let isOpen = true;
    return {
      ...session,
      run: (feeds, options = {}) => {
        const own = Object.entries(feeds).map(([name, feed]) => [name, copied(feed)] as const);
        return job(() => {
          if (!isOpen) throw refused('a session that was released');
          return run(session, program, Object.fromEntries(own), options);
        });
      },
      release: () =>
        job(() => {
          isOpen = false;
        }),
    };
  };
  return {
    device: 'cpu',
    threads: 1,
    version: 'plain products 1.0.0',
    open: (model) => job(() => open(model)),
    hold: async ({ data, shape }) => {
      const own = { data: moved(data), shape };
      return job(() => keep(own));
    },
    read: (held) =>
      job(() => {
        const { data, shape } = found(held);
        return { data: data.slice(), shape };
      }),
    take: (held) =>
      job(() => {
        const array = found(held);
        arrays.delete(held.id);
        return array;
      }),
    drop: (held) =>
      job(() => {
        found(held);
        arrays.delete(held.id);
      }),
    close: async () => {
      isClosed = true;
    },
  };
};
