// How well sites predict sites, by the regression, folds and correlation of a score: another animal's, or the other
// sites of the same recording.

import { unstacked } from '../numeric/array.ts';
import { unitOf } from '../numeric/unit.ts';
import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import type { RegressionSettings } from '../records/protocol.ts';
import { type Recording, sameBin, type TimeBin } from '../records/recording.ts';
import type { LayerScore } from '../records/score.ts';
import type { CeilingSide, Measured, SiteCeiling } from '../records/site-ceiling.ts';
import type { Ceiling } from './ceiling.ts';
import { withoutDivision } from './ceilings.ts';
import { takeColumns } from './columns.ts';
import { type Consistency, consistencyOf, type HalfPredictions } from './consistency.ts';
import { nullable } from './defined.ts';
import { evaluateLayer } from './evaluate.ts';
import { fitLayer } from './fit-layer.ts';
import { prepareResampling } from './intervals.ts';
import type { LaidOut } from './lay-out.ts';
import { type Layout, withinFeatures } from './layout.ts';
import { filledWithMeans } from './regressions.ts';
import type { BinSet } from './response-sets.ts';
import type { ResponseTable } from './responses.ts';
import { ownHalves, type Predictor, predictHalves, sharedHalves } from './site-halves.ts';

/** Half splits of the trials for the correction: each takes two regressions, or two for every site. */
const splitsBetween = 5;
const splitsWithin = 2;

/** A recording laid out under the protocol. */
export interface LaidOutRecording {
  readonly recording: Recording;
  readonly laidOut: LaidOut;
}

/**
 * The sites of `from` predict those of `to`; both are laid out on the same stimuli in the same order. The time bin of the
 * predicted responses is used on both sides where the predicting recording has it, else each has its own.
 */
export const ceilingBetween = async (
  to: LaidOutRecording,
  from: LaidOutRecording,
  seed: number,
  ports: Ports,
): Promise<SiteCeiling> => {
  const { label, table } = binFor(from, to.laidOut.scored.label.timeBin);
  const { layout } = withinFeatures(to.laidOut.layout, table.sites.length);
  const task = `${to.recording.header.name} from ${from.recording.header.name}`;
  const { quiet, count } = counted(task, 1 + 2 * splitsBetween, ports);
  const predict: Predictor = async (responses, predictors) => {
    const source = responseSource(from.recording.header.name, asFeatures(predictors, layout));
    const fit = await predictResponses(layout, source, responses, quiet);
    count();
    return fit;
  };
  return measure(to, layout, predict, table, {
    side: describeSide(from, label.timeBin, table.sites.length),
    notes: filledNote(table.mean),
    splits: splitsBetween,
    seed,
    task,
  });
};

/**
 * All other sites of a recording predict each site. Raw and protocol-corrected values are of all trials on both sides,
 * so that noise which sites share in a trial counts as signal; the fully corrected ones keep trials apart.
 * Input error: a single usable site.
 */
export const ceilingWithin = async (
  within: LaidOutRecording,
  seed: number,
  ports: Ports,
): Promise<SiteCeiling> => {
  const { recording, laidOut } = within;
  const { table } = laidOut.scored;
  const sites = laidOut.layout.siteIds.length;
  if (sites < 2)
    throw inputError({
      where: recording.folder,
      expected: 'at least two usable sites, that one may predict the other',
      got: `${sites}`,
      mend: 'give a second recording of the same stimuli',
    });
  const { layout } = withinFeatures(laidOut.layout, sites - 1);
  const task = `${recording.header.name}, each site from the others`;
  const { quiet, count } = counted(task, (1 + 2 * splitsWithin) * sites, ports);
  const predict: Predictor = async (responses, predictors) => {
    const columns: Float64Nd[] = [];
    const whole = asFeatures(predictors, layout);
    const all = Int32Array.from({ length: sites }, (_, site) => site);
    const arithmetic = new Set<string>();
    const warnings = new Set<string>();
    for (let site = 0; site < sites; site++) {
      const others = all.filter((other) => other !== site);
      const source = responseSource(
        `all sites but ${layout.siteIds[site]!}`,
        takeColumns(whole, others),
      );
      const fit = await predictResponses(layout, source, takeColumns(responses, [site]), quiet);
      columns.push(fit.predicted);
      arithmetic.add(fit.arithmetic);
      for (const warning of fit.warnings) warnings.add(warning);
      count();
    }
    return {
      predicted: besideEachOther(columns),
      arithmetic: [...arithmetic].join(', '),
      warnings: [...warnings],
    };
  };
  return measure(within, layout, predict, table, {
    side: null,
    notes: filledNote(table.mean),
    splits: splitsWithin,
    seed,
    task,
  });
};

