import { expect } from 'vitest';
import { gramScoresModel, productModel } from '../../src/graph/products.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { Engine, EngineSession } from '../../src/records/ports.ts';
import { type Clause, errorLine } from './contract.ts';

export interface EngineUnderTest {
  readonly engine: Engine;
  /** Another one, which may be closed. */
  readonly another: () => Promise<Engine>;
}

export const matrix = (
  rows: number,
  columns: number,
  at: (i: number, j: number) => number,
): NdArray<Float64Array> => ({
  data: Float64Array.from({ length: rows * columns }, (_, k) =>
    at(Math.floor(k / columns), k % columns),
  ),
  shape: [rows, columns],
});

const multiply = (engine: Engine): Promise<EngineSession> =>
  engine.open(productModel('a·b', 'float64'));

/** 10 i + j, [4, 2]; times (1, 0) it is its first column. */
const tens = (): NdArray<Float64Array> => matrix(4, 2, (i, j) => 10 * i + j);
const first = (): NdArray<Float64Array> => matrix(2, 1, (i) => 1 - i);

/** What the model of three outputs is fed: h = K·tᵀ is [3, 1], yt = y·tᵀ and yh = y·h are [1, 1]. */
const three = () => ({
  k: matrix(3, 3, (i, j) => (i === j ? i + 1 : 0)),
  t: matrix(1, 3, (_, j) => j + 1),
  mask: matrix(3, 1, () => 1),
  y: matrix(1, 3, () => 1),
});

const numbers = (array: NdArray | undefined): number[] => [...(array!.data as Float64Array)];

const engineLine = (doing: Promise<unknown>): Promise<string> => errorLine('engine', doing);

/**
 * What every engine keeps, one that knows only the float64 products of `src/graph/products.ts` too. What is asked of one
 * that runs any model is in `engine-models.ts`.
 */
