import { standardDeviation } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Fold } from '../regression/folds.ts';

/** Of a site's standard deviation; rounding stays far below, whatever a regression finds far above. */
const negligible = 1e-7;

/**
 * Held-out predictions `[rows, sites]`, with NaN for a site that was predicted by the mean of its training rows
 * throughout: the regression found nothing in the features (a dead layer). The mean of all other rows is low where the
 * held-out ones are high, so that such predictions would correlate negatively, as if they knew something.
 */
export const withoutGuesses = (
  recorded: Float64Nd,
  predicted: Float64Nd,
  folds: readonly Fold[],
): Float64Nd => {
  const [rows, sites] = recorded.shape as readonly [number, number];
  const data = Float64Array.from(predicted.data);
  for (let s = 0; s < sites; s++) {
    const responses = Float64Array.from({ length: rows }, (_, i) => recorded.data[i * sites + s]!);
    const near = negligible * standardDeviation(responses);
    const sum = responses.reduce((total, each) => total + each, 0);
    const guessed = folds.every(({ test }) => {
      const heldOut = test.reduce((total, row) => total + responses[row]!, 0);
      const trained = (sum - heldOut) / (rows - test.length);
      return test.every((row) => Math.abs(predicted.data[row * sites + s]! - trained) <= near);
    });
    if (guessed) for (let i = 0; i < rows; i++) data[i * sites + s] = Number.NaN;
  }
  return { data, shape: predicted.shape };
};
