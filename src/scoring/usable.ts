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

/** Responses that are missing in some time bin. */
interface Missing {
  /** `[rows, sites]`; a row is a stimulus, or a fixation of one. */
  readonly at: Uint8Array;
  /** `[stimuli, sites]`: how many rows of the stimulus. */
  readonly counts: Int32Array;
  /** Rows of a stimulus. */
  readonly positions: number;
  readonly sites: number;
  readonly bins: readonly ResponseTable[];
}

/**
 * Sites and stimuli that can be used. Sites without any response, or whose responses are constant in every bin, are left out
 * and listed; so is a stimulus that lacks more than half of the responses of the other sites. What is missing then costs what
 * the protocol says: the responses alone (`per-site`; a site that lacks more than half of them is left out), their sites, or
 * their stimuli. On grids a response is one to a fixation.
 * Input errors: nothing is left; too many different patterns of what is missing.
 */
export const findUsable = (
  recording: Recording,
  { missing: policy }: Pick<Protocol, 'missing'>,
): Usable => {
  const { header } = recording;
  const all = { stimuli: range(recording.stimuli.length), sites: range(header.sites.length) };
  const missing = missingIn(recording);
  const { positions } = missing;
  const count = (stimuli: Int32Array, site: number): number =>
    stimuli.reduce((sum, stimulus) => sum + missing.counts[stimulus * missing.sites + site]!, 0);
  const responsesTo = (stimuli: Int32Array): number => stimuli.length * positions;
  const empty = all.sites.filter((site) => count(all.stimuli, site) === responsesTo(all.stimuli));
  const recorded = all.sites.filter((site) => !empty.includes(site));
  const lost = (stimulus: number): number =>
    recorded.reduce((sum, site) => sum + missing.counts[stimulus * missing.sites + site]!, 0);
  const most = policy === 'drop-stimuli' ? 0 : (recorded.length * positions) / 2;
  const stimuli = all.stimuli.filter((stimulus) => lost(stimulus) <= most);
  const few = recorded.filter((site) => 2 * count(stimuli, site) > responsesTo(stimuli));
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
        ? 'more than half of its responses are missing'
        : 'no response to some stimuli',
    ),
    ...because(constant, 'constant response'),
    ...because(rare, `lacks other responses than the sites of the ${mostPatterns} commonest sets`),
  ];
  if (sites.length === 0 || stimuli.length === 0)
    throw inputError({
      where: `${recording.folder}: responses.npy`,
      expected: `at least one site that has ${policy === 'per-site' ? 'half of its responses' : 'a response to every stimulus'} and varies`,
      got:
        excludedSites
          .slice(0, 3)
          .map(({ site, reason }) => `${site}: ${reason}`)
          .join('; ') || 'no stimulus that every site responds to',
      mend: 'check the dims and the missing values (ventral data inspect)',
    });
  const dropped = all.stimuli.length - stimuli.length;
  const cells = responsesTo(stimuli) * sites.length;
  const absent = sites.reduce((sum, site) => sum + count(stimuli, site), 0);
  const total = responsesTo(all.stimuli) * all.sites.length;
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
    : `stimuli that more than half of the responses are missing of are left out: ${count}`;

const sum = (values: Uint8Array): number => values.reduce((all, each) => all + each, 0);

const missingIn = (recording: Recording): Missing => {
  const { header } = recording;
  const [stimuli, sites] = [recording.stimuli.length, header.sites.length];
  const bins = header.timeBins.map((_, bin) =>
    responseTable(recording, bin, range(stimuli), range(sites)),
  );
  const rows = bins[0]!.imageOfRow;
  const at = new Uint8Array(rows.length * sites);
  for (const { mean } of bins)
    for (let cell = 0; cell < at.length; cell++) if (Number.isNaN(mean.data[cell]!)) at[cell] = 1;
  const counts = new Int32Array(stimuli * sites);
  for (let row = 0; row < rows.length; row++)
    for (let site = 0; site < sites; site++)
      counts[rows[row]! * sites + site]! += at[row * sites + site]!;
  return { at, counts, positions: rows.length / stimuli, sites, bins };
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
 * Sites beyond those of the 50 commonest patterns of missing responses. Input error where these have less than nine tenths
 * of the responses.
 */
const rareOf = (
  recording: Recording,
  { at, positions, sites: all }: Missing,
  stimuli: Int32Array,
  sites: Int32Array,
): number[] => {
  const rows = stimuli.length * positions;
  const table = new Float64Array(rows * sites.length);
  for (let row = 0; row < rows; row++) {
    const from = stimuli[Math.floor(row / positions)]! * positions + (row % positions);
    sites.forEach((site, column) => {
      table[row * sites.length + column] = at[from * all + site] === 1 ? Number.NaN : 0;
    });
  }
  const patterns = patternsOf({ data: table, shape: [rows, sites.length] });
  if (patterns.length <= mostPatterns) return [];
  const ordered = patterns.toSorted(
    (a, b) => b.columns.length - a.columns.length || a.rows.length - b.rows.length,
  );
  const responsesOf = (of: typeof patterns): number =>
    of.reduce(
      (total, { columns, rows: lacking }) => total + columns.length * (rows - lacking.length),
      0,
    );
  const share = responsesOf(ordered.slice(0, mostPatterns)) / responsesOf(patterns);
  if (share < leastShare) throw tooMany(recording, patterns, { stimuli, positions, sites, share });
  return ordered
    .slice(mostPatterns)
    .flatMap(({ columns }) => Array.from(columns, (column) => sites[column]!));
};

const tooMany = (
  recording: Recording,
  patterns: ReturnType<typeof patternsOf>,
  {
    stimuli,
    positions,
    sites,
    share,
  }: Pick<Usable, 'stimuli' | 'sites'> & { readonly positions: number; readonly share: number },
) => {
  const lacking = new Set(
    patterns.flatMap(({ rows }) => Array.from(rows, (row) => Math.floor(row / positions))),
  );
  const complete = patterns.find(({ rows }) => rows.length === 0)?.columns.length ?? 0;
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  return inputError({
    where: `${recording.folder}: responses.npy`,
    expected: `at most ${mostPatterns} sets of sites that lack the same responses, or nine tenths of the responses in the ${mostPatterns} largest`,
    got: `${patterns.length} sets of ${sites.length} sites, with ${percent(share)} of the responses in the ${mostPatterns} largest`,
    mend: `set "missing" in the protocol to "drop-sites" (leaves ${percent(complete / sites.length)} of the sites) or "drop-stimuli" (leaves ${percent(1 - lacking.size / stimuli.length)} of the stimuli), or leave out the sites that lack the most`,
  });
};
