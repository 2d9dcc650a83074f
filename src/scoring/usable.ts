// Which stimuli and sites of a recording are used: what is missing, and what never varies.

import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Recording } from '../records/recording.ts';
import type { ExcludedSite, UsedResponses } from '../records/score.ts';
import { patternsOf } from './missing.ts';
import { type ResponseTable, responseTable } from './responses.ts';

/** Which stimuli and sites are used, the same for all layers and time bins; as indices into the recording. */
export interface Usable {
  readonly stimuli: Int32Array;
  readonly sites: Int32Array;
  readonly excludedSites: readonly ExcludedSite[];
  /** Tables of all time bins, of all stimuli and sites: also those that are not used. */
  readonly tables: readonly ResponseTable[];
  /** Shares of the responses that are used, and that are missing, where only these of the sites are used. */
  readonly responsesOf: (sites: Int32Array) => UsedResponses;
  readonly warnings: readonly string[];
}

/** Sets of sites with the same missing rows that are fitted apart, at most. */
const mostPatterns = 50;
/** The share of the responses that must be left where the sites of rarer patterns are left out. */
const leastShare = 0.9;
/** Of the largest response: a site whose trials differ by less is constant but for rounding. */
const constantWithin = 1e-12;

const range = (count: number): Int32Array =>
  Int32Array.from({ length: count }, (_, index) => index);

/** Responses of each site to each stimulus that are missing: of all its fixations, in all time bins. */
interface Missing {
  /** `[stimuli, sites]` */
  readonly counts: Int32Array;
  /** Responses of a site to a stimulus: fixations × time bins. */
  readonly most: number;
  readonly stimuli: number;
  readonly sites: number;
  readonly bins: readonly ResponseTable[];
}

/**
 * Sites and stimuli that can be used. Sites without any response, or whose responses are constant in every bin, are left out
 * and listed; what is missing then costs what the protocol says: its stimuli (`drop-stimuli`), its sites (`drop-sites`),
 * or itself alone (`per-site`), where only stimuli and sites that lack more than half of their responses are left out.
 * Input errors: nothing is left; too many different patterns of what is missing.
 */
export const findUsable = (
  recording: Recording,
  { missing: policy }: Pick<Protocol, 'missing'>,
): Usable => {
  const missing = missingIn(recording);
  const { stimuli, empty, incomplete } = completeEnough(missing, policy);
  const left = range(missing.sites).filter(
    (site) => !empty.includes(site) && !incomplete.includes(site),
  );
  const constant = left.filter((site) =>
    missing.bins.every((bin) => isConstant(bin, stimuli, site)),
  );
  const varying = left.filter((site) => !constant.includes(site));
  const rare = policy === 'per-site' ? rareOf(recording, missing, stimuli, varying) : [];
  const sites = varying.filter((site) => !rare.includes(site));
  const all = range(missing.stimuli);
  const because = (of: Iterable<number>, reason: (site: number) => string): ExcludedSite[] =>
    Array.from(of, (site) => {
      const { id } = recording.header.sites[site]!;
      return { site: id, image: null, reason: reason(site) };
    });
  const excludedSites = [
    ...because(empty, (site) =>
      countOf(missing, site, all) === missing.most * missing.stimuli
        ? 'no response at all'
        : 'lacks some response to every stimulus',
    ),
    ...because(incomplete, () =>
      policy === 'per-site'
        ? 'lacks more than half of its responses'
        : 'no response to some stimuli',
    ),
    ...because(constant, () => 'constant response'),
    ...because(
      rare,
      () => `lacks other responses than the sites of the ${mostPatterns} commonest sets`,
    ),
  ];
  if (sites.length === 0 || stimuli.length === 0)
    throw nothingLeft(recording, policy, excludedSites);
  const dropped = missing.stimuli - stimuli.length;
  return {
    stimuli,
    sites,
    excludedSites,
    tables: missing.bins,
    responsesOf: (used) => sharesOf(missing, stimuli, used),
    warnings: dropped > 0 ? [droppedWarning(dropped, policy)] : [],
  };
};

const nothingLeft = (
  { folder }: Recording,
  policy: Protocol['missing'],
  excluded: readonly ExcludedSite[],
) =>
  inputError({
    code: 'no-usable-site',
    where: `${folder}: responses.npy`,
    expected: `at least one site that responds to ${policy === 'per-site' ? 'half of the stimuli' : 'every stimulus'} and varies`,
    got:
      excluded
        .slice(0, 3)
        .map(({ site, reason }) => `${site}: ${reason}`)
        .join('; ') || 'no stimulus that every site responds to',
    mend: 'check the dims and the missing values',
  });

/** Responses of a site to some stimuli that are missing. */
const countOf = ({ counts, sites }: Missing, site: number, stimuli: Int32Array): number =>
  stimuli.reduce((sum, stimulus) => sum + counts[stimulus * sites + site]!, 0);

const sharesOf = (missing: Missing, stimuli: Int32Array, sites: Int32Array): UsedResponses => {
  const lacking = (of: Int32Array, over: Int32Array): number =>
    of.reduce((sum, site) => sum + countOf(missing, site, over), 0);
  const total = missing.most * missing.stimuli * missing.sites;
  const there = missing.most * stimuli.length * sites.length - lacking(sites, stimuli);
  return {
    used: there / total,
    missing: lacking(range(missing.sites), range(missing.stimuli)) / total,
  };
};

