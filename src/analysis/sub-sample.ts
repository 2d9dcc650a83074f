import { createRandom } from '../numeric/random.ts';
import type { Float64Nd } from '../records/array.ts';
import type { CeilingSettings } from '../records/protocol.ts';
import type { Ceiling } from '../scoring/ceiling.ts';
import { medianOfDefined } from '../scoring/defined.ts';
import type { Group } from '../scoring/groups.ts';

/** 1, 2, 4, … below `most`, then `most` itself; from `least` on. */
export const doublings = (least: number, most: number): number[] => {
  const counts: number[] = [];
  for (let count = 1; count < most; count *= 2) if (count >= least) counts.push(count);
  return most >= least ? [...counts, most] : counts;
};

const there = (value: number): boolean => !Number.isNaN(value);

/**
 * Mean responses `[rows, sites]` of `count` trials, drawn for each row (alike for all its sites); of rows with fewer, all
 * that are there. `trials` is `[rows, trials, sites]`, NaN = missing.
 */
export const meanOfTrials = (
  { data, shape }: Float64Nd,
  count: number,
  seed: number,
  draw: number,
): Float64Nd => {
  const [rows, trials, sites] = shape as readonly [number, number, number];
  const random = createRandom(seed).fork(`${count} trials, draw ${draw}`);
  const means = new Float64Array(rows * sites);
  for (let row = 0; row < rows; row++) {
    const order = random.permutation(trials);
    for (let site = 0; site < sites; site++) {
      let sum = 0;
      let taken = 0;
      for (let i = 0; i < trials && taken < count; i++) {
        const value = data[(row * trials + order[i]!) * sites + site]!;
        if (!there(value)) continue;
        sum += value;
        taken++;
      }
      means[row * sites + site] = sum / taken;
    }
  }
  return { data: means, shape: [rows, sites] };
};

/**
 * Harmonic mean over the rows that a site has responses to of min(count, trials that are there): the noise of means adds up like
 * its reciprocal.
 */
const trialsOf = (
  { data, shape }: Float64Nd,
  rows: Int32Array,
  site: number,
  count: number,
): number => {
  const [, trials, sites] = shape as readonly [number, number, number];
  let reciprocals = 0;
  let recorded = 0;
  for (const row of rows) {
    let own = 0;
    for (let trial = 0; trial < trials; trial++)
      if (there(data[(row * trials + trial) * sites + site]!)) own++;
    if (own === 0) continue;
    reciprocals += 1 / Math.min(count, own);
    recorded++;
  }
  return recorded / reciprocals;
};

/** Reliability of m times as many trials: mρ / (1 + (m − 1)ρ) (Spearman, Brown, 1910). */
export const lengthened = (reliability: number, m: number): number =>
  (m * reliability) / (1 + (m - 1) * reliability);

/**
 * The ceiling of `count` trials. Reliabilities follow from those of all trials by the Spearman–Brown formula, so that one
 * trial, which cannot be halved, has one too; null for ceilings that are not reliabilities, which have to be computed
 * from the responses anew. `trials` is `[rows, trials, sites]`, `groups` are of its rows.
 */
export const ceilingOfTrials = (
  settings: CeilingSettings,
  ceiling: Ceiling,
  trials: Float64Nd,
  groups: readonly Group[],
  count: number,
): Ceiling | null => {
  const all = trials.shape[1]!;
  const sites = trials.shape[2]!;
  switch (settings.kind) {
    case 'none':
      return ceiling;
    case 'published':
    case 'split-half': {
      const data = ceiling.perSite.data.map((c, index) => {
        if (Number.isNaN(c) || count >= all) return c;
        const { rows } = groups[Math.floor(index / sites)]!;
        const site = index % sites;
        const share = trialsOf(trials, rows, site, count) / trialsOf(trials, rows, site, all);
        return Math.sqrt(lengthened(c * c, share));
      });
      return { ...ceiling, perSite: { data, shape: ceiling.perSite.shape } };
    }
    case 'median-split-half': {
      const rows = Int32Array.from({ length: trials.shape[0]! }, (_, row) => row);
      const share = medianOfDefined(
        Array.from(
          { length: sites },
          (_, site) => trialsOf(trials, rows, site, count) / trialsOf(trials, rows, site, all),
        ),
      );
      return { ...ceiling, overall: lengthened(ceiling.overall!, share) };
    }
    case 'best-other-site':
    case 'best-pair':
      return null;
  }
};
