// Which stimuli and sites of a recording are used: what is missing, and what never varies.

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
  readonly responses: UsedResponses;
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

/** Responses that are missing, by stimulus and site: a stimulus counts where a fixation or a time bin of it does. */
interface Missing {
  /** `[stimuli, sites]` */
  readonly at: Uint8Array;
  readonly sites: number;
  readonly bins: readonly ResponseTable[];
}

/**
 * Sites and stimuli that can be used. Sites without any response, or whose responses are constant in every bin, are left out
 * and listed; so is a stimulus that more than half of the other sites miss. What is missing then costs what the protocol
 * says: the responses alone (`per-site`), their sites, or their stimuli.
 * Input errors: nothing is left; too many different patterns of what is missing.
 */
export const findUsable = (
  recording: Recording,
  { missing: policy }: Pick<Protocol, 'missing'>,
): Usable => {
  const { header } = recording;
  const all = { stimuli: range(recording.stimuli.length), sites: range(header.sites.length) };
  const missing = missingIn(recording);
  const count = (stimuli: Int32Array, site: number): number =>
    stimuli.reduce((sum, stimulus) => sum + missing.at[stimulus * missing.sites + site]!, 0);
  const empty = all.sites.filter((site) => count(all.stimuli, site) === all.stimuli.length);
  const recorded = all.sites.filter((site) => !empty.includes(site));
  const lost = (stimulus: number): number =>
    recorded.reduce((sum, site) => sum + missing.at[stimulus * missing.sites + site]!, 0);
  const most = policy === 'drop-stimuli' ? 0 : recorded.length / 2;
  const stimuli = all.stimuli.filter((stimulus) => lost(stimulus) <= most);
  const few = recorded.filter((site) => 2 * count(stimuli, site) > stimuli.length);
  const incomplete =
    policy === 'per-site' ? few : recorded.filter((site) => count(stimuli, site) > 0);
  const kept = recorded.filter((site) => !incomplete.includes(site));
  const constant = kept.filter((site) =>
    missing.bins.every((bin) => isConstant(bin, stimuli, site)),
  );
  const varying = kept.filter((site) => !constant.includes(site));
  const rare = policy === 'per-site' ? rareOf(recording, missing, stimuli, varying) : [];
  const sites = varying.filter((site) => !rare.includes(site));
  const because = (indices: Iterable<number>, reason: string): ExcludedSite[] =>
    Array.from(indices, (site) => ({ site: header.sites[site]!.id, image: null, reason }));
  const excludedSites = [
    ...because(empty, 'no response at all'),
    ...because(
      incomplete,
      policy === 'per-site'
        ? 'no response to more than half of the stimuli'
        : 'no response to some stimuli',
    ),
    ...because(constant, 'constant response'),
    ...because(rare, `lacks other responses than the sites of the ${mostPatterns} commonest sets`),
  ];
  if (sites.length === 0 || stimuli.length === 0)
    throw inputError({
      where: `${recording.folder}: responses.npy`,
      expected: `at least one site that responds to ${policy === 'per-site' ? 'half of the stimuli' : 'every stimulus'} and varies`,
      got:
        excludedSites
          .slice(0, 3)
          .map(({ site, reason }) => `${site}: ${reason}`)
          .join('; ') || 'no stimulus that every site responds to',
      mend: 'check the dims and the missing values (ventral data inspect)',
    });
  const dropped = all.stimuli.length - stimuli.length;
  const cells = stimuli.length * sites.length;
  const absent = sites.reduce((sum, site) => sum + count(stimuli, site), 0);
  const total = all.stimuli.length * all.sites.length;
  return {
    stimuli,
    sites,
    excludedSites,
    responses: { used: (cells - absent) / total, missing: sum(missing.at) / total },
    warnings: dropped > 0 ? [droppedWarning(dropped, policy)] : [],
  };
};

const droppedWarning = (count: number, policy: Protocol['missing']): string =>
  policy === 'drop-stimuli'
    ? `stimuli that some site has no response to are left out: ${count}`
    : `stimuli that most sites have no response to are left out: ${count}`;

const sum = (values: Uint8Array): number => values.reduce((all, each) => all + each, 0);

const missingIn = (recording: Recording): Missing => {
  const { header } = recording;
  const [stimuli, sites] = [recording.stimuli.length, header.sites.length];
  const bins = header.timeBins.map((_, bin) =>
    responseTable(recording, bin, range(stimuli), range(sites)),
  );
  const at = new Uint8Array(stimuli * sites);
  for (const { mean, imageOfRow } of bins)
    for (let row = 0; row < imageOfRow.length; row++)
      for (let site = 0; site < sites; site++)
        if (Number.isNaN(mean.data[row * sites + site]!)) at[imageOfRow[row]! * sites + site] = 1;
  return { at, sites, bins };
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

/**
 * Sites beyond those of the 50 commonest patterns of missing stimuli. Input error where these have less than nine tenths
 * of the responses.
 */
const rareOf = (
  recording: Recording,
  { at, sites: all }: Missing,
  stimuli: Int32Array,
  sites: Int32Array,
): number[] => {
  const table = new Float64Array(stimuli.length * sites.length);
  stimuli.forEach((stimulus, row) => {
    sites.forEach((site, column) => {
      table[row * sites.length + column] = at[stimulus * all + site] === 1 ? Number.NaN : 0;
    });
  });
  const patterns = patternsOf({ data: table, shape: [stimuli.length, sites.length] });
  if (patterns.length <= mostPatterns) return [];
  const ordered = patterns.toSorted(
    (a, b) => b.columns.length - a.columns.length || a.rows.length - b.rows.length,
  );
  const responsesOf = (of: typeof patterns): number =>
    of.reduce(
      (total, { columns, rows }) => total + columns.length * (stimuli.length - rows.length),
      0,
    );
  const share = responsesOf(ordered.slice(0, mostPatterns)) / responsesOf(patterns);
  if (share < leastShare) throw tooMany(recording, patterns, stimuli.length, sites.length, share);
  return ordered
    .slice(mostPatterns)
    .flatMap(({ columns }) => Array.from(columns, (column) => sites[column]!));
};

const tooMany = (
  recording: Recording,
  patterns: ReturnType<typeof patternsOf>,
  stimuli: number,
  sites: number,
  share: number,
) => {
  const lacking = new Set(patterns.flatMap(({ rows }) => [...rows]));
  const complete = patterns.find(({ rows }) => rows.length === 0)?.columns.length ?? 0;
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  return inputError({
    where: `${recording.folder}: responses.npy`,
    expected: `at most ${mostPatterns} sets of sites that lack the same stimuli, or nine tenths of the responses in the ${mostPatterns} largest`,
    got: `${patterns.length} sets of ${sites} sites, with ${percent(share)} of the responses in the ${mostPatterns} largest`,
    mend: `set "missing" in the protocol to "drop-sites" (leaves ${percent(complete / sites)} of the sites) or "drop-stimuli" (leaves ${percent(1 - lacking.size / stimuli)} of the stimuli), or leave out the sites that lack the most`,
  });
};