/** Stimuli to use, sites that lack something of every stimulus, and further ones that lack too much of those that are used. */
const completeEnough = (missing: Missing, policy: Protocol['missing']) => {
  const { counts, most, sites: all } = missing;
  const perSite = policy === 'per-site';
  const lacks = (stimulus: number, site: number): number => {
    const count = counts[stimulus * all + site]!;
    return perSite ? count / most : Math.min(count, 1);
  };
  const lackedBy = (site: number, of: Int32Array): number =>
    of.reduce((sum, stimulus) => sum + lacks(stimulus, site), 0);
  const [shown, sites] = [range(missing.stimuli), range(all)];
  const empty = sites.filter((site) => lackedBy(site, shown) > shown.length - tiny);
  const recorded = sites.filter((site) => !empty.includes(site));
  const tolerated = policy === 'drop-stimuli' ? 0 : recorded.length / 2;
  const stimuli = shown.filter(
    (stimulus) =>
      recorded.reduce((sum, site) => sum + lacks(stimulus, site), 0) <= tolerated + tiny,
  );
  const incomplete = recorded.filter(
    (site) => lackedBy(site, stimuli) > (perSite ? stimuli.length / 2 : 0) + tiny,
  );
  return { stimuli, empty, incomplete };
};

/** Sums of shares are rounded. */
const tiny = 1e-9;

const droppedWarning = (count: number, policy: Protocol['missing']): string =>
  policy === 'drop-stimuli'
    ? `stimuli that some site has no response to are left out: ${count}`
    : `stimuli that most sites have no response to are left out: ${count}`;

const missingIn = (recording: Recording): Missing => {
  const { header } = recording;
  const [stimuli, sites] = [recording.stimuli.length, header.sites.length];
  const bins = header.timeBins.map((_, bin) =>
    responseTable(recording, bin, range(stimuli), range(sites)),
  );
  const counts = new Int32Array(stimuli * sites);
  for (const { mean, imageOfRow } of bins)
    for (let row = 0; row < imageOfRow.length; row++)
      for (let site = 0; site < sites; site++)
        if (Number.isNaN(mean.data[row * sites + site]!))
          counts[imageOfRow[row]! * sites + site]!++;
  const most = (bins.length * bins[0]!.imageOfRow.length) / stimuli;
  return { counts, most, stimuli, sites, bins };
};

/** Whether all trials of a site are equal but for rounding: means of equal numbers differ in their last digits. */
const isConstant = (
  { trials, imageOfRow }: ResponseTable,
  stimuli: Int32Array,
  site: number,
): boolean => {
  const [, count, sites] = trials.shape as readonly [number, number, number];
  const kept = new Set(stimuli);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < imageOfRow.length; row++) {
    if (!kept.has(imageOfRow[row]!)) continue;
    for (let trial = 0; trial < count; trial++) {
      const value = trials.data[(row * count + trial) * sites + site]!;
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return !(most - least > constantWithin * Math.max(Math.abs(most), Math.abs(least)));
};

/** The given stimuli and sites of all time bins, one bin below the other: `[bins × rows, sites]`. */
const below = (
  { bins, sites: all }: Missing,
  stimuli: Int32Array,
  sites: Int32Array,
): Float64Nd => {
  const used = new Set(stimuli);
  const rows = range(bins[0]!.imageOfRow.length).filter((row) =>
    used.has(bins[0]!.imageOfRow[row]!),
  );
  const data = new Float64Array(bins.length * rows.length * sites.length);
  let at = 0;
  for (const { mean } of bins)
    for (const row of rows) for (const site of sites) data[at++] = mean.data[row * all + site]!;
  return { data, shape: [bins.length * rows.length, sites.length] };
};

/**
 * Sites beyond those of the 50 commonest patterns of missing responses. Input error where these have less than nine tenths
 * of the responses.
 */
const rareOf = (
  recording: Recording,
  missing: Missing,
  stimuli: Int32Array,
  sites: Int32Array,
): number[] => {
  const table = below(missing, stimuli, sites);
  const cells = table.shape[0]!;
  const patterns = patternsOf(table);
  if (patterns.length <= mostPatterns) return [];
  const ordered = patterns.toSorted(
    (a, b) => b.columns.length - a.columns.length || a.rows.length - b.rows.length,
  );
  const responsesOf = (of: typeof patterns): number =>
    of.reduce((total, { columns, rows }) => total + columns.length * (cells - rows.length), 0);
  const share = responsesOf(ordered.slice(0, mostPatterns)) / responsesOf(patterns);
  if (share < leastShare)
    throw tooMany(recording, patterns, {
      sites: sites.length,
      share,
      complete: completeStimuli(missing, stimuli, sites),
    });
  return ordered
    .slice(mostPatterns)
    .flatMap(({ columns }) => Array.from(columns, (column) => sites[column]!));
};

/** Share of the stimuli that no site lacks any response to. */
const completeStimuli = (
  { counts, sites: all }: Missing,
  stimuli: Int32Array,
  sites: Int32Array,
): number =>
  stimuli.filter((stimulus) => sites.every((site) => counts[stimulus * all + site] === 0)).length /
  stimuli.length;

const tooMany = (
  recording: Recording,
  patterns: ReturnType<typeof patternsOf>,
  left: {
    readonly sites: number;
    /** Of the responses, in the largest sets. */
    readonly share: number;
    /** Of the stimuli. */
    readonly complete: number;
  },
) => {
  const whole = patterns.find(({ rows }) => rows.length === 0)?.columns.length ?? 0;
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  return inputError({
    where: `${recording.folder}: responses.npy`,
    expected: `at most ${mostPatterns} sets of sites that lack the same responses, or nine tenths of the responses in the ${mostPatterns} largest`,
    got: `${patterns.length} sets of ${left.sites} sites, with ${percent(left.share)} of the responses in the ${mostPatterns} largest`,
    mend: `set "missing" in the protocol to "drop-sites" (leaves ${percent(whole / left.sites)} of the sites) or "drop-stimuli" (leaves ${percent(left.complete)} of the stimuli), or leave out the sites that lack the most`,
  });
};
