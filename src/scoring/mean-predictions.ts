import { standardDeviation } from '../numeric/statistics.ts';
import { unitOf } from '../numeric/unit.ts';
import type { Float64Nd } from '../records/array.ts';

/** Of a site's standard deviation; rounding stays far below, whatever a regression finds far above. */
const negligible = 1e-7;

/** Rows (of the table that is scored) that one regression predicted, and the rows of all that it did not train on. */
interface PredictedRows {
  readonly rows: Int32Array;
  readonly test: Int32Array;
}

const lastMeans = new WeakMap<
  Int32Array,
  { readonly of: Float64Nd; readonly means: Float64Array }
>();

/**
 * Mean response `[sites]` over all rows of a table `[rows, sites]` but those left out, and those that are missing. Kept for
 * the last table: all layers ask for the same.
 */
export const trainedMean = (responses: Float64Nd, test: Int32Array): Float64Array => {
  const last = lastMeans.get(test);
  if (last?.of === responses) return last.means;
  const means = meanWithout(responses, test);
  lastMeans.set(test, { of: responses, means });
  return means;
};

const meanWithout = (responses: Float64Nd, test: Int32Array): Float64Array => {
  const [rows, sites] = responses.shape as readonly [number, number];
  const sums = new Float64Array(sites);
  const counts = new Float64Array(sites);
  const training = new Uint8Array(rows).fill(1);
  for (const row of test) training[row] = 0;
  for (let i = 0; i < rows; i++) {
    if (training[i] === 0) continue;
    for (let s = 0; s < sites; s++) {
      const value = responses.data[i * sites + s]!;
      if (Number.isNaN(value)) continue;
      sums[s]! += value;
      counts[s]! += 1;
    }
  }
  return sums.map((sum, s) => sum / counts[s]!);
};

/** Largest magnitude of each column. */
const largestOf = ({ data, shape }: Float64Nd): Float64Array => {
  const [rows, sites] = shape as readonly [number, number];
  const largest = new Float64Array(sites);
  for (let i = 0; i < rows; i++)
    for (let s = 0; s < sites; s++) {
      const value = Math.abs(data[i * sites + s]!);
      if (value > largest[s]!) largest[s] = value;
    }
  return largest;
};

/**
 * Held-out predictions `[rows scored, sites]`, with NaN for a site that was predicted by the mean of its training rows
 * throughout: the regression found nothing in the features (a dead layer). The mean of all other rows is low where the
 * held-out ones are high, so that such predictions would correlate negatively, as if they knew something.
 *
 * @param fitted `responses [rows, sites]`, and `recorded [rows scored, sites]`, what is scored of them.
 */
export const withoutMeanPredictions = (
  { responses, recorded }: { readonly responses: Float64Nd; readonly recorded: Float64Nd },
  predicted: Float64Nd,
  heldOut: readonly PredictedRows[],
): Float64Nd => {
  const [rows, sites] = recorded.shape as readonly [number, number];
  const data = Float64Array.from(predicted.data);
  const means = heldOut.map(({ test }) => trainedMean(responses, test));
  const largest = largestOf(recorded);
  for (let s = 0; s < sites; s++) {
    // No standard deviation is more than twice the largest value: one clear row spares the rest.
    const clear = negligible * 2 * largest[s]!;
    const knows = heldOut.some(({ rows: held }, fold) => {
      for (let i = 0; i < held.length; i++) {
        const off = Math.abs(predicted.data[held[i]! * sites + s]! - means[fold]![s]!);
        if (off > clear) return true;
      }
      return false;
    });
    if (knows) continue;
    const own = Float64Array.from({ length: rows }, (_, i) => recorded.data[i * sites + s]!);
    const unit = unitOf(own);
    const there = own.filter((value) => !Number.isNaN(value)).map((value) => value / unit);
    const near = negligible * standardDeviation(there) * unit;
    const isMeanPrediction = heldOut.every(({ rows: held }, fold) =>
      held.every((row) => {
        const value = predicted.data[row * sites + s]!;
        return Number.isNaN(value) || Math.abs(value - means[fold]![s]!) <= near;
      }),
    );
    if (isMeanPrediction) for (let i = 0; i < rows; i++) data[i * sites + s] = Number.NaN;
  }
  return { data, shape: predicted.shape };
};
