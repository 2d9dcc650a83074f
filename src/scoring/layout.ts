import type { Protocol } from '../records/protocol.ts';
import { alikeColumn, type FixationGrid, type Recording } from '../records/recording.ts';
import type { Fold } from '../regression/folds.ts';
import { type Aggregation, aggregationOf } from './aggregation.ts';
import { type Design, designOf, type HeldOutRows, heldOutRowsOf } from './design.ts';
import { foldsOf } from './folds.ts';
import { type Group, groupsOf } from './groups.ts';

/**
 * The rows of a recording under a protocol: which are left out together, which regressions that takes, and which are
 * correlated together. One layout serves all layers and all response sets.
 */
export interface Layout {
  readonly protocol: Protocol;
  readonly aggregation: Aggregation;
  /** Fixations of an image; null where an image is a row. */
  readonly grid: FixationGrid | null;
  /** Stimuli in use, as indices into the recording. */
  readonly stimuli: Int32Array;
  readonly siteIds: readonly string[];
  /** Reliability of each site as the recording's owner published it; null where it has none. */
  readonly published: readonly (number | null)[];
  /** Stimulus of each row (an image, or a fixation of one), as an index into the recording. */
  readonly imageOfRow: Int32Array;
  /** Rows held out together; those of shuffle splits overlap. */
  readonly folds: readonly Fold[];
  /** The regressions that are needed; null where folds overlap, and each split is a regression of its own. */
  readonly design: Design | null;
  /** For each fold the rows that are scored; groups, too, are of these rows. */
  readonly heldOut: readonly HeldOutRows[];
  /** Rows that are scored: each once, or, of splits that overlap, those of one after another. */
  readonly scoredRows: Int32Array;
  /** Stimulus of each row that is scored, as an index into the recording. */
  readonly imageOfScored: Int32Array;
  /** Stimulus of each row that is scored, but of nearly equal stimuli the first: what draws of images draw. */
  readonly drawnWith: Int32Array;
  readonly groups: readonly Group[];
}

/** What a layout lays out: stimuli and sites in use, as indices into the recording. */
export interface LaidOutRows {
  readonly stimuli: Int32Array;
  readonly sites: Int32Array;
  readonly imageOfRow: Int32Array;
}

/** Input errors: too few stimuli, or classes of them, for the folds. */
export const layoutOfRows = (
  protocol: Protocol,
  { header, stimuli: all }: Pick<Recording, 'header' | 'stimuli'>,
  { stimuli, sites, imageOfRow }: LaidOutRows,
  seed: number,
): Layout => {
  const aggregation = aggregationOf(protocol);
  const folds = foldsOf(protocol.folds, imageOfRow, all, seed);
  const overlap = aggregation.over === 'splits';
  const scoredRows = overlap
    ? Int32Array.from(folds.flatMap(({ test }) => [...test]))
    : Int32Array.from(imageOfRow, (_, row) => row);
  const imageOfScored = scoredRows.map((row) => imageOfRow[row]!);
  const alone = overlap ? oneAfterAnother(folds) : eachOnItsOwn(folds);
  const design = overlap ? null : designOf(protocol.layerChoice, folds, seed);
  const names = all.map(({ id }) => id);
  return {
    protocol,
    aggregation,
    grid: header.grid,
    stimuli,
    siteIds: Array.from(sites, (site) => header.sites[site]!.id),
    published: Array.from(sites, (site) => header.sites[site]!.reliability ?? null),
    imageOfRow,
    folds,
    design,
    heldOut: alone.map((part, fold) =>
      design === null ? part : { ...part, test: heldOutRowsOf(design, fold) },
    ),
    scoredRows,
    imageOfScored,
    drawnWith: imageOfScored.map((image) => firstAlike(all, image)),
    groups: overlap ? alone : groupsOf(aggregation, imageOfScored, names),
  };
};

/** The first stimulus with the same value of `alike`; the image itself where the recording has no such column. */
const firstAlike = (stimuli: Recording['stimuli'], image: number): number => {
  const alike = stimuli[image]!.columns[alikeColumn];
  return alike === undefined
    ? image
    : stimuli.findIndex(({ columns }) => columns[alikeColumn] === alike);
};

/** Each fold's rows, as if its regression left nothing else out. */
const eachOnItsOwn = (folds: readonly Fold[]): HeldOutRows[] =>
  folds.map(({ name, test }) => ({ name, rows: test, test }));

/** Each split's rows among those scored. */
const oneAfterAnother = (folds: readonly Fold[]): HeldOutRows[] => {
  let from = 0;
  return folds.map(({ name, test }) => {
    const rows = Int32Array.from(test, (_, k) => from + k);
    from += test.length;
    return { name, rows, test };
  });
};

/** What every regression leaves out, those for the choice of a layer too. */
export const regressionsOf = ({ design, folds }: Layout): readonly Fold[] =>
  design === null
    ? folds
    : design.splits.map(({ name }, split) => ({ name, test: heldOutRowsOf(design, split) }));

/** Which fold held each scored row out, by number. */
export const foldOfRows = ({ heldOut, imageOfScored }: Layout): Int32Array => {
  const folds = new Int32Array(imageOfScored.length);
  heldOut.forEach(({ rows }, fold) => {
    for (const row of rows) folds[row] = fold;
  });
  return folds;
};

/**
 * The layout for features that are fewer than the components of its regression: PLS with as many components as features,
 * and a note that says so. All others as they are.
 */
export const withinFeatures = (
  layout: Layout,
  features: number,
): { readonly layout: Layout; readonly note: string | null } => {
  const { protocol } = layout;
  const { regression } = protocol;
  if (regression.kind !== 'pls' || regression.components <= features) return { layout, note: null };
  return {
    layout: {
      ...layout,
      protocol: { ...protocol, regression: { ...regression, components: features } },
    },
    note: `PLS with ${features} components, as many as features`,
  };
};
