import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { productModel } from '../../src/graph/products.ts';
import { createNodeEngine } from '../../src/node/engine.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import type { Engine, WeightsFile } from '../../src/records/ports.ts';
import { errorLine } from '../contracts/contract.ts';
import { matrix } from '../contracts/engine.ts';
import { modelOf, outsideFiles, outsideModel } from '../contracts/engine-models.ts';

// What every engine keeps is in `contracts/engine.ts` and `contracts/engine-models.ts`.

let engine: Engine;
beforeAll(async () => {
  engine = await createNodeEngine({ threads: 2 });
});
afterAll(() => engine.close());

const x = () => ({ data: Float32Array.of(1, 1), shape: [1, 2] });

describe('the engine of Node', () => {
  it('names itself', () => {
    expect(engine.version).toMatch(/^onnxruntime-node \d+\.\d+\.\d+$/);
    expect([engine.device, engine.threads]).toEqual(['cpu', 2]);
  });

  it('takes Buffers', async () => {
    const session = await engine.open(
      modelOf(
        [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
        [['x', 'uint8', ['n']]],
        [['y', 'uint8', ['n']]],
      ),
    );
    const { fetched } = await session.run({ x: { data: Buffer.from([3, 255]), shape: [2] } });
    expect(fetched.y!.data).toEqual(Uint8Array.of(3, 255));
  });

  it('keeps nothing of a run that fails after it ran', async () => {
    // Text is no output that can be kept; the number beside it can.
    const nodes: OnnxNode[] = [
      { op: 'Neg', inputs: ['x'], outputs: ['y'] },
      { op: 'Cast', inputs: ['x'], outputs: ['words'], attributes: { to: { int: 8 } } },
    ];
    const session = await engine.open(
      modelOf(
        nodes,
        [['x', 'float32', [1, 2]]],
        [
          ['y', 'float32', [1, 2]],
          ['words', 'string', [1, 2]],
        ],
      ),
    );
    const before = await engine.hold(x());
    const keep = ['y', 'words'];
    expect(await errorLine('engine', session.run({ x: x() }, { keep }))).toContain('holds text');
    // Ids are counted: none was given.
    expect((await engine.hold(x())).id).toBe(before.id + 1);
  });

  it('says what is wrong with a feed', async () => {
    const session = await engine.open(productModel('a·b', 'float64'));
    const a = matrix(2, 2, () => 1);
    const b = { data: new Float32Array(4), shape: [2, 2] };
    expect(await errorLine('engine', session.run({ a, b }))).toBe(
      'onnxruntime: expected a run of the model, got input "b" takes float64, fed float32; check the model and what it is fed',
    );
    const held = await engine.hold(matrix(2, 2, () => 1));
    await engine.drop(held);
    expect(await errorLine('engine', engine.read(held))).toBe(
      'onnxruntime: expected an array that this engine holds, got a held array that was taken or dropped, or is of another engine; take or drop an array once, in the engine that holds it',
    );
    expect(await errorLine('engine', session.run({ a: { held }, b: a }))).toContain(
      'got a held array that was taken or dropped, or is of another engine',
    );
  });

  it('lets onnxruntime map weights of this computer, but no file that was not handed over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ventral-weights-'));
    const files = createNodeFiles();
    const given: WeightsFile[] = [];
    for (const [name, bytes] of Object.entries(outsideFiles())) {
      const path = `${folder}/${name}`;
      await files.write(path, [bytes]);
      given.push({ name, path, files });
    }
    const read = vi.spyOn(files, 'read');
    try {
      const session = await engine.open({ bytes: outsideModel(), externalData: given });
      expect([...(await session.run({ x: x() })).fetched.y!.data]).toEqual([104, 206]);
      expect(read).not.toHaveBeenCalled();
      const some = { bytes: outsideModel(), externalData: given.slice(0, 1) };
      expect(await errorLine('engine', engine.open(some))).toContain('v.bin');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says which device it cannot use', async () => {
    for (const device of ['cuda', 'abacus'])
      await expect(createNodeEngine({ device, threads: 1 })).rejects.toMatchObject({
        kind: 'engine',
        problem: { code: 'device-unusable', field: 'device', where: `device: ${device}` },
      });
  });

  it('refuses an impossible number of threads', async () => {
    for (const threads of [0, 1.5, Number.NaN])
      await expect(createNodeEngine({ threads })).rejects.toMatchObject({ kind: 'input' });
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
       const bytes = Uint8Array.from(${JSON.stringify([...productModel('a·b', 'float64').bytes])});
       createNodeEngine({ threads: 1 }).then(async (engine) => {
         const session = await engine.open({ bytes });
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
      console.log((await session.run({ a: x, b: x })).fetched.c.data[0]);`);
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
