// What the forms of partial least squares cost on one layer, one after the other in this process, and scikit-learn (`peer`) on
// the first of the bins and two of the folds, scaled to all.
// Run: npx tsx bench/forms.ts ROWS FOLDS SITES BINS FEATURES,… [FORM,…] [ROUNDS] [DECAY]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeEngine } from '../src/node/engine.ts';
import { createRandom } from '../src/numeric/random.ts';
import { addRows } from '../src/numeric/vectors.ts';
import type { Float64Nd } from '../src/records/array.ts';
import { unwatched } from '../src/records/watch.ts';
import { kFold } from '../src/regression/folds.ts';
import type { PlsForm } from '../src/regression/forms.ts';
import { predictHeldOut } from '../src/regression/pls.ts';
import { pls25 } from '../src/scoring/protocols.ts';

const [rows = 4046, count = 14, sites = 32, bins = 1] = process.argv.slice(2, 6).map(Number);
const widths = (process.argv[6] ?? '512').split(',').map(Number);
const forms = (process.argv[7] ?? 'features,covariance').split(',');
const rounds = Number(process.argv[8] ?? 2);
const decay = Number(process.argv[9] ?? 0.94);
const latent = 64;
const folds = kFold({ rows, count, shuffle: true, strata: null, seed: 0 });

const makeProblem = (columns: number) => {
  const random = createRandom(columns);
  const mixing = Float64Array.from({ length: latent * columns }, random.normal);
  const features = new Float32Array(rows * columns);
  const readouts = Array.from({ length: bins }, () =>
    Float64Array.from({ length: latent * sites }, random.normal),
  );
  const responses = readouts.map(() => new Float64Array(rows * sites));
  for (let i = 0; i < rows; i++) {
    const weights = Float64Array.from({ length: latent }, (_, k) => random.normal() * decay ** k);
    const row = Float64Array.from({ length: columns }, () => 1 + random.next());
    addRows(row, mixing, latent, weights);
    features.set(row, i * columns);
    readouts.forEach((readout, bin) => {
      const response = Float64Array.from({ length: sites }, () => 3 * random.normal());
      addRows(response, readout, latent, weights);
      responses[bin]!.set(response, i * sites);
    });
  }
  return {
    features,
    targets: responses.map((data): Float64Nd => ({ data, shape: [rows, sites] })),
  };
};

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array | Int32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

const PEER_FOLDS = 2;

/** Seconds of scikit-learn for all folds and bins, with the fastest kernel that its library has for the processor. */
const runPeer = (features: Float32Array, targets: readonly Float64Nd[], ours: Float64Nd | null) => {
  const folder = mkdtempSync(join(tmpdir(), 'ventral-forms-'));
  try {
    const fold = new Int32Array(rows);
    folds.forEach(({ test }, k) => {
      for (const row of test) fold[row] = k;
    });
    writeFileSync(join(folder, 'x.f32'), bytesOf(features));
    writeFileSync(join(folder, 'y.f64'), bytesOf(targets[0]!.data));
    writeFileSync(join(folder, 'fold.i32'), bytesOf(fold));
    writeFileSync(join(folder, 'problem.json'), JSON.stringify({ rows, ...pls25 }));
    const { OPENBLAS_CORETYPE: _type, OPENBLAS_L2_SIZE: _size, ...env } = process.env;
    const peer = fileURLToPath(new URL('./pls_peer.py', import.meta.url));
    const python = process.env.PYTHON ?? '/usr/bin/python3';
    const output = execFileSync(python, [peer, folder, String(PEER_FOLDS)], {
      encoding: 'utf8',
      env: { ...env, OPENBLAS_NUM_THREADS: String(availableParallelism()) },
    });
    const { seconds, processor } = JSON.parse(output) as { seconds: number; processor: number };
    const predicted = readFileSync(join(folder, 'peer.f64'));
    let worst = 0;
    for (let k = 0; ours !== null && k < ours.data.length; k++) {
      const theirs = predicted.readDoubleLE(8 * k);
      if (!Number.isNaN(theirs)) worst = Math.max(worst, Math.abs(theirs - ours.data[k]!));
    }
    const scale = (count / PEER_FOLDS) * bins;
    return { seconds: seconds * scale, processor: processor * scale, worst };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const engine = await createNodeEngine({ threads: availableParallelism() });
for (const columns of widths) {
  const { features, targets } = makeProblem(columns);
  let first: Float64Nd[] | null = null;
  for (const form of forms) {
    if (form === 'peer') {
      const { seconds, processor, worst } = runPeer(features, targets, first?.[0] ?? null);
      process.stdout.write(
        `n ${rows} folds ${count} q ${sites} bins ${bins} p ${columns} scikit-learn: ${seconds.toFixed(1)} s, processor ${processor.toFixed(1)} s; differs by ${worst.toExponential(1)}; load ${loadavg()[0]!.toFixed(1)}\n`,
      );
      continue;
    }
    const seconds: number[] = [];
    const processor: number[] = [];
    let arithmetic = '';
    let worst = 0;
    for (let round = 0; round < rounds; round++) {
      const block = { data: features.slice(), shape: [rows, columns] };
      const source = {
        ...{ name: 'bench', rows, columns, blockCount: 1 },
        async *blocks() {
          yield block;
        },
      };
      const before = process.cpuUsage();
      const started = performance.now();
      const fit = await predictHeldOut(
        { engine, source, targets, settings: pls25, watch: unwatched },
        folds,
        form === 'chosen' ? null : (form as PlsForm),
      );
      seconds.push((performance.now() - started) / 1000);
      const { user, system } = process.cpuUsage(before);
      processor.push((user + system) / 1e6);
      arithmetic = fit.arithmetic;
      first ??= fit.predictions;
      for (const [set, { data }] of fit.predictions.entries())
        data.forEach((value, k) => {
          worst = Math.max(worst, Math.abs(value - first![set]!.data[k]!));
        });
    }
    process.stdout.write(
      `n ${rows} folds ${count} q ${sites} bins ${bins} p ${columns} ${form} (${arithmetic}): ${Math.min(...seconds).toFixed(2)} s, processor ${Math.min(...processor).toFixed(2)} s; differs by ${worst.toExponential(1)}; load ${loadavg()[0]!.toFixed(1)}; rss ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB\n`,
    );
  }
}
await engine.close();