/** Ports that say nothing of a regression's steps, and what counts whole regressions. */
const counted = (task: string, total: number, ports: Ports) => {
  let done = 0;
  const say = (): void => ports.progress({ task, done, total, unit: 'regressions' });
  say();
  return {
    quiet: { ...ports, progress: () => undefined } satisfies Ports,
    count: (): void => {
      done++;
      say();
      ports.checkStop();
    },
  };
};

interface Measurement {
  readonly side: CeilingSide | null;
  readonly notes: readonly string[];
  readonly splits: number;
  readonly seed: number;
  readonly task: string;
}

const measure = async (
  { recording, laidOut: { scored } }: LaidOutRecording,
  layout: Layout,
  predict: Predictor,
  predictors: ResponseTable,
  { side, notes, splits, seed, task }: Measurement,
): Promise<SiteCeiling> => {
  const { table } = scored;
  const { siteIds } = layout;
  const { predicted, arithmetic, warnings } = await predict(scored.responses, predictors.mean);
  const evaluate = (by: Layout, set: BinSet): LayerScore =>
    evaluateLayer(by, set, prepareResampling(by, set.ceiling, seed), {
      name: task,
      features: predictors.mean.shape[1]!,
      predictions: predicted,
      arithmetic,
      alphas: null,
      warnings: [...warnings],
    });
  const ceiled = evaluate(layout, scored);
  const raw = evaluate(inCorrelations(layout), { ...scored, ceiling: uncorrected(scored.ceiling) });
  const twice =
    side === null ? sharedHalves(table, splits, seed) : ownHalves(table, predictors, splits, seed);
  const parts: HalfPredictions[] = [];
  for (const half of twice ?? []) {
    parts.push(await predictHalves(layout, predict, half));
  }
  const consistency =
    twice === null
      ? null
      : consistencyOf(
          layout,
          scored,
          prepareResampling(layout, scored.ceiling, seed),
          parts,
          (site) => ceiled.sites[site]!.value === null,
        );
  return {
    target: describeSide({ recording }, scored.label.timeBin, siteIds.length),
    predictor: side,
    stimuli: layout.stimuli.length,
    raw: measured(raw),
    value: measured(ceiled),
    corrected:
      consistency === null
        ? null
        : { value: nullable(consistency.value), interval: consistency.interval },
    ceiling: ceiled.ceiling,
    sites: ceiled.sites.map(({ site, raw: r, value }, index) => ({
      site,
      raw: r,
      value,
      corrected: consistency === null ? null : nullable(consistency.perSite[index]!),
    })),
    regression: regressionText(layout.protocol.regression, arithmetic),
    warnings: [
      ...notes,
      ...ceiled.warnings,
      ...irreproducible(ceiled, consistency),
      ...(twice === null
        ? ['not every response has two trials, so that the noise of the predicting sites stays']
        : []),
    ],
  };
};

