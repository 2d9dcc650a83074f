// Held-out predictions of 14 folds by partial least squares: ours against scikit-learn on the same files, with the same
// number of threads, one after the other, each in a process of its own.
// Run: npx tsx bench/pls.ts [features …]

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../src/node/engine.ts';
import { createRandom } from '../src/numeric/random.ts';
import { addRows } from '../src/numeric/vectors.ts';
import { fitBytes } from '../src/regression/estimate.ts';
import { kFold } from '../src/regression/folds.ts';
import { predictHeldOut } from '../src/regression/pls.ts';
import { pls25 } from '../src/scoring/protocols.ts';

const rows = 4046;
const sites = 32;
const folds = 14;
const threads = availableParallelism();
const python = process.env.PYTHON ?? '/usr/bin/python3';
const own = fileURLToPath(import.meta.url);
const peer = fileURLToPath(new URL('./pls_peer.py', import.meta.url));
const latent = 64;

interface Timing {
  readonly seconds: number;
  /** Processor time of all threads, which other work on the machine disturbs less. */
  readonly processor: number;
  readonly peak: number;
  readonly version: string;
}

interface OurTiming extends Timing {
  readonly arithmetic: string;
  /** Resident before the fit, the features included. */
  readonly before: number;
}

/** A float array in a file of its own; `read` and `write` copy bytes as they lie in memory. */
const write = (path: string, data: Float32Array | Float64Array | Int32Array): void =>
  writeFileSync(path, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
const read = (path: string): ArrayBuffer => {
  const bytes = new Uint8Array(statSync(path).size);
  const file = openSync(path, 'r');
  for (let at = 0; at < bytes.length; ) at += readSync(file, bytes, at, bytes.length - at, at);
  closeSync(file);
  return bytes.buffer;
};

/** 64 latent directions with a decaying spectrum and noise, as features; sites that see the directions through noise. */
const makeProblem = (folder: string, columns: number): void => {
  const random = createRandom(columns);
  const scores = Float64Array.from(
    { length: rows * latent },
    (_, k) => random.normal() * 0.94 ** (k % latent),
  );
  const mixing = Float64Array.from({ length: latent * columns }, random.normal);
  const readout = Float64Array.from({ length: latent * sites }, random.normal);
  const responses = new Float64Array(rows * sites);
  writeFileSync(join(folder, 'x.f32'), '');
  for (let i = 0; i < rows; i++) {
    const weights = scores.subarray(i * latent, (i + 1) * latent);
    const row = Float64Array.from({ length: columns }, () => 1 + random.next());
    addRows(row, mixing, latent, weights);
    appendFileSync(join(folder, 'x.f32'), new Uint8Array(Float32Array.from(row).buffer));
    const response = Float64Array.from({ length: sites }, () => 3 * random.normal());
    addRows(response, readout, latent, weights);
    responses.set(response, i * sites);
  }
  write(join(folder, 'y.f64'), responses);
  const fold = new Int32Array(rows);
  kFold({ rows, count: folds, shuffle: true, strata: null, seed: 0 }).forEach(({ test }, k) => {
    for (const row of test) fold[row] = k;
  });
  write(join(folder, 'fold.i32'), fold);
  const { components, tolerance } = pls25;
  writeFileSync(
    join(folder, 'problem.json'),
    JSON.stringify({ rows, columns, components, tolerance }),
  );
};

/** Resident bytes of this process, as Linux counts them. */
const resident = (which: 'VmHWM' | 'VmRSS'): number => {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1]) * 1024;
};

