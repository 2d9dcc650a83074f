// A recording under a protocol: everything about a score that no layer changes.

import { inputError } from '../records/errors.ts';
import type { CeilingSettings, Protocol } from '../records/protocol.ts';
import { type Recording, sameBin, type TimeBin } from '../records/recording.ts';
import type { ExcludedSite, NullCeiling, UsedResponses } from '../records/score.ts';
import { aggregate } from './aggregate.ts';
import { agreedBin } from './agreed-bin.ts';
import { ceilingOf, ceilingRowsOf } from './ceilings.ts';
import { type Layout, layoutOfRows } from './layout.ts';
import { nullCeilingOf } from './null-ceilings.ts';
import { atScoredRows, type BinSet } from './response-sets.ts';
import { type ResponseTable, responseTable } from './responses.ts';
import { checkTrainable, untrainable } from './trainable.ts';
import { findUsable, type Usable } from './usable.ts';

export interface LaidOut {
  readonly layout: Layout;
  /** All time bins of the recording. */
  readonly bins: readonly BinSet[];
  /** The bins that are fitted, `scored` among them. */
  readonly fitted: readonly BinSet[];
  /** The bin that is scored. */
  readonly scored: BinSet;
  readonly nullCeiling: NullCeiling | null;
  readonly excludedSites: readonly ExcludedSite[];
  readonly responses: UsedResponses;
  readonly warnings: readonly string[];
}

/** Only the time bin that is scored. */
export const onlyScored = (laidOut: LaidOut): LaidOut => ({
  ...laidOut,
  fitted: [laidOut.scored],
});

/**
 * Lays out rows, folds and ceilings, and chooses the time bin. Sites that lack so many responses that a regression would have
 * too few are left out and listed.
 * Input errors: no usable site, a bin that the recording does not have, no usable ceiling.
 */
export const layOut = (
  protocol: Protocol,
  recording: Recording,
  seed: number,
  timeBins: 'all' | 'best',
): LaidOut => {
  const usable = trained(protocol, recording, seed);
  // Before the ceilings: too few stimuli for the folds is said as such.
  const { layout, sites, tables } = usable;
  const rows = ceilingRowsOf(layout);
  const bins = recording.header.timeBins.map((timeBin, bin): BinSet => {
    const table = tables[bin]!;
    const ceiling = ceilingOf(protocol.ceiling, table, rows, seed);
    const overallCeiling = aggregate(ceiling.perSite, ceiling, protocol.normalisation).ceiling;
    return {
      label: { kind: 'time bin', timeBin },
      table,
      responses: table.mean,
      recorded: atScoredRows(layout, table.mean),
      ceiling,
      overallCeiling,
    };
  });
  const agreed = agreedBin(protocol, bins, rows, seed);
  const scored = agreed?.bin ?? chooseBin(protocol, bins);
  return {
    layout,
    bins,
    fitted: timeBins === 'best' ? [scored] : bins,
    scored,
    nullCeiling: nullCeilingOf(protocol.ceiling, scored.responses, rows, seed),
    excludedSites: [...usable.excludedSites, ...scored.ceiling.excluded],
    responses: usable.responsesOf(sites),
    warnings: [
      ...usable.warnings,
      ...(agreed === null ? [] : [agreed.warning]),
      ...(scored.ceiling.warnings ?? []),
      ...severalAreas(recording),
      ...unstratified(protocol, recording),
    ],
  };
};

/** Tables of all time bins of these stimuli and sites; of all of them those that are there. */
const tablesOf = (
  recording: Recording,
  whole: readonly ResponseTable[],
  stimuli: Int32Array,
  sites: Int32Array,
): readonly ResponseTable[] =>
  stimuli.length === recording.stimuli.length && sites.length === recording.header.sites.length
    ? whole
    : whole.map((_, bin) => responseTable(recording, bin, stimuli, sites));

