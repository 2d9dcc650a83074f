import { takeRows } from '../numeric/array.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Recording, TimeBin } from '../records/recording.ts';
import type { ExcludedSite, NullCeiling } from '../records/score.ts';
import type { Fold } from '../regression/folds.ts';
import { rowsLeftOut } from '../regression/omissions.ts';
import { aggregate } from './aggregate.ts';
import { type Ceiling, ceilingOf } from './ceilings.ts';
import { type Design, designOf, type HeldOutRows, leftOutOf } from './design.ts';
import { foldsOf } from './folds.ts';
import { type Group, groupsOf } from './groups.ts';
import { type Predicted, trainedMean } from './guesses.ts';
import { type Compared, prepareResampling, type Resampling } from './intervals.ts';
import { nullCeilingOf } from './null-ceilings.ts';
import { findUsable, type ResponseTable, responseTable } from './responses.ts';

/** The responses of one time bin, with what a perfect model could reach there. */
export interface BinTarget {
  readonly timeBin: TimeBin;
  readonly table: ResponseTable;
  /** The responses that predictions are scored on, `[rows scored, sites]`: the table's, unless splits overlap. */
  readonly recorded: Float64Nd;
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
  /** Rows of the response tables held out together; those of shuffle splits overlap. */
  readonly folds: readonly Fold[];
  /** The regressions that are needed; null where folds overlap, and each split is a regression of its own. */
  readonly design: Design | null;
  /** For each fold the rows that are scored; groups, too, are of these rows. */
  readonly heldOut: readonly HeldOutRows[];
  /** Rows of the response table that are scored: each once, or, of splits that overlap, those of one after another. */
  readonly scoredRows: Int32Array;
  /** Stimulus of each row that is scored, as an index into the recording. */
  readonly imageOfScored: Int32Array;
  readonly groups: readonly Group[];
  readonly nullCeiling: NullCeiling | null;
  readonly excludedSites: readonly ExcludedSite[];
  readonly warnings: readonly string[];
}

/** Rows, one per image or fixation. */
export const rowCount = ({ bins }: Target): number => bins[0]!.table.imageOfRow.length;

/** What every regression leaves out, those for the choice of a layer too. */
export const regressionsOf = ({ design, folds }: Target): readonly Fold[] =>
  design === null ? folds : rowsLeftOut(design.folds, design.omissions);

/** Which fold held each scored row out, by number. */
export const foldOfRows = ({ heldOut, imageOfScored }: Target): Int32Array => {
  const folds = new Int32Array(imageOfScored.length);
  heldOut.forEach(({ rows }, fold) => {
    for (const row of rows) folds[row] = fold;
  });
  return folds;
};

/** The draws of images and sites that all layers share; takes some seconds on large recordings. */
export const resamplingOf = (target: Target, seed: number): Resampling => {
  const { ceiling } = chosenBin(target);
  return prepareResampling(
    target.protocol,
    target.imageOfScored,
    target.siteIds.length,
    target.groups,
    ceiling,
    seed,
  );
};

/** Scored rows beside what predicts them. */
export const comparedWith = (
  { imageOfScored, groups, protocol: { correlation } }: Target,
  recorded: Float64Nd,
  predicted: Float64Nd,
): Compared => ({ recorded, predicted, imageOfRow: imageOfScored, groups, correlation });

