import { createRandom } from '../numeric/random.ts';

/** Up to here all 2ⁿ sign patterns are counted. */
export const exactPairs = 20;
const draws = 100_000;

/** The pairs whose sign is flipped, pattern after pattern: all 2ⁿ up to 20 pairs, else 100,000 seeded draws. */
function* patterns(n: number, seed: number): Generator<(pair: number) => boolean> {
  if (n <= exactPairs) {
    for (let bits = 0; bits < 2 ** n; bits++) yield (pair) => ((bits >> pair) & 1) === 1;
    return;
  }
  const random = createRandom(seed).fork('sign flips');
  const flipped = new Uint8Array(n);
  for (let draw = 0; draw < draws; draw++) {
    for (let pair = 0; pair < n; pair++) flipped[pair] = random.int(2);
    yield (pair) => flipped[pair] === 1;
  }
}

/**
 * Two-sided sign-flip test of a mean difference of 0 over paired values: exact up to 20 pairs, else 100,000 seeded
 * draws (counting the observed one). Ties with the observed mean count as extreme.
 */
export const signFlipTest = (differences: readonly number[], seed: number): number => {
  const n = differences.length;
  const observed = Math.abs(differences.reduce((sum, each) => sum + each, 0));
  const scale = differences.reduce((sum, each) => sum + Math.abs(each), 0);
  const all = n <= exactPairs;
  let extreme = all ? 0 : 1;
  for (const isFlipped of patterns(n, seed)) {
    let sum = 0;
    for (let pair = 0; pair < n; pair++)
      sum += isFlipped(pair) ? -differences[pair]! : differences[pair]!;
    if (Math.abs(sum) >= observed - 1e-12 * scale) extreme++;
  }
  return extreme / (all ? 2 ** n : draws + 1);
};

/**
 * The interval that belongs to the test: all shifts of the differences that it would not reject. Its ends are order
 * statistics of the means of all subsets of pairs (typical values: Hartigan 1969, JASA 64, 1303–1317). Null where the
 * pairs are too few for the level: 6 are needed for 95 %.
 */
export const signFlipInterval = (
  differences: readonly number[],
  level: number,
  seed: number,
): { readonly low: number; readonly high: number } | null => {
  const n = differences.length;
  const total = n <= exactPairs ? 2 ** n : draws + 1;
  const outside = Math.floor(((1 - level) / 2) * total);
  if (outside < 1) return null;
  const means = new Float64Array(total);
  let count = 0;
  for (const isFlipped of patterns(n, seed)) {
    let sum = 0;
    let size = 0;
    for (let pair = 0; pair < n; pair++) {
      if (!isFlipped(pair)) continue;
      sum += differences[pair]!;
      size++;
    }
    if (size > 0) means[count++] = sum / size;
  }
  const sorted = means.subarray(0, count).sort();
  return { low: sorted[outside - 1]!, high: sorted[count - outside]! };
};
