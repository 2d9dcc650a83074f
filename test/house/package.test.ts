import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { gaborBank } from '../../src/architectures/gabor-bank.ts';
import { encodeCsv } from '../../src/formats/csv.ts';
import { npyParts } from '../../src/formats/npy.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { NdArray } from '../../src/records/array.ts';
import type { RecordingHeader } from '../../src/records/recording.ts';
import type { Score } from '../../src/records/score.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}
const manifest: Manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

let work = '';
let user = '';
/** Why the package could not be installed here, though nothing is wrong with it. */
let unreachable: string | null = null;

/** The environment of a user: nothing of the npm that may be running these tests. */
const environment = (): NodeJS.ProcessEnv => {
  const own =
    /^npm_(package|lifecycle)_|^npm_(command|execpath|config_(local_prefix|onnxruntime))/i;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  // The README's way: onnxruntime's install script would ask for CUDA libraries.
  return {
    ...Object.fromEntries(kept),
    ONNXRUNTIME_NODE_INSTALL: 'skip',
    VENTRAL_CACHE: join(work, 'cache'),
  };
};

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}
const run = (folder: string, command: string, ...args: string[]): Outcome =>
  spawnSync(command, args, {
    cwd: folder,
    env: environment(),
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });

const must = (outcome: Outcome): Outcome => {
  if (outcome.status !== 0) throw new Error(`${outcome.stdout}\n${outcome.stderr}`);
  return outcome;
};

/** What packing needs, in a folder of its own: a build in the checkout would disturb whoever works in it. */
const copySource = (to: string): void => {
  mkdirSync(to);
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'), 'junction');
  for (const name of readdirSync(ROOT)) {
    if (/^tsconfig\..*json$|^package\.json$|\.(md|cff)$|^LICENSE$/.test(name)) {
      copyFileSync(join(ROOT, name), join(to, name));
    }
  }
  for (const folder of ['src', 'scripts']) {
    cpSync(join(ROOT, folder), join(to, folder), { recursive: true });
  }
};

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'ventral-package-'));
  const source = join(work, 'source');
  copySource(source);
  must(run(source, 'npm', 'pack', '--pack-destination', work));
  const tarball = readdirSync(work).find((name) => name.endsWith('.tgz'))!;

  user = join(work, 'user');
  mkdirSync(user);
  writeFileSync(join(user, 'package.json'), '{ "private": true, "type": "module" }');
  const installed = run(
    user,
    'npm',
    'install',
    '--prefer-offline',
    '--no-audit',
    join(work, tarball),
  );
  const network = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.exec(
    installed.stderr,
  );
  if (installed.status !== 0 && network !== null) {
    unreachable = `the npm registry cannot be reached (${network[0]})`;
  } else {
    must(installed);
  }
}, 600_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

const installedOrSkip = (context: TestContext): string => {
  if (unreachable !== null) context.skip(unreachable);
  return join(user, 'node_modules/ventral');
};

const STIMULI = 60;
const FEATURES = 30;
const TRIALS = 2;
const SITES = 3;

/** Sites that are linear in the features, with a little noise in every trial. */
const makeWorld = async (folder: string): Promise<void> => {
  const random = createRandom('packed package');
  const features = Float32Array.from({ length: STIMULI * FEATURES }, () => random.normal());
  const weights = Float64Array.from({ length: FEATURES * SITES }, () => random.normal());
  const drive = (stimulus: number, site: number): number =>
    weights.reduce(
      (sum, weight, at) =>
        at % SITES === site
          ? sum + weight * features[stimulus * FEATURES + Math.floor(at / SITES)]!
          : sum,
      0,
    );
  const responses = Float64Array.from(
    { length: STIMULI * TRIALS * SITES },
    (_, at) => drive(Math.floor(at / (TRIALS * SITES)), at % SITES) + 0.5 * random.normal(),
  );
  const header: RecordingHeader = {
    kind: 'recording',
    format: 2,
    name: 'tiny',
    species: 'simulated',
    dims: ['stimulus', 'trial', 'site'],
    sites: Array.from({ length: SITES }, (_, site) => ({ id: `site${site}`, area: 'V4' })),
    timeBins: [{ start: 70, end: 170 }],
    grid: null,
    unit: 'arbitrary',
    licence: null,
    citation: null,
    notes: ['simulated'],
  };
  const ids = Array.from({ length: STIMULI }, (_, stimulus) => String(stimulus).padStart(2, '0'));
  const npy = (path: string, array: NdArray): void =>
    writeFileSync(path, Buffer.concat(npyParts(array)));

  mkdirSync(join(folder, 'recording/stimuli'), { recursive: true });
  npy(join(folder, 'features.npy'), { data: features, shape: [STIMULI, FEATURES] });
  npy(join(folder, 'recording/responses.npy'), {
    data: responses,
    shape: [STIMULI, TRIALS, SITES],
  });
  writeFileSync(join(folder, 'recording/recording.json'), JSON.stringify(header));
  writeFileSync(
    join(folder, 'recording/stimuli.csv'),
    encodeCsv(
      ['stimulus_id', 'file'],
      ids.map((id) => [id, `${id}.png`]),
    ),
  );
  const images = createNodeImages();
  for (const [grey, id] of ids.entries()) {
    const data = new Uint8Array(8 * 8 * 3).fill(4 * grey);
    const png = await images.encode({ width: 8, height: 8, channels: 3, data });
    writeFileSync(join(folder, 'recording/stimuli', `${id}.png`), png);
  }
};

