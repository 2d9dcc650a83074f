// How the score of one layer changes with the number of trials and of sites: the same recording as if fewer had been
// recorded, fitted and scored anew.

import { takeRows } from '../numeric/array.ts';
import { createRandom } from '../numeric/random.ts';
import { mean, standardDeviation } from '../numeric/statistics.ts';
import type { FeatureSource, Features } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Ports } from '../records/ports.ts';
import type { FixationGrid } from '../records/recording.ts';
import type { Curve, CurvePoint } from '../records/score.ts';
import { regressionBytes } from '../regression/regress.ts';
import { type Aggregate, aggregate } from './aggregate.ts';
import { type Ceiling, ceilingOf } from './ceilings.ts';
import { correlate } from './correlations.ts';
import { nullable } from './defined.ts';
import { type Effort, effortOfWidest } from './effort.ts';
import type { Group } from './groups.ts';
import { withoutGuesses } from './guesses.ts';
import {
  ceilingOfTrials,
  doublings,
  meanOfTrials,
  onlyColumns,
  takeColumns,
} from './sub-sample.ts';
import { chosenBin, predictedParts, rowCount, type Target } from './target.ts';
import { predictResponses, tablesShape } from './with-responses.ts';

/** Draws of each number of trials or sites, but for all of them. */
const draws = 10;

interface Conditions {
  readonly grid: FixationGrid | null;
  /** Bytes that the regression may take. */
  readonly memory: number;
  readonly seed: number;
}

export interface CurveRequest extends Conditions {
  readonly layer: string;
}

/** Responses that are fitted and scored, `[rows, sites]`, and what their correlations are divided by. */
interface Sampled {
  readonly responses: Float64Nd;
  readonly ceiling: Ceiling;
}

/** One draw of trials or sites, made when its turn comes: all of them together may be large. */
interface Sample {
  readonly of: 'trials' | 'sites';
  readonly count: number;
  /** Columns that count; null: all. */
  readonly sites: Int32Array | null;
  readonly make: () => Sampled;
}

/**
 * Draws trials (each row's own, alike for all sites) and sites without replacement, 10 times each number; all tables are
 * regressed on one Gram matrix, in as many goes as the memory takes. The last point of each is the layer's own score.
 * No points of trials where nothing repeats.
 */
export const curveOf = async (
  target: Target,
  source: () => Promise<FeatureSource>,
  request: CurveRequest,
  ports: Ports,
): Promise<Curve> => {
  const samples = samplesOf(target, request);
  const figures: Aggregate[] = [];
  while (figures.length < samples.length) {
    const features = await source();
    const next = samples.slice(
      figures.length,
      figures.length + setsWithin(target, features, request),
    );
    const sampled = next.map(({ make }) => make());
    const { predictions } = await predictResponses(
      target,
      features,
      sampled.map(({ responses }) => responses),
      ports,
    );
    next.forEach(({ sites }, index) => {
      figures.push(evaluate(target, sampled[index]!, sites, predictions[index]!));
      ports.checkStop();
    });
  }
  const points = (of: Sample['of']): CurvePoint[] => {
    const own = samples.flatMap((sample, index) =>
      sample.of === of ? [{ count: sample.count, figures: figures[index]! }] : [],
    );
    return [...new Set(own.map(({ count }) => count))].map((count) =>
      pointOf(
        count,
        own.filter((each) => each.count === count).map((each) => each.figures),
      ),
    );
  };
  return { layer: request.layer, trials: points('trials'), sites: points('sites') };
};

const samplesOf = (target: Target, request: Conditions): Sample[] => [
  ...trialSamples(target, request),
  ...siteSamples(target, request),
];

/** What the curve of a best layer that is not known yet will take. */
export interface CurveEffort extends Effort {
  /** Tables that the layer is fitted to. */
  readonly tables: number;
}

/** The widest layer may turn out the best; each go gathers its features anew. */
export const curveEffort = async (
  target: Target,
  features: Features,
  request: Conditions,
  ports: Ports,
): Promise<CurveEffort> => {
  const tables = samplesOf(target, request).length;
  const layers = features.passes.flatMap((pass) => pass.layers);
  const columns = Math.max(...layers.map((layer) => layer.features));
  const sets = Math.min(tables, setsWithin(target, { columns }, request));
  const { bytes, seconds } = await effortOfWidest(features, tablesShape(target, sets), ports);
  return { tables, bytes, seconds: (seconds * tables) / sets };
};

/** Tables that one go may take. */
const setsWithin = (
  target: Target,
  { columns }: Pick<FeatureSource, 'columns'>,
  { memory }: Conditions,
): number => {
  const { protocol, folds, siteIds } = target;
  const size = { rows: rowCount(target), columns, folds: folds.length, sites: siteIds.length };
  const bytes = (sets: number): number => regressionBytes({ ...size, sets }, protocol.regression);
  let sets = 1;
  while (sets < 256 && bytes(2 * sets) <= memory) sets *= 2;
  return sets;
};

