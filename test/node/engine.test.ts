import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import type { Engine, EngineModel, EngineSession } from '../../src/records/ports.ts';

type Type = 'float32' | 'float64' | 'int64' | 'uint8' | 'bool' | 'float16';
type Size = number | string;

const model = (
  nodes: OnnxNode[],
  inputs: [string, Type, Size[]][],
  outputs: [string, Type, Size[]][],
): EngineModel => {
  const info = ([name, type, shape]: [string, Type, Size[]]) => ({ name, type, shape });
  const bytes = encodeModel({
    name: 'contract',
    opset: 17,
    inputs: inputs.map(info),
    outputs: outputs.map(info),
    initialisers: [],
    nodes,
  });
  return { bytes, externalDataFolder: null };
};

const product = model(
  [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  [
    ['a', 'float64', ['n', 'k']],
    ['b', 'float64', ['k', 'm']],
  ],
  [['c', 'float64', ['n', 'm']]],
);

const negation = (type: Type): EngineModel =>
  model(
    [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
    [['x', type, ['n']]],
    [['y', type, ['n']]],
  );

let engine: Engine;
let multiply: EngineSession;

beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
  multiply = await engine.open(product);
});
afterAll(() => engine.close());

const matrix = (rows: number, columns: number, at: (i: number, j: number) => number) => ({
  data: Float64Array.from({ length: rows * columns }, (_, k) =>
    at(Math.floor(k / columns), k % columns),
  ),
  shape: [rows, columns],
});

describe('Engine', () => {
  it('names itself and describes a model', () => {
    expect(engine.version).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/);
    expect([engine.device, engine.threads]).toEqual(['cpu', 2]);
    expect(multiply.inputs).toEqual([
      { name: 'a', type: 'float64', shape: ['n', 'k'] },
      { name: 'b', type: 'float64', shape: ['k', 'm'] },
    ]);
    expect(multiply.outputs).toEqual([{ name: 'c', type: 'float64', shape: ['n', 'm'] }]);
  });

  it('runs, and leaves what it was fed as it was', async () => {
    const a = matrix(2, 3, (i, j) => i + j);
    const b = matrix(3, 2, (i, j) => i - j);
    const { c } = await multiply.run({ a, b });
    expect(c).toEqual({ data: Float64Array.of(5, 2, 8, 2), shape: [2, 2] });
    expect(a.data.length).toBe(6);
  });

  it('copies the bytes of a model, or moves them where they are given', async () => {
    for (const given of [false, true]) {
      const { bytes } = negation('float32');
      const session = await engine.open({ bytes, externalDataFolder: null, given });
      expect(bytes.length === 0).toBe(given);
      const { y } = await session.run({ x: { data: Float32Array.of(2), shape: [1] } });
      expect(y!.data[0]).toBe(2);
      await session.release();
    }
  });

  it('takes views of larger and of shared buffers', async () => {
    const shared = new Float64Array(new SharedArrayBuffer(32));
    shared.set([1, 2, 3, 4]);
    const view = Float64Array.of(9, 1, 0, 0, 1, 9).subarray(1, 5);
    const { c } = await multiply.run({
      a: { data: shared, shape: [2, 2] },
      b: { data: view, shape: [2, 2] },
    });
    expect([...c!.data]).toEqual([1, 2, 3, 4]);
  });

  it.each([
    ['float32', Float32Array.of(1.5, -2)],
    ['float64', Float64Array.of(1.5, -2)],
    ['int64', BigInt64Array.of(2n ** 40n, -1n)],
    ['uint8', Uint8Array.of(3, 255)],
    ['uint8', Buffer.from([3, 255])],
    ['bool', Uint8Array.of(0, 1)],
    ['float16', Uint16Array.of(0x3c00, 0xc000)],
  ] as const)('carries %s', async (type, data) => {
    const session = await engine.open(negation(type));
    const { y } = await session.run({ x: { data, shape: [2] } });
    expect([...y!.data]).toEqual([...data]);
    await session.release();
  });

  it.each(['__proto__', 'constructor'])('feeds an input called %s', async (name) => {
    const session = await engine.open(
      model(
        [{ op: 'Neg', inputs: [name], outputs: ['y'] }],
        [[name, 'float32', ['n']]],
        [['y', 'float32', ['n']]],
      ),
    );
    const feed = { data: Float32Array.of(1, 2), shape: [2] };
    const { y } = await session.run(Object.fromEntries([[name, feed]]));
    expect(y!.data).toEqual(Float32Array.of(-1, -2));
    await session.release();
  });

  it('fetches only what is asked for', async () => {
    const session = await engine.open(
      model(
        [
          { op: 'Neg', inputs: ['x'], outputs: ['y'] },
          { op: 'Abs', inputs: ['x'], outputs: ['z'] },
        ],
        [['x', 'float32', ['n']]],
        [
          ['y', 'float32', ['n']],
          ['z', 'float32', ['n']],
        ],
      ),
    );
    const x = { data: Float32Array.of(-2), shape: [1] };
    expect(Object.keys(await session.run({ x }))).toEqual(['y', 'z']);
    expect(Object.keys(await session.run({ x }, ['z']))).toEqual(['z']);
    await session.release();
  });

  it('holds an array by moving it, feeds it whole and by rows, and gives it back', async () => {
    const array = matrix(4, 2, (i, j) => 10 * i + j);
    const held = await engine.hold(array);
    expect(array.data.length).toBe(0);
    expect(held.shape).toEqual([4, 2]);
    const b = matrix(2, 1, (i) => 1 - i);
    const whole = await multiply.run({ a: { held }, b });
    expect([...whole.c!.data]).toEqual([0, 10, 20, 30]);
    const rows = await multiply.run({ a: { held, rows: [1, 3] }, b });
    expect(rows.c).toEqual({ data: Float64Array.of(10, 20), shape: [2, 1] });
    const back = await engine.take(held);
    expect([...back.data]).toEqual([0, 1, 10, 11, 20, 21, 30, 31]);
    await expect(multiply.run({ a: { held }, b })).rejects.toThrow(/taken back/);
    await expect(engine.take(held)).rejects.toMatchObject({ kind: 'engine' });
  });

  it('copies a held view instead of detaching the buffer around it', async () => {
    const whole = Float64Array.of(1, 2, 3);
    const held = await engine.hold({ data: whole.subarray(1), shape: [2] });
    expect([...whole]).toEqual([1, 2, 3]);
    expect([...(await engine.take(held)).data]).toEqual([2, 3]);
  });

  it('answers calls in order when several wait', async () => {
    const results = await Promise.all(
      [1, 2, 3, 4].map((k) =>
        multiply.run({ a: matrix(1, 1, () => k), b: matrix(1, 1, () => 10) }),
      ),
    );
    expect(results.map(({ c }) => c!.data[0])).toEqual([10, 20, 30, 40]);
  });

  it('repeats itself to the last bit', async () => {
    const a = matrix(70, 900, (i, j) => Math.sin(i * 31 + j));
    const b = matrix(900, 40, (i, j) => Math.cos(i + 17 * j));
    const first = await multiply.run({ a, b });
    const second = await multiply.run({ a, b });
    expect(second).toEqual(first);
  });

  it('explains in one line what is wrong with a model, a feed or a session', async () => {
    const broken = engine.open({ bytes: Uint8Array.of(1, 2, 3), externalDataFolder: null });
    await expect(broken).rejects.toMatchObject({ kind: 'engine' });
    await expect(broken).rejects.not.toThrow(/\n/);
    const a = matrix(2, 2, () => 1);
    await expect(multiply.run({ a, b: matrix(3, 2, () => 1) })).rejects.toMatchObject({
      kind: 'engine',
    });
    await expect(multiply.run({ a })).rejects.toMatchObject({ kind: 'engine' });
    await expect(multiply.run({ a, b: a, z: a })).rejects.toThrow(/no input "z"/);
    await expect(
      multiply.run({ a, b: { data: new Float32Array(4), shape: [2, 2] } }),
    ).rejects.toThrow(/takes float64, fed float32/);
    const session = await engine.open(product);
    await session.release();
    await expect(session.run({ a, b: a })).rejects.toThrow(/released/);
  });

  it('says which device it cannot use', async () => {
    await expect(createNodeEngine({ device: 'cuda', threads: 1 })).rejects.toMatchObject({
      kind: 'engine',
      problem: { where: '--device cuda' },
    });
  });

  it('refuses an impossible number of threads', async () => {
    for (const threads of [0, 1.5, Number.NaN])
      await expect(createNodeEngine({ threads })).rejects.toMatchObject({ kind: 'input' });
  });

  it('rejects waiting and later calls with the stopped error once closed', async () => {
    const other = await createNodeEngine({ threads: 1 });
    const session = await other.open(product);
    const waiting = session.run({
      a: matrix(300, 300, () => 1),
      b: matrix(300, 300, () => 1),
    });
    const settled = expect(waiting).rejects.toMatchObject({ kind: 'stopped' });
    await other.close();
    await settled;
    await expect(other.open(product)).rejects.toMatchObject({ kind: 'stopped' });
    await other.close();
  });
});