/** What a consumer imports: `ventral`, `ventral/node`, … */
const entries = Object.entries(manifest.exports).flatMap(([name, entry]) =>
  typeof entry === 'string' ? [] : [`ventral${name.slice(1)}`],
);

/** The program of README's section on the library. */
const readmeProgram = (): string => {
  const section = readFileSync(join(ROOT, 'README.md'), 'utf8').split('## As a library')[1]!;
  return /```js\n([\s\S]*?)```/.exec(section)![1]!;
};

describe('the packed package, installed in an empty folder', () => {
  test('holds what its manifest points to, and nothing of the workshop', (context) => {
    const folder = installedOrSkip(context);
    const named = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    const missing = [...named, ...Object.values(manifest.bin), 'LICENSE', 'README.md'].filter(
      (path) => !existsSync(join(folder, path)),
    );
    expect(missing).toEqual([]);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    expect(files.filter((path) => /tsbuildinfo|\.test\.|^test|^bench|^\./.test(path))).toEqual([]);
  });

  test('is imported by plain Node', (context) => {
    installedOrSkip(context);
    writeFileSync(
      join(user, 'import.js'),
      `${entries
        .map((entry) => `console.log(Object.keys(await import('${entry}')).length > 0);`)
        .join('\n')}\n`,
    );
    const { stdout } = must(run(user, process.execPath, 'import.js'));
    expect(stdout.trim().split('\n')).toEqual(entries.map(() => 'true'));
  });

  test('has types without a hole', (context) => {
    installedOrSkip(context);
    writeFileSync(
      join(user, 'types.ts'),
      `${entries.map((entry, at) => `export * as entry${at} from '${entry}';`).join('\n')}\n`,
    );
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023'];
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = run(user, process.execPath, compiler, ...options, 'types.ts');
    const problems = (text: string): string[] =>
      text.split('\n').filter((line) => /^types\.ts|node_modules\/ventral/.test(line));
    expect(problems(stdout)).toEqual([]);
    // A workspace that takes the source in place of the build.
    const source = [
      '--customConditions',
      'ventral-source',
      '--allowImportingTsExtensions',
      '--skipLibCheck',
    ];
    const typed = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    const both = run(user, process.execPath, compiler, ...options, ...source, ...typed, 'types.ts');
    expect(problems(both.stdout)).toEqual([]);
  });

  test('runs ventral --version', (context) => {
    installedOrSkip(context);
    const { stdout } = must(run(user, 'npx', '--no-install', 'ventral', '--version'));
    expect(stdout.trim()).toBe(manifest.version);
  });

  test('does as a library what the README writes, in plain JavaScript', async (context) => {
    installedOrSkip(context);
    await makeWorld(join(user, 'demo'));
    cpSync(join(user, 'demo/recording'), join(user, 'demo/V4'), { recursive: true });
    mkdirSync(join(user, 'demo/models'), { recursive: true });
    writeFileSync(join(user, 'demo/models/gabor-bank.onnx'), encodeModel(gaborBank()));
    writeFileSync(join(user, 'readme.js'), readmeProgram());
    const { stdout } = must(run(user, process.execPath, 'readme.js'));
    expect(stdout).toContain('60 stimuli, 60 rows, 3 sites; protocol ventral');
    expect(stdout).toMatch(/^complex\S* 60×\d+$/m);
    const score = JSON.parse(readFileSync(join(user, 'score.json'), 'utf8')) as Score;
    expect(score.learningCurve).not.toBeNull();
    expect(existsSync(join(user, 'score.json.readout.npz'))).toBe(true);
  });

  test('scores activations against a recording', async (context) => {
    installedOrSkip(context);
    await makeWorld(user);
    const options = ['--activations', 'features.npy', '--recording', 'recording'];
    must(run(user, 'npx', '--no-install', 'ventral', 'score', ...options, '--out', 'score.json'));
    const score: { kind: string; value: number; layer: string } = JSON.parse(
      readFileSync(join(user, 'score.json'), 'utf8'),
    );
    expect(score).toMatchObject({ kind: 'neural-predictivity', layer: 'features' });
    expect(score.value).toBeGreaterThan(0.9);
    expect(score.value).toBeLessThan(1.1);
  });
});