/** What the predictions of a bin would be if its regressions found nothing. */
export const predictedParts = ({ heldOut }: Target, { table }: BinTarget): Predicted[] =>
  heldOut.map(({ rows, leftOut }) => ({ rows, trainedMean: trainedMean(table.mean, leftOut) }));

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
  // Before the ceilings: too few stimuli for the folds is said as such.
  const folds = foldsOf(protocol.folds, imageOfRow, stimuli, seed);
  const scored = scoredRows(protocol, folds, imageOfRow.length);
  const imageOfScored = scored.map((row) => imageOfRow[row]!);
  const alone = heldOutAlone(protocol, folds);
  const groups =
    protocol.aggregation === 'splits-of-sites-then-ceiling'
      ? alone
      : groupsOf(protocol.aggregation, imageOfScored, names);
  const rows = { groups, siteIds, correlation: protocol.correlation, grid: header.grid };
  const bins = header.timeBins.map((timeBin, bin): BinTarget => {
    const table = responseTable(recording, bin, usable.stimuli, usable.sites);
    const ceiling = ceilingOf(protocol.ceiling, table, rows, seed);
    const level = aggregate(ceiling.perSite, ceiling, protocol.normalisation).ceiling;
    const recorded = overlaps(protocol) ? takeRows(table.mean, scored) : table.mean;
    return { timeBin, table, recorded, ceiling, level };
  });
  const chosen = chooseBin(protocol, bins);
  const fitted = timeBins === 'best' ? [chosen] : bins.map((_, bin) => bin);
  const { table, ceiling } = bins[chosen]!;
  const sets = fitted.map((_, set) => set);
  const design = overlaps(protocol)
    ? null
    : designOf(protocol.layerChoice, folds, sets, fitted.indexOf(chosen), seed);
  return {
    protocol,
    bins,
    chosen,
    fitted,
    stimuli: usable.stimuli,
    siteIds,
    folds,
    design,
    heldOut: alone.map((part, fold) =>
      design === null ? part : { ...part, leftOut: leftOutOf(design, fold) },
    ),
    scoredRows: scored,
    imageOfScored,
    groups,
    nullCeiling: nullCeilingOf(protocol.ceiling, table.mean, rows, seed),
    excludedSites: [...usable.excludedSites, ...ceiling.excluded],
    warnings: [
      ...usable.warnings,
      ...severalAreas(recording),
      ...unstratified(protocol, recording),
    ],
  };
};

/** Whether a row may be held out by several folds, or by none. */
const overlaps = ({ folds }: Protocol): boolean => folds.kind === 'stratified-shuffle-split';

const scoredRows = (protocol: Protocol, folds: readonly Fold[], rows: number): Int32Array =>
  overlaps(protocol)
    ? Int32Array.from(folds.flatMap(({ test }) => [...test]))
    : Int32Array.from({ length: rows }, (_, row) => row);

/** Each fold's rows among those scored, as if its regression left nothing else out. */
const heldOutAlone = (protocol: Protocol, folds: readonly Fold[]): HeldOutRows[] => {
  if (!overlaps(protocol))
    return folds.map(({ name, test }) => ({ name, rows: test, leftOut: test }));
  let from = 0;
  return folds.map(({ name, test }) => {
    const rows = Int32Array.from(test, (_, k) => from + k);
    from += test.length;
    return { name, rows, leftOut: test };
  });
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

const chooseBin = ({ name, timeBin }: Protocol, bins: readonly BinTarget[]): number => {
  if (timeBin !== 'best-ceiling') {
    const found = bins.findIndex(
      (bin) => bin.timeBin.start === timeBin.start && bin.timeBin.end === timeBin.end,
    );
    if (found < 0) throw noSuchBin(name, timeBin, bins);
    if (Number.isNaN(bins[found]!.level)) throw noCeiling(name, bins[found]!);
    return found;
  }
  const usable = bins.filter(({ level }) => !Number.isNaN(level));
  if (usable.length === 0) throw noCeiling(name, bins[0]!);
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

/** The recording is at fault, and is said to be before any network runs. */
const noCeiling = (name: string, { ceiling }: BinTarget) =>
  inputError({
    where: `protocol ${name}: ceiling`,
    expected: 'at least one site with a usable ceiling in the recording',
    got: `none (${ceiling.excluded[0]?.reason ?? 'no site'})`,
    mend: 'look at its reliabilities (ventral data inspect): its dimensions may have been named in another order; or choose another ceiling',
  });