export const engineContract: readonly Clause<EngineUnderTest>[] = [
  {
    promise: 'names its device, its threads and itself with a version',
    check: async ({ engine }) => {
      expect(engine.device).toMatch(/^[a-z]+$/);
      expect(engine.threads).toBeGreaterThanOrEqual(1);
      expect(engine.version).toMatch(/^\S.* \d+\.\d+\.\d+$/);
    },
  },
  {
    promise: 'describes the inputs and outputs of a model',
    check: async ({ engine }) => {
      const { inputs, outputs } = await multiply(engine);
      expect(inputs).toEqual([
        { name: 'a', type: 'float64', shape: ['i', 'k'] },
        { name: 'b', type: 'float64', shape: ['k', 'j'] },
      ]);
      expect(outputs).toEqual([{ name: 'c', type: 'float64', shape: ['i', 'j'] }]);
    },
  },
  {
    promise: 'runs, copies what it is fed at the call, and leaves it as it was',
    check: async ({ engine }) => {
      const session = await multiply(engine);
      const a = matrix(2, 3, (i, j) => i + j);
      const running = session.run({ a, b: matrix(3, 2, (i, j) => i - j) });
      expect(numbers(a)).toEqual([0, 1, 2, 1, 2, 3]);
      a.data.fill(7);
      const { fetched, kept } = await running;
      expect(fetched).toEqual({ c: { data: Float64Array.of(5, 2, 8, 2), shape: [2, 2] } });
      expect(kept).toEqual({});
      expect(numbers(a)).toEqual([7, 7, 7, 7, 7, 7]);
    },
  },
  {
    promise: 'takes views of larger and of shared buffers',
    check: async ({ engine }) => {
      const session = await multiply(engine);
      const shared = new Float64Array(new SharedArrayBuffer(32));
      shared.set([1, 2, 3, 4]);
      const view = Float64Array.of(9, 1, 0, 0, 1, 9).subarray(1, 5);
      const { fetched } = await session.run({
        a: { data: shared, shape: [2, 2] },
        b: { data: view, shape: [2, 2] },
      });
      expect(numbers(fetched.c)).toEqual([1, 2, 3, 4]);
    },
  },
  {
    promise: 'fetches all outputs, or those that are asked for',
    check: async ({ engine }) => {
      const session = await engine.open(gramScoresModel());
      const all = await session.run(three());
      expect(Object.keys(all.fetched).sort()).toEqual(['h', 'yh', 'yt']);
      const some = await session.run(three(), { fetch: ['yt'] });
      expect(Object.keys(some.fetched)).toEqual(['yt']);
      expect(numbers(some.fetched.yt)).toEqual([6]);
      expect(some.kept).toEqual({});
    },
  },
  {
    promise: 'keeps outputs with their type and shape, and fetches the rest',
    check: async ({ engine }) => {
      const session = await engine.open(gramScoresModel());
      const { fetched, kept } = await session.run(three(), { keep: ['h'] });
      expect(Object.keys(fetched).sort()).toEqual(['yh', 'yt']);
      expect(Object.keys(kept)).toEqual(['h']);
      expect(kept.h).toMatchObject({ type: 'float64', shape: [3, 1] });
      expect(numbers(await engine.read(kept.h!))).toEqual([1, 4, 9]);
      const two = await session.run(three(), { fetch: ['yt'], keep: ['yh'] });
      expect([Object.keys(two.fetched), Object.keys(two.kept)]).toEqual([['yt'], ['yh']]);
      const none = await session.run(three(), { keep: ['h', 'yt', 'yh'] });
      expect(none.fetched).toEqual({});
      expect(numbers(await engine.read(none.kept.yh!))).toEqual([14]);
    },
  },
  {
    promise: 'runs on what it keeps, whole and by rows, in any session, as on what is fed',
    check: async ({ engine }) => {
      const session = await engine.open(gramScoresModel());
      const held = (await session.run(three(), { keep: ['h'] })).kept.h!;
      await session.release();
      const product = await multiply(engine);
      const two = matrix(1, 1, () => 2);
      const whole = await product.run({ a: { held }, b: two });
      expect(whole.fetched.c).toEqual({ data: Float64Array.of(2, 8, 18), shape: [3, 1] });
      const rows = await product.run({ a: { held, rows: [1, 3] }, b: two });
      expect(rows.fetched.c).toEqual({ data: Float64Array.of(8, 18), shape: [2, 1] });
      // A step takes what the step before kept.
      let parameters = await engine.hold(tens());
      for (let step = 0; step < 3; step++) {
        const { kept } = await product.run(
          { a: { held: parameters }, b: matrix(2, 2, (i, j) => (i === j ? 2 : 0)) },
          { keep: ['c'] },
        );
        await engine.drop(parameters);
        parameters = kept.c!;
      }
      expect(numbers(await engine.read(parameters))).toEqual(numbers(tens()).map((x) => 8 * x));
    },
  },
  {
    promise: 'refuses an output that is to be fetched and kept',
    check: async ({ engine }) => {
      const session = await multiply(engine);
      await engineLine(session.run({ a: tens(), b: first() }, { fetch: ['c'], keep: ['c'] }));
    },
  },
  {
    promise: 'holds an array by moving it, and runs on it whole and by rows',
    check: async ({ engine }) => {
      const array = tens();
      const held = await engine.hold(array);
      expect(array.data.length).toBe(0);
      expect(held).toMatchObject({ type: 'float64', shape: [4, 2] });
      const session = await multiply(engine);
      const whole = await session.run({ a: { held }, b: first() });
      expect(numbers(whole.fetched.c)).toEqual([0, 10, 20, 30]);
      const rows = await session.run({ a: { held, rows: [1, 3] }, b: first() });
      expect(rows.fetched.c).toEqual({ data: Float64Array.of(10, 20), shape: [2, 1] });
      for (const wrong of [
        [-1, 2],
        [2, 5],
        [3, 2],
        [Number.NaN, 2],
      ] as const)
        await engineLine(session.run({ a: { held, rows: wrong }, b: first() }));
    },
  },
  {
    promise: 'copies a view that it is to hold, instead of detaching the buffer around it',
    check: async ({ engine }) => {
      const whole = Float64Array.of(1, 2, 3);
      const held = await engine.hold({ data: whole.subarray(1), shape: [2] });
      expect([...whole]).toEqual([1, 2, 3]);
      expect(numbers(await engine.take(held))).toEqual([2, 3]);
    },
  },
  {
    promise: 'reads what it holds without spending it, as a copy that may be changed',
    check: async ({ engine }) => {
      const held = await engine.hold(tens());
      const read = await engine.read(held);
      expect(read).toEqual(tens());
      (read.data as Float64Array).fill(0);
      expect(await engine.read(held)).toEqual(tens());
      const session = await multiply(engine);
      const { fetched } = await session.run({ a: { held }, b: first() });
      expect(numbers(fetched.c)).toEqual([0, 10, 20, 30]);
    },
  },
  {
    promise: 'takes back what it holds, once',
    check: async ({ engine }) => {
      const held = await engine.hold(tens());
      expect(await engine.take(held)).toEqual(tens());
      await engineLine(engine.take(held));
      await engineLine(engine.read(held));
      await engineLine(engine.drop(held));
      const session = await multiply(engine);
      await engineLine(session.run({ a: { held }, b: first() }));
    },
  },
  {
    promise: 'knows nothing of what was dropped',
    check: async ({ engine }) => {
      const session = await multiply(engine);
      const { kept } = await session.run({ a: tens(), b: first() }, { keep: ['c'] });
      for (const held of [await engine.hold(tens()), kept.c!]) {
        await engine.drop(held);
        await engineLine(engine.drop(held));
        await engineLine(engine.read(held));
        await engineLine(engine.take(held));
        await engineLine(session.run({ a: { held }, b: first() }));
      }
    },
  },
  {
    promise: 'goes on holding what a failed run was fed',
    check: async ({ engine }) => {
      const held = await engine.hold(tens());
      const session = await multiply(engine);
      await engineLine(session.run({ a: { held }, b: matrix(3, 1, () => 1) }, { keep: ['c'] }));
      expect(await engine.take(held)).toEqual(tens());
    },
  },
  {
    promise: 'refuses what another engine holds',
    check: async ({ engine, another }) => {
      const other = await another();
      try {
        const own = await engine.hold(tens());
        const foreign = await other.hold(matrix(4, 2, () => 1));
        await engineLine(engine.read(foreign));
        await engineLine(other.read(own));
        const session = await multiply(engine);
        await engineLine(session.run({ a: { held: foreign }, b: first() }));
      } finally {
        await other.close();
      }
    },
  },
  {
    promise: 'answers calls in their order when several wait',
    check: async ({ engine }) => {
      const session = await multiply(engine);
      const order: number[] = [];
      const runs = [1, 2, 3, 4].map(async (k) => {
        const one = (value: number) => matrix(1, 1, () => value);
        const { fetched } = await session.run({ a: one(k), b: one(10) });
        order.push(k);
        return fetched.c!.data[0];
      });
      expect(await Promise.all(runs)).toEqual([10, 20, 30, 40]);
      expect(order).toEqual([1, 2, 3, 4]);
    },
  },
  {
    promise: 'repeats itself to the last bit',
    check: async ({ engine }) => {
      const session = await multiply(engine);
      const a = matrix(70, 300, (i, j) => Math.sin(i * 31 + j));
      const b = matrix(300, 40, (i, j) => Math.cos(i + 17 * j));
      const one = await session.run({ a, b });
      expect(await session.run({ a, b })).toEqual(one);
    },
  },
  {
    promise: 'says in one line what is wrong with a model, a feed, an output or a session',
    check: async ({ engine }) => {
      await engineLine(engine.open({ bytes: Uint8Array.of(1, 2, 3) }));
      const session = await multiply(engine);
      const [a, b] = [tens(), first()];
      await engineLine(session.run({ a, b: matrix(3, 2, () => 1) }));
      await engineLine(session.run({ a }));
      expect(await engineLine(session.run({ a, b, z: a }))).toContain('"z"');
      await engineLine(session.run({ a, b: { data: new Float32Array(2), shape: [2, 1] } }));
      await engineLine(session.run({ a, b }, { fetch: ['z'] }));
      await engineLine(session.run({ a, b }, { keep: ['z'] }));
      await session.release();
      await engineLine(session.run({ a, b }));
    },
  },
  {
    promise:
      'rejects waiting and later calls with the stopped error once closed, as often as it is closed',
    check: async ({ another }) => {
      const engine = await another();
      const session = await multiply(engine);
      const held = await engine.hold(tens());
      const big = matrix(300, 300, () => 1);
      const waiting = errorLine('stopped', session.run({ a: big, b: big }));
      await engine.close();
      await waiting;
      await errorLine('stopped', multiply(engine));
      await errorLine('stopped', engine.hold(tens()));
      await errorLine('stopped', engine.read(held));
      await errorLine('stopped', engine.take(held));
      await errorLine('stopped', engine.drop(held));
      await engine.close();
    },
  },
];
