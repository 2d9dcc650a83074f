import { inputError } from '../records/errors.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Recording, TimeBin } from '../records/recording.ts';
import type { ExcludedSite, NullCeiling } from '../records/score.ts';
import type { Fold } from '../regression/folds.ts';
import { aggregate } from './aggregate.ts';
import { type Ceiling, ceilingOf } from './ceilings.ts';
import { foldsOf } from './folds.ts';
import { type Group, groupsOf } from './groups.ts';
import { prepareResampling, type Resampling } from './intervals.ts';
import { nullCeilingOf } from './null-ceilings.ts';
import { findUsable, type ResponseTable, responseTable, type Usable } from './responses.ts';

/** The responses of one time bin, with what a perfect model could reach there. */
export interface BinTarget {
  readonly timeBin: TimeBin;
  readonly table: ResponseTable;
  readonly ceiling: Ceiling;
  /** The ceiling aggregated as the score is; NaN where no site has one. */
  readonly level: number;
}

/** One recording under one protocol: everything about a score that no layer changes. */
export interface Target {
  readonly protocol: Protocol;
  /** All time bins of the recording; rows, sites, folds and groups are the same in all. */
  readonly bins: readonly BinTarget[];
  /** The bin that is scored, as an index into `bins`. */
  readonly chosen: number;
  /** The bins that are fitted, `chosen` among them. */
  readonly fitted: readonly number[];
  /** Stimuli in use, as indices into the recording. */
  readonly stimuli: Int32Array;
  readonly siteIds: readonly string[];
  readonly folds: readonly Fold[];
  readonly groups: readonly Group[];
  readonly nullCeiling: NullCeiling | null;
  readonly excludedSites: readonly ExcludedSite[];
  readonly warnings: readonly string[];
}

/** Rows, one per image or fixation. */
export const rowCount = ({ bins }: Target): number => bins[0]!.table.imageOfRow.length;

/** The draws of images and sites that all layers share; takes some seconds on large recordings. */
export const resamplingOf = (target: Target, seed: number): Resampling => {
  const { table, ceiling } = chosenBin(target);
  return prepareResampling(
    target.protocol.interval,
    table.imageOfRow,
    target.siteIds.length,
    target.groups,
    ceiling,
    seed,
  );
};

/** The time bin that is scored. */
export const chosenBin = ({ bins, chosen }: Target): BinTarget => bins[chosen]!;

/**
 * Lays out rows, folds and ceilings, and chooses the time bin.
 * Input errors: no usable site, a bin that the recording does not have, no usable ceiling.
 */
export const prepareTarget = (
  protocol: Protocol,
  recording: Recording,
  seed: number,
  timeBins: 'all' | 'best',
): Target => {
  const usable = findUsable(recording);
  const { header, stimuli } = recording;
  const { imageOfRow } = responseTable(recording, 0, usable.stimuli, usable.sites);
  const siteIds = Array.from(usable.sites, (site) => header.sites[site]!.id);
  const names = stimuli.map(({ id }) => id);
  const groups = groupsOf(protocol.aggregation, imageOfRow, names);
  // Before the ceilings: too few stimuli for the folds is said as such.
  const folds = foldsOf(protocol.folds, imageOfRow, stimuli, seed);
  const bins = header.timeBins.map((_, bin) =>
    binTarget(protocol, recording, bin, usable, siteIds, groups, seed),
  );
  const chosen = chooseBin(protocol, bins);
  const { table, ceiling } = bins[chosen]!;
  return {
    protocol,
    bins,
    chosen,
    fitted: timeBins === 'best' ? [chosen] : bins.map((_, bin) => bin),
    stimuli: usable.stimuli,
    siteIds,
    folds,
    groups,
    nullCeiling: nullCeilingOf(
      protocol.ceiling,
      table.mean,
      groups,
      protocol.correlation,
      header.grid,
      seed,
    ),
    excludedSites: [...usable.excludedSites, ...ceiling.excluded],
    warnings: [...usable.warnings, ...unstratified(protocol, recording)],
  };
};

/** A column that the stimuli do not have cannot stratify: said, since the protocol asks for it. */
const unstratified = ({ folds }: Protocol, { stimuli }: Recording): string[] => {
  if (folds.kind !== 'k-fold' || folds.stratifyBy === null) return [];
  const column = folds.stratifyBy;
  if (stimuli.every(({ columns }) => column in columns)) return [];
  return [`folds are not stratified: stimuli.csv has no column "${column}"`];
};

const binTarget = (
  protocol: Protocol,
  recording: Recording,
  bin: number,
  usable: Usable,
  siteIds: readonly string[],
  groups: readonly Group[],
  seed: number,
): BinTarget => {
  const { header } = recording;
  const table = responseTable(recording, bin, usable.stimuli, usable.sites);
  const ceiling = ceilingOf(
    protocol.ceiling,
    table,
    groups,
    siteIds,
    protocol.correlation,
    header.grid,
    seed,
  );
  const level = aggregate(ceiling.perSite, ceiling).ceiling;
  return { timeBin: header.timeBins[bin]!, table, ceiling, level };
};

const chooseBin = ({ name, timeBin }: Protocol, bins: readonly BinTarget[]): number => {
  if (timeBin !== 'best-ceiling') {
    const found = bins.findIndex(
      (bin) => bin.timeBin.start === timeBin.start && bin.timeBin.end === timeBin.end,
    );
    if (found < 0) throw noSuchBin(name, timeBin, bins);
    return found;
  }
  const usable = bins.filter(({ level }) => !Number.isNaN(level));
  if (usable.length === 0) throw noCeiling(name, bins);
  const best = usable.reduce((high, bin) =>
    bin.ceiling.strength > high.ceiling.strength ? bin : high,
  );
  return bins.indexOf(best);
};

const noSuchBin = (name: string, wanted: TimeBin, bins: readonly BinTarget[]) =>
  inputError({
    where: `protocol ${name}: timeBin`,
    expected: `one of ${bins.map(({ timeBin }) => `${timeBin.start}–${timeBin.end} ms`).join(', ')}`,
    got: JSON.stringify(wanted),
    mend: 'name a bin of the recording, or "best-ceiling"',
  });

const noCeiling = (name: string, bins: readonly BinTarget[]) =>
  inputError({
    where: `protocol ${name}: ceiling`,
    expected: 'at least one site with a usable ceiling',
    got: bins[0]?.ceiling.excluded[0]?.reason ?? 'none',
    mend: 'look at the reliabilities (ventral data inspect), or choose another ceiling',
  });