const drawsOf = (count: number, all: number): number[] =>
  Array.from({ length: count === all ? 1 : draws }, (_, draw) => draw);

/** A ceiling that rests on other sites' responses. */
const ceilingAnew = (
  { protocol, groups, bins, chosen }: Target,
  responses: Float64Nd,
  siteIds: readonly string[],
  { grid, seed }: Conditions,
): Ceiling =>
  ceilingOf(
    protocol.ceiling,
    { ...bins[chosen]!.table, mean: responses },
    { groups, siteIds, correlation: protocol.correlation, grid },
    seed,
  );

const trialSamples = (target: Target, request: Conditions): Sample[] => {
  const { seed } = request;
  const { table, ceiling } = chosenBin(target);
  const { protocol, siteIds } = target;
  const all = table.trials.shape[1]!;
  if (all < 2) return [];
  const groupsOfTable = groupsInTable(target);
  return doublings(1, all).flatMap((count) => {
    const known = ceilingOfTrials(protocol.ceiling, ceiling, table.trials, groupsOfTable, count);
    return drawsOf(count, all).map((draw): Sample => {
      const make = (): Sampled => {
        const responses =
          count === all ? table.mean : meanOfTrials(table.trials, count, seed, draw);
        return { responses, ceiling: known ?? ceilingAnew(target, responses, siteIds, request) };
      };
      return { of: 'trials', count, sites: null, make };
    });
  });
};

/** Groups as rows of the response table: those of overlapping splits are of the rows that are scored. */
const groupsInTable = (target: Target): Group[] => {
  const scored = target.scoredRows;
  return target.groups.map(({ name, rows }) => ({ name, rows: rows.map((row) => scored[row]!) }));
};

/** Sites without which a ceiling by other sites is not defined. */
const leastSites = { 'best-other-site': 2, 'best-pair': 3 } as const;

const siteSamples = (target: Target, request: Conditions): Sample[] => {
  const { table, ceiling } = chosenBin(target);
  const { protocol, siteIds } = target;
  const { kind } = protocol.ceiling;
  const byOthers = kind === 'best-other-site' || kind === 'best-pair';
  const usable = sitesInUse(ceiling);
  const random = createRandom(request.seed).fork('sites of the curve');
  return doublings(byOthers ? leastSites[kind] : 1, usable.length).flatMap((count) =>
    drawsOf(count, usable.length).map((draw): Sample => {
      const order = random.fork(`${count} sites, draw ${draw}`).permutation(usable.length);
      const sites = order
        .slice(0, count)
        .sort()
        .map((index) => usable[index]!);
      const make = (): Sampled => ({
        // Sites without a ceiling were fitted together with the others, and are where all are.
        responses: count === usable.length ? table.mean : onlyColumns(table.mean, sites),
        ceiling: byOthers
          ? ceilingAnew(
              target,
              takeColumns(table.mean, sites),
              Array.from(sites, (site) => siteIds[site]!),
              request,
            )
          : { ...ceiling, perSite: takeColumns(ceiling.perSite, sites) },
      });
      return { of: 'sites', count, sites, make };
    }),
  );
};

const sitesInUse = ({ perSite: { data, shape } }: Ceiling): number[] => {
  const [groups, sites] = shape as readonly [number, number];
  return Array.from({ length: sites }, (_, site) => site).filter((site) =>
    Array.from({ length: groups }, (_, group) => group).some(
      (group) => !Number.isNaN(data[group * sites + site]!),
    ),
  );
};

const evaluate = (
  target: Target,
  { responses, ceiling }: Sampled,
  sites: Int32Array | null,
  predictions: Float64Nd,
): Aggregate => {
  const { protocol, groups, design } = target;
  const bin = chosenBin(target);
  const recorded = design === null ? takeRows(responses, target.scoredRows) : responses;
  const parts = predictedParts(target, { ...bin, table: { ...bin.table, mean: responses } });
  const known = withoutGuesses(recorded, predictions, parts);
  const of = (table: Float64Nd): Float64Nd => (sites === null ? table : takeColumns(table, sites));
  const correlations = correlate(of(recorded), of(known), groups, protocol.correlation);
  return aggregate(correlations, ceiling, protocol.normalisation);
};

const pointOf = (count: number, figures: readonly Aggregate[]): CurvePoint => {
  const over = (of: (figure: Aggregate) => number) => {
    const values = figures.map(of).filter((value) => !Number.isNaN(value));
    return { mean: nullable(mean(values)), spread: nullable(standardDeviation(values)) };
  };
  const raw = over((figure) => figure.raw);
  const value = over((figure) => figure.value);
  return {
    count,
    draws: figures.length,
    raw: raw.mean,
    rawSpread: raw.spread,
    ceiling: over((figure) => figure.ceiling).mean,
    value: value.mean,
    valueSpread: value.spread,
  };
};
