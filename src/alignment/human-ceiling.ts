import type { Random } from '../numeric/random.ts';
import type { Agreement } from '../records/alignment.ts';
import type { Float32Nd } from '../records/array.ts';
import { agreementOf, meanAgreement, rankedMap } from './agreement.ts';

const sumOf = (maps: readonly Float32Nd[], chosen: Int32Array): Float32Array => {
  const sums = new Float64Array(maps[0]!.data.length);
  for (const index of chosen) {
    const { data } = maps[index]!;
    for (let i = 0; i < sums.length; i++) sums[i]! += data[i]!;
  }
  return new Float32Array(sums);
};

const isConstant = ({ data }: Float32Nd): boolean => data.every((value) => value === data[0]);

/** How one half of the people agrees with the other on one image, and how many people there are. */
export interface SplitPeople {
  /** Whose map varies: a constant one changes no rank of a sum. */
  readonly people: number;
  /** Null values with fewer than two people. */
  readonly halves: Agreement;
}

/**
 * How well half of the people predict the other half on one image: their maps, all of one size, are summed within two
 * random halves that leave nobody out (⌊n/2⌋ and ⌈n/2⌉ of n people) and the sums compared; mean over `splits`.
 */
export const splitSubjects = (
  maps: readonly Float32Nd[],
  splits: number,
  percentile: number,
  random: Random,
): SplitPeople => {
  const own = maps.filter((map) => !isConstant(map));
  const people = own.length;
  if (people < 2) return { people, halves: { spearman: null, dice: null, iou: null } };
  const half = Math.floor(people / 2);
  const agreements = Array.from({ length: splits }, () => {
    const order = random.permutation(people);
    return agreementOf(
      rankedMap(sumOf(own, order.subarray(0, half)), percentile),
      rankedMap(sumOf(own, order.subarray(half)), percentile),
    );
  });
  return { people, halves: meanAgreement(agreements) };
};

/** One image, by how many people it was shown to and how well halves of them agree. */
export interface PeopleOfImage {
  readonly people: number;
  /** Correlation of one half with the other; null where it is not known. */
  readonly halves: number | null;
}

/** Images of one number of people. */
interface Group {
  readonly people: number;
  readonly images: number;
  /** How many of them have halves to compare. */
  readonly halved: number;
}

/** Mean of 1/n_a and 1/n_b over the two halves of n people. */
const perHalf = (people: number): number => {
  const small = Math.floor(people / 2);
  return (1 / small + 1 / (people - small)) / 2;
};

/**
 * Noise of one person's map in units of the signal, κ, with which halves correlate as they do: the mean over images of
 * 1 / (1 + κ · mean of 1/n_a and 1/n_b) is r. With equal numbers of people κ = (1/r − 1) · 2 / (1/n_a + 1/n_b).
 */
const noiseOfOne = (r: number, groups: readonly Group[]): number => {
  const halved = groups.filter((group) => group.halved > 0);
  const total = halved.reduce((sum, group) => sum + group.halved, 0);
  const shares = halved.map(({ people }) => perHalf(people));
  const expected = (noise: number): number =>
    halved.reduce((sum, group, i) => sum + group.halved / (1 + noise * shares[i]!), 0) / total;
  // Were all images like the noisiest, or like the least noisy.
  const excess = Math.max(0, 1 / r - 1);
  let [low, high] = [excess / Math.max(...shares), excess / Math.min(...shares)];
  while (high - low > 1e-13 * high) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (expected(middle) > r) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/**
 * How well the true map correlates with everybody's maps, mean over images: √ρ, where ρ = 1 / (1 + (1/r − 1) · λ) is the
 * reliability of all n people's map, from the correlation r of halves of them (mean over splits and images) and
 * λ = (1/n) / mean of 1/n_a and 1/n_b: ½ for even n, which is Spearman–Brown. Images that differ in their number of
 * people share the noise of one person's map, and each has the ρ of its own number; with one person, too. `halves` is r, `ceiling`
 * is null where r is not above 0 or no image has halves. For correlations only: overlaps have no such law.
 */
export const humanCeiling = (
  images: readonly PeopleOfImage[],
): { readonly halves: number | null; readonly ceiling: number | null } => {
  const groups = new Map<number, { people: number; images: number; halved: number }>();
  let [sum, halved] = [0, 0];
  for (const { people, halves } of images) {
    const group = groups.get(people) ?? { people, images: 0, halved: 0 };
    groups.set(people, group);
    group.images++;
    if (halves === null) continue;
    group.halved++;
    halved++;
    sum += halves;
  }
  if (halved === 0) return { halves: null, ceiling: null };
  const r = sum / halved;
  if (!(r > 0)) return { halves: r, ceiling: null };
  const all = [...groups.values()];
  const noise = noiseOfOne(r, all);
  const roots = all.map((group) => group.images / Math.sqrt(1 + noise / group.people));
  return { halves: r, ceiling: roots.reduce((total, root) => total + root, 0) / images.length };
};