describe('a process with an engine', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ventral-engine-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const runScript = (body: string) => {
    const source = JSON.stringify(new URL('../../src/node/engine.ts', import.meta.url).href);
    const script = join(folder, 'script.ts');
    writeFileSync(
      script,
      `import { createNodeEngine } from ${source};
       const bytes = Uint8Array.from(${JSON.stringify([...product.bytes])});
       createNodeEngine({ threads: 1 }).then(async (engine) => {
         const session = await engine.open({ bytes, externalDataFolder: null });
         ${body}
       });`,
    );
    const tsx = fileURLToPath(import.meta.resolve('tsx/cli'));
    const options = { cwd: folder, encoding: 'utf8', timeout: 60_000 } as const;
    const { stdout, stderr, status } = spawnSync(process.execPath, [tsx, script], options);
    return { stdout: stdout.trim(), stderr, status };
  };

  it('ends without closing it, from another folder, with nothing on standard error', () => {
    const ended = runScript(`
      const x = { data: Float64Array.of(3), shape: [1, 1] };
      console.log((await session.run({ a: x, b: x })).c.data[0]);`);
    expect(ended).toEqual({ stdout: '9', stderr: '', status: 0 });
  });

  it('waits for the engine to close in the middle of a run, whose answer comes too late', () => {
    const ended = runScript(`
      const x = { data: new Float64Array(1500 * 1500).fill(1), shape: [1500, 1500] };
      const stopped = session.run({ a: x, b: x }).catch(({ kind }) => kind);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await engine.close();
      console.log('closed,', await stopped);`);
    expect(ended).toEqual({ stdout: 'closed, stopped', stderr: '', status: 0 });
  });

  it('may exit in the middle of a run', () => {
    const ended = runScript(`
      const x = { data: new Float64Array(1500 * 1500).fill(1), shape: [1500, 1500] };
      for (let i = 0; i < 9; i++) session.run({ a: x, b: x });
      setTimeout(() => process.exit(7), 100);`);
    expect(ended).toEqual({ stdout: '', stderr: '', status: 7 });
  });
});
