// How well sites predict sites, by the regression, folds and correlation of a score: another animal's, or the other
// sites of the same recording.

import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import type { RegressionSettings } from '../records/protocol.ts';
import type { Recording, TimeBin } from '../records/recording.ts';
import type { LayerScore } from '../records/score.ts';
import type { CeilingSide, Measured, SiteCeiling } from '../records/site-ceiling.ts';
import type { Ceiling } from './ceilings.ts';
import { type Consistency, consistencyOf, type HalfPredictions } from './consistency.ts';
import { nullable } from './defined.ts';
import { evaluateLayer } from './evaluate.ts';
import { type ResponseTable, responseTable } from './responses.ts';
import { ownHalves, type Predictor, predictHalves, sharedHalves } from './site-halves.ts';
import { takeColumns } from './sub-sample.ts';
import { chosenBin, resamplingOf, type Target } from './target.ts';
import { predictResponses, responseSource } from './with-responses.ts';

/** Half splits of the trials for the correction: each takes two regressions, or two for every site. */
const splitsBetween = 5;
const splitsWithin = 2;

/** A recording laid out under the protocol. */
export interface CeilingSubject {
  readonly recording: Recording;
  readonly target: Target;
}

/**
 * The sites of `from` predict those of `to`; both are laid out on the same stimuli in the same order. The time bin of the
 * predicted responses is used on both sides where the predicting recording has it, else each has its own.
 */
export const ceilingBetween = async (
  to: CeilingSubject,
  from: CeilingSubject,
  seed: number,
  ports: Ports,
): Promise<SiteCeiling> => {
  const { timeBin } = chosenBin(to.target);
  const bin = binFor(from, timeBin);
  const { sites, stimuli } = fromTarget(from);
  const table = responseTable(from.recording, bin, stimuli, sites);
  const target = withComponents(to.target, sites.length);
  const task = `${to.recording.header.name} from ${from.recording.header.name}`;
  const { quiet, count } = counted(task, 1 + 2 * splitsBetween, ports);
  const predict: Predictor = async (responses, predictors) => {
    const source = responseSource(from.recording.header.name, predictors);
    const fit = await predictResponses(target, source, [responses], quiet);
    count();
    return { ...fit, predicted: fit.predictions[0]! };
  };
  return measure(to, target, predict, table, {
    side: describeSide(from, from.recording.header.timeBins[bin]!, sites.length),
    splits: splitsBetween,
    seed,
    task,
  });
};

/**
 * All other sites of a recording predict each site. Raw and protocol-corrected figures are of all trials on both sides,
 * so that noise which sites share in a trial counts as signal; the fully corrected ones keep trials apart.
 * Input error: a single usable site.
 */
