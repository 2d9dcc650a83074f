// Ceilings from split halves of the trials: which sites are used, and what the best predictor could reach there.

import { createRandom } from '../numeric/random.ts';
import {
  halves,
  momentsOf,
  reliabilityOf,
  type SiteTrials,
  siteTrials,
} from '../numeric/reliability.ts';
import { inUnitsOfSites } from '../numeric/unit.ts';
import { inputError } from '../records/errors.ts';
import type { CeilingSettings } from '../records/protocol.ts';
import type { ExcludedSite } from '../records/score.ts';
import { moreThanChance, type Passed, passedOn } from './above-chance.ts';
import type { Ceiling, CeilingBasis } from './ceiling.ts';
import { meanOfDefined } from './defined.ts';
import type { Group } from './groups.ts';
import type { ResponseTable } from './responses.ts';

/** Fewer images are not halved: sites are then chosen and corrected by one estimate. */
const leastHalved = 4;

const bothHalves = 3;

/** The root of a reliability; NaN where it is not positive. */
export const rootOf = (reliability: number): number =>
  reliability > 0 ? Math.sqrt(reliability) : Number.NaN;

/** One site's trials at those of the given rows that its ceiling is of. */
export const trialsWithin = (
  { halved, moments, halfOfRow, from }: CeilingBasis,
  rows: Int32Array,
  site: number,
): SiteTrials =>
  siteTrials(
    halved,
    moments,
    from[site] === bothHalves
      ? rows
      : rows.filter((row) => (from[site]! & (1 << halfOfRow[row]!)) !== 0),
    site,
  );

/** A site's reliability on those of the given rows that its ceiling is of. */
export const reliabilityWithin = (basis: CeilingBasis, rows: Int32Array, site: number): number =>
  reliabilityOf(trialsWithin(basis, rows, site));

type SplitHalfSettings = Extract<CeilingSettings, { kind: 'split-half' }>;

/**
 * √ρ of every site (on grids: of every map), ρ the reliability of the mean that is scored.
 *
 * Whether a site is used and what its ceiling is are estimated on different halves of the images, since one estimate for
 * both would keep lucky sites: reliability on one half chooses (its 95 % lower bound above 0, and itself not below the
 * protocol's least), √ρ on the other divides, both ways. Over rows, a site that both halves choose has the ρ of all images;
 * of those that one half chooses, with the ρ of the other, every second one is used, drawn by the seed: they would
 * otherwise count twice as much beside the former. A site that is the only one to be chosen, and by one half, is always used,
 * with the ρ of all images, and a warning: by the draw it would else be left out, and the half that did not choose it says too
 * little (of 100 images at a true √ρ of .55 half the images give .42, all .55). All images chose it too: at √ρ below .5 such a ceiling
 * is too high (.51 for .45), at √ρ above .6 too low. It is rare, since one half above chance is no more than chance gives, and takes
 * thousands of images or a reliability beside the protocol's least (there .33 for .35). On grids each map has its own ρ, and the images of one half are of the sites that
 * the other chooses. No site has a ceiling where no more are chosen than by chance. Input error: no repeated trials.
 */
export const splitHalfCeiling = (
  settings: SplitHalfSettings,
  table: ResponseTable,
  rows: { readonly groups: readonly Group[]; readonly siteIds: readonly string[] },
  seed: number,
): Ceiling => {
  checkRepeated(table);
  const { imageOfRow } = table;
  // Squares of very small or very large responses would be lost; reliabilities know no unit.
  const trials = inUnitsOfSites(table.trials);
  const basis = {
    halved: halves(trials, { splits: settings.splits, seed }),
    moments: momentsOf(trials),
    halfOfRow: halvesOfImages(imageOfRow, seed),
  };
  const tried = { trials, groups: rows.groups, halfOfRow: basis.halfOfRow };
  if (!moreThanChance(tried, seed)) return noneAboveChance(basis, rows);
  const passed = passedOn(tried);
  return rows.groups.length === 1
    ? overRows(settings, basis, { ...rows, passed }, seed)
    : overImages(settings, basis, { ...rows, passed });
};