/** Stimuli and sites in use, those left out that no regression could be trained on, their layout, and their tables alone. */
const trained = (
  protocol: Protocol,
  recording: Recording,
  seed: number,
): Usable & { readonly layout: Layout } => {
  const usable = findUsable(recording, protocol);
  const { header, folder } = recording;
  const { stimuli, sites } = usable;
  const tables = tablesOf(recording, usable.tables, stimuli, sites);
  const { imageOfRow } = tables[0]!;
  const laidOut = (of: Int32Array): Layout =>
    layoutOfRows(protocol, recording, { stimuli, sites: of, imageOfRow }, seed);
  const layout = laidOut(sites);
  const bins = header.timeBins.map((timeBin, bin) => ({
    timeBin,
    mean: tables[bin]!.mean,
  }));
  const lacking = untrainable(layout, bins);
  if (lacking.size === 0) return { ...usable, tables, layout };
  const excluded = Array.from(lacking, ([column, reason]) => ({
    site: layout.siteIds[column]!,
    image: null,
    reason,
  }));
  checkTrainable(layout, excluded, folder);
  const kept = sites.filter((_, column) => !lacking.has(column));
  return {
    ...usable,
    sites: kept,
    tables: tablesOf(recording, usable.tables, stimuli, kept),
    excludedSites: [...usable.excludedSites, ...excluded],
    layout: laidOut(kept),
  };
};

/** A median over sites of several areas is the score of none of them. */
const severalAreas = ({ header: { sites } }: Recording): string[] => {
  const counts = new Map<string, number>();
  for (const { area } of sites) counts.set(area, (counts.get(area) ?? 0) + 1);
  if (counts.size < 2) return [];
  const parts = [...counts].map(([area, count]) => `${area} (${count})`);
  return [
    `sites of ${parts.join(', ')} are scored together; import each area on its own for a score of each`,
  ];
};

/** A column that the stimuli do not have cannot stratify: said, since the protocol asks for it. */
const unstratified = ({ folds }: Protocol, { stimuli }: Recording): string[] => {
  if (folds.kind === 'leave-one-image-out' || folds.stratifyBy === null) return [];
  const column = folds.stratifyBy;
  if (stimuli.every(({ columns }) => column in columns)) return [];
  return [`folds are not stratified: stimuli.csv has no column "${column}"`];
};

const chooseBin = (protocol: Protocol, bins: readonly BinSet[]): BinSet => {
  const { name, timeBin } = protocol;
  if (timeBin !== 'best-ceiling') {
    const found = bins.find(({ label }) => sameBin(label.timeBin, timeBin));
    if (found === undefined) throw noSuchBin(name, timeBin, bins);
    if (Number.isNaN(found.overallCeiling)) throw noCeiling(protocol, [found]);
    return found;
  }
  const usable = bins.filter(({ overallCeiling }) => !Number.isNaN(overallCeiling));
  if (usable.length === 0) throw noCeiling(protocol, bins);
  return usable.reduce((high, bin) =>
    bin.ceiling.meanOverAllSites > high.ceiling.meanOverAllSites ? bin : high,
  );
};

const noSuchBin = (name: string, wanted: TimeBin, bins: readonly BinSet[]) =>
  inputError({
    where: `protocol ${name}: timeBin`,
    expected: `one of ${bins.map(({ label: { timeBin } }) => `${timeBin.start}–${timeBin.end} ms`).join(', ')}`,
    got: JSON.stringify(wanted),
    mend: 'name a bin of the recording, or "best-ceiling"',
  });

/** What to do where no site has a ceiling. */
const mendsOf = (kind: CeilingSettings['kind']): string => {
  switch (kind) {
    case 'published':
      return 'give sites[].reliability in recording.json, or choose another ceiling';
    case 'best-other-site':
    case 'best-pair':
      return 'no site agrees with another: see that the dimensions are in the right order, or choose another ceiling';
    default:
      return 'too few responses repeat: see that the dimensions are in the right order (an inspection shows the reliability of every site), or choose another ceiling';
  }
};

/** Before any network runs: no score can be divided by what none of the sites has. */
const noCeiling = ({ name, ceiling: { kind } }: Protocol, bins: readonly BinSet[]) => {
  const [bin] = bins;
  const reasons = new Set(bin!.ceiling.excluded.map(({ reason }) => reason));
  const reason = reasons.size === 0 ? 'none' : [...reasons].slice(0, 3).join('; ');
  return inputError({
    code: 'no-usable-ceiling',
    where: `protocol ${name}: ceiling`,
    expected: 'at least one site of the recording with a usable ceiling',
    got: bins.length === 1 ? reason : `${reason} (in all ${bins.length} time bins)`,
    mend: mendsOf(kind),
  });
};