/** The measured side of ours, in a process that has done nothing else. */
const runOurs = async (folder: string): Promise<OurTiming> => {
  const { columns } = JSON.parse(readFileSync(join(folder, 'problem.json'), 'utf8')) as {
    columns: number;
  };
  const x = { data: new Float32Array(read(join(folder, 'x.f32'))), shape: [rows, columns] };
  const y = { data: new Float64Array(read(join(folder, 'y.f64'))), shape: [rows, sites] };
  const fold = new Int32Array(read(join(folder, 'fold.i32')));
  const parts = Array.from({ length: folds }, (_, k) => ({
    name: `fold ${k}`,
    test: Int32Array.from(fold.keys()).filter((row) => fold[row] === k),
  }));
  const source = {
    name: 'bench',
    rows,
    columns,
    blockCount: 1,
    async *blocks() {
      yield x;
    },
  };
  const engine = await createNodeEngine({ threads });
  const before = resident('VmRSS');
  const usedBefore = process.cpuUsage();
  const startedAt = performance.now();
  const { predictions, arithmetic } = await predictHeldOut(
    {
      engine,
      source,
      targets: [y],
      settings: pls25,
      watch: {
        progress: () => {},
        checkStop: () => {},
      },
    },
    parts,
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const used = process.cpuUsage(usedBefore);
  const processor = (used.user + used.system) / 1e6;
  write(join(folder, 'ours.f64'), predictions[0]!.data);
  await engine.close();
  return {
    seconds,
    processor,
    peak: resident('VmHWM'),
    before,
    version: engine.version,
    arithmetic,
  };
};

const child = <T>(command: string, args: readonly string[]): T => {
  const env = {
    ...process.env,
    OPENBLAS_NUM_THREADS: String(threads),
    OMP_NUM_THREADS: String(threads),
  };
  const output = execFileSync(command, args, { encoding: 'utf8', env, maxBuffer: 2 ** 24 });
  return JSON.parse(output) as T;
};

/** In standard deviations of a site, over the rows that the peer predicted. */
const largestDifference = (folder: string): number => {
  const [ours, theirs, y] = ['ours', 'peer', 'y'].map(
    (name) => new Float64Array(read(join(folder, `${name}.f64`))),
  ) as [Float64Array, Float64Array, Float64Array];
  let worst = 0;
  for (let j = 0; j < sites; j++) {
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < rows; i++) sum += y[i * sites + j]!;
    for (let i = 0; i < rows; i++) squares += (y[i * sites + j]! - sum / rows) ** 2;
    for (let k = j; k < ours.length; k += sites) {
      if (Number.isNaN(theirs[k])) continue;
      worst = Math.max(worst, Math.abs(ours[k]! - theirs[k]!) / Math.sqrt(squares / rows));
    }
  }
  return worst;
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const compare = (columns: number): void => {
  const folder = mkdtempSync(join(tmpdir(), 'ventral-bench-'));
  try {
    makeProblem(folder, columns);
    const load = loadavg()[0]!.toFixed(1);
    const ours = child<OurTiming>(process.execPath, [...process.execArgv, own, '--ours', folder]);
    // At many features one fold takes scikit-learn a minute: some are timed, and the time is scaled to all.
    const timed = columns > 4096 ? 2 : folds;
    const theirs = child<Timing>(python, [peer, folder, String(timed)]);
    const [scaled, processor] = [theirs.seconds, theirs.processor].map(
      (all) => (all * folds) / timed,
    ) as [number, number];
    const estimate = fitBytes({ rows, columns, folds, sets: 1, sites, ...pls25 });
    const { version } = theirs;
    say(
      [
        `p = ${columns}`,
        `  ours          ${ours.seconds.toFixed(2)} s (processor ${ours.processor.toFixed(2)} s), ${ours.arithmetic}, peak ${megabytes(ours.peak)}: ${megabytes(ours.before)} before the fit and ${megabytes(ours.peak - ours.before)} more (planned ${megabytes(estimate - 4 * rows * columns)})`,
        `  ${version}   ${scaled.toFixed(1)} s (processor ${processor.toFixed(1)} s)${timed < folds ? `, ${timed} of ${folds} folds timed and scaled` : ''}, peak ${megabytes(theirs.peak)}`,
        `  ratio         ${(scaled / ours.seconds).toFixed(1)} (processor time ${(processor / ours.processor).toFixed(1)})`,
        `  difference    ${largestDifference(folder).toExponential(1)} standard deviations at most`,
        `  load          ${load} when it began`,
      ].join('\n'),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const [first, second] = process.argv.slice(2);
if (first === '--ours') {
  process.stdout.write(JSON.stringify(await runOurs(second!)));
} else {
  say(
    `n = ${rows}, ${sites} targets, ${folds} folds, ${pls25.components} components, tolerance ${pls25.tolerance}, ${threads} threads on both sides`,
  );
  const asked = process.argv.slice(2).map(Number);
  for (const columns of asked.length > 0 ? asked : [512, 2048, 16_384]) compare(columns);
}