/** Input error: one response per stimulus only. */
export const checkRepeated = ({ trials }: ResponseTable): void => {
  if (trials.shape[1]! >= 2) return;
  throw inputError({
    code: 'no-repeated-trials',
    where: 'protocol: ceiling.kind',
    expected: 'a recording with repeated trials for halves of them',
    got: 'one response per stimulus',
    mend: 'use the protocol ventral, or write one with another ceiling: {"kind": "none"}, or best-other-site on grids',
  });
};

/** Half of the images of each row, drawn; all 0 where there are fewer than four. */
export const halvesOfImages = (imageOfRow: Int32Array, seed: number): Uint8Array => {
  const images = [...new Set(imageOfRow)];
  const half = new Map(images.map((image) => [image, 0]));
  if (images.length >= leastHalved) {
    const order = createRandom(seed).fork('halves of images').permutation(images.length);
    for (const index of order.slice(Math.ceil(images.length / 2))) half.set(images[index]!, 1);
  }
  return Uint8Array.from(imageOfRow, (image) => half.get(image)!);
};

type TrialBasis = Omit<CeilingBasis, 'from'>;

interface Chosen {
  readonly groups: readonly Group[];
  readonly siteIds: readonly string[];
  readonly passed: Passed;
}

const common = { overall: null, overallError: null, leavesOutRaw: true } as const;

const rowsOf = (groups: readonly Group[]): Int32Array =>
  Int32Array.from(groups.flatMap(({ rows }) => [...rows]));

const reliabilitiesOf = (basis: CeilingBasis, groups: readonly Group[], sites: number): number[] =>
  groups.flatMap(({ rows }) =>
    Array.from({ length: sites }, (_, site) => reliabilityWithin(basis, rows, site)),
  );

const allOf = (basis: TrialBasis, sites: number): CeilingBasis => ({
  ...basis,
  from: new Uint8Array(sites).fill(bothHalves),
});

const noneAboveChance = (
  basis: TrialBasis,
  { groups, siteIds }: Pick<Chosen, 'groups' | 'siteIds'>,
): Ceiling => {
  const all = allOf(basis, siteIds.length);
  return {
    ...common,
    perSite: {
      data: new Float64Array(groups.length * siteIds.length).fill(Number.NaN),
      shape: [groups.length, siteIds.length],
    },
    meanOverAllSites: meanOfDefined(reliabilitiesOf(all, groups, siteIds.length)),
    excluded: siteIds.map((site) => ({
      site,
      image: null,
      reason: 'no more sites repeat their responses than by chance',
    })),
    basis: all,
  };
};

/** Places of those of `count` sites that are spared, every second of them, drawn; of an odd number the more or the fewer. */
export const everySecond = (count: number, seed: number): Int32Array => {
  const random = createRandom(seed).fork('sites chosen once');
  const kept = Math.floor((count + random.int(2)) / 2);
  return random.permutation(count).slice(kept);
};