export const ceilingWithin = async (
  subject: CeilingSubject,
  seed: number,
  ports: Ports,
): Promise<SiteCeiling> => {
  const { recording } = subject;
  const { table } = chosenBin(subject.target);
  const sites = subject.target.siteIds.length;
  if (sites < 2)
    throw inputError({
      where: recording.folder,
      expected: 'at least two usable sites, that one may predict the other',
      got: `${sites}`,
      mend: 'give a second recording of the same stimuli',
    });
  const target = withComponents(subject.target, sites - 1);
  const task = `${recording.header.name}, each site from the others`;
  const { quiet, count } = counted(task, (1 + 2 * splitsWithin) * sites, ports);
  const predict: Predictor = async (responses, predictors) => {
    const columns: Float64Nd[] = [];
    const arithmetic = new Set<string>();
    const warnings = new Set<string>();
    for (let site = 0; site < sites; site++) {
      const others = columnsBut(site, sites);
      const source = responseSource(
        `all sites but ${target.siteIds[site]!}`,
        takeColumns(predictors, others),
      );
      const fit = await predictResponses(target, source, [takeColumns(responses, [site])], quiet);
      columns.push(fit.predictions[0]!);
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
  return measure(subject, target, predict, table, {
    side: null,
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
  readonly splits: number;
  readonly seed: number;
  readonly task: string;
}

const measure = async (
  { recording, target: { siteIds } }: CeilingSubject,
  target: Target,
  predict: Predictor,
  predictors: ResponseTable,
  { side, splits, seed, task }: Measurement,
): Promise<SiteCeiling> => {
  const { table, timeBin } = chosenBin(target);
  const { predicted, arithmetic, warnings } = await predict(table.mean, predictors.mean);
  const evaluate = (of: Target): LayerScore =>
    evaluateLayer(
      of,
      resamplingOf(of, seed),
      { name: task, features: predictors.mean.shape[1]! },
      predicted,
      { arithmetic, strengths: null, warnings: [...warnings] },
    );
  const ceiled = evaluate(target);
  const raw = evaluate(withoutCeiling(target));
  const twice =
    side === null ? sharedHalves(table, splits, seed) : ownHalves(table, predictors, splits, seed);
  const parts: HalfPredictions[] = [];
  for (const half of twice ?? []) {
    parts.push(await predictHalves(target, predict, half));
  }
  const consistency =
    twice === null
      ? null
      : consistencyOf(
          target,
          resamplingOf(target, seed),
          parts,
          (site) => ceiled.sites[site]!.value === null,
        );
  return {
    target: describeSide({ recording, target }, timeBin, siteIds.length),
    predictor: side,
    stimuli: target.stimuli.length,
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
    regression: regressionText(target.protocol.regression, arithmetic),
    warnings: [
      ...ceiled.warnings,
      ...irreproducible(ceiled, consistency),
      ...(twice === null
        ? ['not every response has two trials, so that the noise of the predicting sites stays']
        : []),
    ],
  };
};

/** Sites that have a score but no corrected figure are missing from its median: said, since they are the worst. */
const irreproducible = ({ sites }: LayerScore, consistency: Consistency | null): string[] => {
  if (consistency === null) return [];
  const lost = sites.filter(
    ({ value }, site) => value !== null && Number.isNaN(consistency.perSite[site]!),
  );
  return lost.length === 0
    ? []
    : [
        `${lost.length} of ${sites.length} sites are missing from the corrected figure: what is predicted of them does not repeat between halves of the trials`,
      ];
};

const measured = ({ value, interval }: LayerScore): Measured => ({ value, interval });

const regressionText = (settings: RegressionSettings, arithmetic: string): string =>
  `${settings.kind === 'pls' ? `PLS, ${settings.components} components` : 'ridge'}, ${arithmetic}`;

/** Not more components than there are predicting sites. */
const withComponents = (target: Target, predictors: number): Target => {
  const { protocol } = target;
  const { regression } = protocol;
  if (regression.kind !== 'pls' || regression.components <= predictors) return target;
  return {
    ...target,
    protocol: { ...protocol, regression: { ...regression, components: predictors } },
  };
};

/** The same sites and images, uncorrected. */
const withoutCeiling = (target: Target): Target => {
  const plain = (ceiling: Ceiling): Ceiling => ({
    ...ceiling,
    perSite: {
      data: ceiling.perSite.data.map((c) => (Number.isNaN(c) ? c : 1)),
      shape: ceiling.perSite.shape,
    },
    overall: null,
    halves: null,
  });
  return {
    ...target,
    protocol: { ...target.protocol, normalisation: 'r/c' },
    bins: target.bins.map((bin) => ({ ...bin, ceiling: plain(bin.ceiling) })),
  };
};

/** Usable stimuli and sites of a predicting recording, as its own target has them. */
const fromTarget = ({ target }: CeilingSubject) => {
  const { table } = chosenBin(target);
  return { sites: table.sites, stimuli: target.stimuli };
};

const binFor = ({ recording, target }: CeilingSubject, wanted: TimeBin): number => {
  const same = recording.header.timeBins.findIndex(
    ({ start, end }) => start === wanted.start && end === wanted.end,
  );
  return same >= 0 ? same : target.chosen;
};

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

const describeSide = (
  { recording: { header, hash } }: CeilingSubject,
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

const columnsBut = (left: number, columns: number): number[] =>
  Array.from({ length: columns }, (_, column) => column).filter((column) => column !== left);

const besideEachOther = (columns: readonly Float64Nd[]): Float64Nd => {
  const rows = columns[0]!.shape[0]!;
  const data = new Float64Array(rows * columns.length);
  columns.forEach((column, at) => {
    for (let row = 0; row < rows; row++) data[row * columns.length + at] = column.data[row]!;
  });
  return { data, shape: [rows, columns.length] };
};