/** Sites that have a score but no corrected value are missing from its median: said, since they are the worst. */
const irreproducible = ({ sites }: LayerScore, consistency: Consistency | null): string[] => {
  if (consistency === null) return [];
  const lost = sites.filter(
    ({ value }, site) => value !== null && Number.isNaN(consistency.perSite[site]!),
  );
  return lost.length === 0
    ? []
    : [
        `${lost.length} of ${sites.length} sites are missing from the corrected value: what is predicted of them does not repeat between halves of the trials`,
      ];
};

const measured = ({ value, interval }: LayerScore): Measured => ({ value, interval });

const regressionText = (settings: RegressionSettings, arithmetic: string): string =>
  `${settings.kind === 'pls' ? `PLS, ${settings.components} components` : 'ridge'}, ${arithmetic}`;

/** Values that are correlations. */
const inCorrelations = (layout: Layout): Layout => ({
  ...layout,
  protocol: { ...layout.protocol, normalisation: 'r/c' },
});

/** A ceiling that divides by nothing, for the sites and images that this one uses. */
const uncorrected = (ceiling: Ceiling): Ceiling => ({
  ...withoutDivision(ceiling),
  overall: null,
  basis: null,
});

/** The wanted time bin of a predicting recording where it has it, else the one that it is scored in. */
const binFor = ({ laidOut: { bins, scored } }: LaidOutRecording, wanted: TimeBin): BinSet =>
  bins.find(({ label }) => sameBin(label.timeBin, wanted)) ?? scored;

/** Responses `[rows, sites]` as the features of a regression. */
export const responseSource = (name: string, { data, shape }: Float64Nd): FeatureSource => ({
  name,
  rows: shape[0]!,
  columns: shape[1]!,
  blockCount: 1,
  async *blocks() {
    yield { data: data.slice(), shape };
  },
});

/** Held-out predictions `[rows scored, sites]` of responses `[rows, sites]`, by the regressions that are scored. */
const predictResponses = async (
  layout: Layout,
  source: FeatureSource,
  responses: Float64Nd,
  ports: Ports,
): ReturnType<Predictor> => {
  const fit = await fitLayer(layout, { sets: [{ responses }], choosing: [] }, source, ports);
  const [predicted] = unstacked(fit.predictions);
  return { predicted: predicted!, arithmetic: fit.arithmetic, warnings: fit.warnings };
};

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

const describeSide = (
  { recording: { header, hash } }: Pick<LaidOutRecording, 'recording'>,
  timeBin: TimeBin,
  sites: number,
): CeilingSide => ({
  recording: header.name,
  sha256: hash,
  area: distinct(header.sites.map(({ area }) => area)).join('+'),
  animals: distinct(header.sites.flatMap(({ animal }) => (animal === undefined ? [] : [animal]))),
  timeBin,
  sites,
});

/**
 * Responses that predict, the mean of its site for what is missing. Partial least squares knows no unit, so that squares of very
 * small or very large responses need not be lost; the alphas of a ridge regression may be meant in their unit.
 */
const asFeatures = (predictors: Float64Nd, { protocol: { regression } }: Layout): Float64Nd => {
  const { data, shape } = filledWithMeans(predictors);
  const unit = regression.kind === 'pls' ? unitOf(data) : 1;
  return unit === 1 ? { data, shape } : { data: data.map((value) => value / unit), shape };
};

/** Said where sites predict others although responses of theirs are missing: their mean stands for these. */
const filledNote = ({ data, shape }: Float64Nd): string[] => {
  const lacking = new Set<number>();
  data.forEach((value, at) => {
    if (Number.isNaN(value)) lacking.add(at % shape[1]!);
  });
  return lacking.size === 0
    ? []
    : [`${lacking.size} predicting sites lack some responses, for which their mean stands`];
};

const besideEachOther = (columns: readonly Float64Nd[]): Float64Nd => {
  const rows = columns[0]!.shape[0]!;
  const data = new Float64Array(rows * columns.length);
  columns.forEach((column, at) => {
    for (let row = 0; row < rows; row++) data[row * columns.length + at] = column.data[row]!;
  });
  return { data, shape: [rows, columns.length] };
};
