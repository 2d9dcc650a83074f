import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { npzParts } from '../../src/formats/npz.ts';
import { writeRecording } from '../../src/formats/recording-write.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { temporaryFolder } from '../small-study.ts';
import { cliDone, listing, type Outcome } from './run-cli.ts';

// The real program as a process of its own, with work for a second or two: five layers of given activations.

const root = fileURLToPath(new URL('../..', import.meta.url));
const rows = 400;
const columns = 1000;
const layers = ['a', 'b', 'c', 'd', 'e'];
const sites = 6;

let folder: string;

beforeAll(async () => {
  folder = temporaryFolder();
  const random = createRandom('interrupt');
  const normals = (count: number) => Float32Array.from({ length: count }, random.normal);
  const arrays = layers.map((name) => [
    name,
    { data: normals(rows * columns), shape: [rows, columns] },
  ]);
  writeFileSync(join(folder, 'features.npz'), Buffer.concat(npzParts(Object.fromEntries(arrays))));
  const protocol = protocolNamed('image-cv', 'image')!;
  const interval = { ...protocol.interval, replicates: 20 };
  writeFileSync(join(folder, 'protocol.json'), JSON.stringify({ ...protocol, interval }));
  const picture = { width: 2, height: 2, channels: 3 as const, data: new Uint8Array(12) };
  const png = await createNodeImages().encode(picture);
  await writeRecording(
    join(folder, 'recording'),
    {
      header: {
        kind: 'recording',
        format: 2,
        name: 'noise',
        species: 'none',
        dims: ['stimulus', 'trial', 'site'],
        sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
        timeBins: [{ start: 0, end: 100 }],
        grid: null,
        unit: 'none',
        licence: null,
        citation: null,
        notes: [],
      },
      responses: {
        data: Float64Array.from({ length: rows * 2 * sites }, (_, i) => {
          const image = Math.floor(i / (2 * sites));
          return Math.sin(image * (1 + (i % sites))) + 0.3 * random.normal();
        }),
        shape: [rows, 2, sites],
      },
      stimuli: Array.from({ length: rows }, (_, i) => ({
        id: `i${i}`,
        file: 'one.png',
        columns: {},
      })),
      image: async () => png,
    },
    { files: createNodeFiles() },
  );
});

const scoring = (...options: string[]): string[] => [
  ...['score', '--activations', join(folder, 'features.npz')],
  ...['--recording', join(folder, 'recording'), '--threads', '1'],
  ...['--protocol', join(folder, 'protocol.json'), ...options],
];

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

const start = (cache: string, ...options: string[]): Run => {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'src/cli/main.ts', ...scoring(...options)],
    { cwd: root, env: { ...process.env, VENTRAL_CACHE: cache }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.on('data', (chunk) => {
      text[name] += chunk;
    });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...text }));
  return { child, ended };
};

/** The same command in this process. */
const run = (cache: string, ...options: string[]): Promise<Outcome> => {
  process.env.VENTRAL_CACHE = cache;
  return cliDone(...scoring(...options));
};

/** Layers that the cache holds; entries on their way have temporary names. */
const kept = (cache: string): number =>
  existsSync(cache) ? listing(cache).filter((name) => /fits\/..\/[0-9a-f]+$/.test(name)).length : 0;

const timeless = (path: string): string =>
  readFileSync(path, 'utf8').replace(/"(seconds|startedAt)": .*/g, '');

describe('Ctrl-C in the middle of a score', () => {
  it('ends it in one line, leaves no output, and the next run goes on from the layers done', async () => {
    const [cache, outputs] = [join(folder, 'cache'), join(folder, 'outputs')];
    mkdirSync(outputs);
    const out = join(outputs, 'new', 'score.json');
    const options = ['--out', out, '--keep', 'predictions,readout'];
    const { child, ended } = start(cache, '--quiet', ...options);
    while (kept(cache) === 0 && child.exitCode === null) await wait(5);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toBe(
      'ventral: stopped before the end; run again to go on from the layers already done\n',
    );
    expect(listing(outputs)).toEqual([]);
    const done = kept(cache);
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(layers.length);
    expect(listing(cache).filter((name) => name.includes('.tmp'))).toEqual([]);

    const plan = await run(cache, '--dry-run');
    expect(plan.stdout.match(/done before$/gm)?.length).toBe(done);
    expect(plan.stdout).toContain(`5 layers (${done} done before)`);

    const [again, whole] = [join(folder, 'again.json'), join(folder, 'whole.json')];
    await run(cache, '--out', again);
    await run(join(folder, 'other cache'), '--out', whole);
    expect(timeless(again)).toBe(timeless(whole));
  });
});