const overRows = (
  { minimumReliability }: SplitHalfSettings,
  basis: TrialBasis,
  { groups, siteIds, passed }: Chosen,
  seed: number,
): Ceiling => {
  const sites = siteIds.length;
  const all = rowsOf(groups);
  const halved = basis.halfOfRow.includes(1);
  const of = (mask: number): CeilingBasis => ({ ...basis, from: new Uint8Array(sites).fill(mask) });
  const on = (mask: number, site: number): number => reliabilityWithin(of(mask), all, site);
  const chosenBy = (half: 0 | 1, site: number): boolean =>
    passed[half][site] === 1 && on(halved ? 1 << half : bothHalves, site) >= minimumReliability;
  const choosing = siteIds.map((_, site) => {
    const first = chosenBy(0, site);
    return { first, second: halved ? chosenBy(1, site) : first };
  });
  const once = choosing.flatMap(({ first, second }, site) => (first === second ? [] : [site]));
  const isAlone = once.length === 1 && !choosing.some(({ first, second }) => first && second);
  const spared = new Set(
    isAlone ? [] : Array.from(everySecond(once.length, seed), (index) => once[index]!),
  );
  const from = Uint8Array.from(choosing, ({ first, second }) =>
    isAlone || first === second ? bothHalves : first ? 2 : 1,
  );
  const reliabilities = siteIds.map((_, site) => on(bothHalves, site));
  const data = Float64Array.from(siteIds, (_, site) => {
    const { first, second } = choosing[site]!;
    if ((!first && !second) || spared.has(site)) return Number.NaN;
    return rootOf(on(from[site]!, site));
  });
  const reasonFor = (site: number): string => {
    const reliability = reliabilities[site]!;
    if (Number.isNaN(reliability)) return 'reliability not defined (constant or too few trials)';
    if (reliability < minimumReliability)
      return `reliability ${reliability.toFixed(3)} below ${minimumReliability}`;
    const { first, second } = choosing[site]!;
    if (!first && !second)
      return `reliability ${reliability.toFixed(3)}, on neither half of the images above chance`;
    return spared.has(site)
      ? `reliability ${reliability.toFixed(3)}, above chance on one half of the images: every second such site is used`
      : `reliability above chance on one half of the images, not positive on the other`;
  };
  return {
    ...common,
    perSite: { data, shape: [1, sites] },
    meanOverAllSites: meanOfDefined(reliabilities),
    excluded: siteIds.flatMap((id, site): ExcludedSite[] =>
      Number.isNaN(data[site]!) ? [{ site: id, image: null, reason: reasonFor(site) }] : [],
    ),
    basis: { ...basis, from },
    warnings: isAlone ? [aloneWarning(siteIds[once[0]!]!)] : [],
  };
};

const aloneWarning = (site: string): string =>
  `${site} is the only site above chance, and on one half of the images: its ceiling is of all images, which also chose it, and may be off by a fifth`;

const overImages = (
  { minimumReliability }: SplitHalfSettings,
  trials: TrialBasis,
  { groups, siteIds, passed }: Chosen,
): Ceiling => {
  const sites = siteIds.length;
  const basis = allOf(trials, sites);
  const halved = basis.halfOfRow.includes(1);
  const reliabilities = reliabilitiesOf(basis, groups, sites);
  const excluded: ExcludedSite[] = [];
  const failed = (site: number): boolean => passed[0][site] === 0 && passed[1][site] === 0;
  siteIds.forEach((site, s) => {
    if (failed(s))
      excluded.push({ site, image: null, reason: 'reliability of its maps not above chance' });
  });
  const data = Float64Array.from(reliabilities, (reliability, index) => {
    const [g, s] = [Math.floor(index / sites), index % sites];
    if (failed(s)) return Number.NaN;
    const half = basis.halfOfRow[groups[g]!.rows[0]!]!;
    const reason = passed[halved ? ((1 - half) as 0 | 1) : 0][s]
      ? mapReason(reliability, minimumReliability)
      : 'maps of the other half of the images not above chance';
    if (reason === null) return Math.sqrt(reliability);
    excluded.push({ site: siteIds[s]!, image: groups[g]!.name, reason });
    return Number.NaN;
  });
  return {
    ...common,
    perSite: { data, shape: [groups.length, sites] },
    meanOverAllSites: meanOfDefined(reliabilities),
    excluded,
    basis,
  };
};

/** Why a map is left out; null where it is used. */
const mapReason = (reliability: number, least: number): string | null => {
  if (Number.isNaN(reliability)) return 'reliability not defined (constant or too few trials)';
  return reliability > 0 && reliability >= least
    ? null
    : `reliability ${reliability.toFixed(3)} below ${least}`;
};
