// What the time bins of a recording cost: held-out predictions of five bins in one pass against those of one bin, on the
// paper's sizes, one after the other in this process.
// Run: npx tsx bench/bins.ts [features …]

import { availableParallelism, loadavg } from 'node:os';
import { createNodeEngine } from '../src/node/engine.ts';
import { createRandom } from '../src/numeric/random.ts';
import { addRows } from '../src/numeric/vectors.ts';
import type { Float64Nd } from '../src/records/array.ts';
import type { Engine } from '../src/records/ports.ts';
import { leaveOneGroupOut } from '../src/regression/folds.ts';
import { predictHeldOut } from '../src/regression/pls.ts';
import { pls25 } from '../src/scoring/protocols.ts';

const rows = 4046;
const sites = 32;
const images = 14;
const bins = 5;
const latent = 64;
const rounds = 2;
const folds = leaveOneGroupOut(
  Array.from({ length: rows }, (_, row) => `image ${Math.floor((row * images) / rows)}`),
);

/** Features with a decaying spectrum and noise, and the bins' responses: the same directions, other noise and weights. */
const makeProblem = (columns: number) => {
  const random = createRandom(columns);
  const mixing = Float64Array.from({ length: latent * columns }, random.normal);
  const readouts = Array.from({ length: bins }, () =>
    Float64Array.from({ length: latent * sites }, random.normal),
  );
  const features = new Float32Array(rows * columns);
  const responses = readouts.map(() => new Float64Array(rows * sites));
  for (let i = 0; i < rows; i++) {
    const weights = Float64Array.from({ length: latent }, (_, k) => random.normal() * 0.94 ** k);
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
    responses: responses.map((data): Float64Nd => ({ data, shape: [rows, sites] })),
  };
};

type Problem = ReturnType<typeof makeProblem>;

interface Timing {
  readonly seconds: number;
  /** Processor time of all threads, which other work on the machine disturbs less. */
  readonly processor: number;
  readonly arithmetic: string;
}

const timed = async (
  engine: Engine,
  { features, responses }: Problem,
  count: number,
): Promise<Timing> => {
  const columns = features.length / rows;
  // A block that is handed over is overwritten.
  const block = { data: features.slice(), shape: [rows, columns] };
  const source = {
    ...{ name: 'bench', rows, columns, blockCount: 1 },
    async *blocks() {
      yield block;
    },
  };
  const hooks = { progress: () => undefined, checkStop: () => undefined };
  const before = process.cpuUsage();
  const started = performance.now();
  const some = responses.slice(0, count);
  const { arithmetic } = await predictHeldOut(
    { engine, source, targets: some, settings: pls25, watch: hooks },
    folds,
  );
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, processor: (user + system) / 1e6, arithmetic };
};

const best = (timings: readonly Timing[], what: 'seconds' | 'processor'): number =>
  Math.min(...timings.map((timing) => timing[what]));

const asked = process.argv.slice(2).map(Number);
const engine = await createNodeEngine({ threads: availableParallelism() });
process.stdout.write(
  `n = ${rows}, ${sites} sites, ${images} folds, ${pls25.components} components, ${engine.threads} threads, best of ${rounds}\n`,
);
for (const columns of asked.length > 0 ? asked : [2048, 16_384]) {
  const problem = makeProblem(columns);
  const one: Timing[] = [];
  const all: Timing[] = [];
  for (let round = 0; round < rounds; round++) {
    one.push(await timed(engine, problem, 1));
    all.push(await timed(engine, problem, bins));
  }
  const line = (what: 'seconds' | 'processor'): string =>
    `${best(one, what).toFixed(2)} s and ${best(all, what).toFixed(2)} s, ratio ${(best(all, what) / best(one, what)).toFixed(2)}`;
  process.stdout.write(
    `p = ${columns} (${all[0]!.arithmetic}): 1 bin and ${bins} bins ${line('seconds')}; processor ${line('processor')}; load ${loadavg()[0]!.toFixed(1)}\n`,
  );
}
await engine.close();
