// How the score of one layer changes with the number of trials and of sites: the same recording as if fewer had been
// recorded, fitted and scored anew.

import { unstacked } from '../numeric/array.ts';
import { createRandom } from '../numeric/random.ts';
import { mean, standardDeviation } from '../numeric/statistics.ts';
import type { FeatureSource, Features } from '../records/activations.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Ports } from '../records/ports.ts';
import type { LearningCurve, LearningCurvePoint } from '../records/score.ts';
import { regressionBytes } from '../regression/regress.ts';
import type { Aggregate } from './aggregate.ts';
import type { Ceiling } from './ceiling.ts';
import { ceilingOf, ceilingRowsOf, sitesInUse } from './ceilings.ts';
import { onlyColumns, spreadColumns, takeColumns } from './columns.ts';
import { type Cost, costOfWidest, type FitShape, fitShapeOf } from './cost.ts';
import { nullable } from './defined.ts';
import { evaluate } from './evaluate.ts';
import { fitLayer } from './fit-layer.ts';
import type { Group } from './groups.ts';
import type { LaidOut } from './lay-out.ts';
import type { Layout } from './layout.ts';
import { type BinSet, type ResponseSet, responseSet } from './response-sets.ts';
import { ceilingOfTrials, doublings, meanOfTrials } from './sub-sample.ts';

/** Draws of each number of trials or sites, but for all of them. */
const draws = 10;

interface Conditions {
  /** Bytes that the regression may take. */
  readonly memory: number;
  readonly seed: number;
}

export interface LearningCurveRequest extends Conditions {
  readonly layer: string;
}

/** One draw of trials or sites, made when its turn comes: all of them together may be large. */
interface Sample {
  readonly of: 'trials' | 'sites';
  readonly count: number;
  readonly make: () => ResponseSet;
}

/**
 * Draws trials (each row's own, alike for all sites) and sites without replacement, 10 times each number; all are
 * regressed on one Gram matrix, in as many goes as the memory takes. The last point of each is the layer's own score.
 * No points of trials where nothing repeats.
 */
export const learningCurveOf = async (
  laidOut: LaidOut,
  source: () => Promise<FeatureSource>,
  request: LearningCurveRequest,
  ports: Ports,
): Promise<LearningCurve> => {
  const { layout } = laidOut;
  const samples = samplesOf(laidOut, request);
  const aggregated: Aggregate[] = [];
  while (aggregated.length < samples.length) {
    const features = await source();
    const next = samples.slice(
      aggregated.length,
      aggregated.length + setsWithin(layout, features, request),
    );
    const sets = next.map(({ make }) => make());
    const fit = await fitLayer(layout, { sets, choosing: [] }, features, ports);
    unstacked(fit.predictions).forEach((predictions, index) => {
      aggregated.push(evaluate(layout, sets[index]!, predictions).aggregated);
      ports.checkStop();
    });
  }
  const points = (of: Sample['of']): LearningCurvePoint[] => {
    const own = samples.flatMap((sample, index) =>
      sample.of === of ? [{ count: sample.count, aggregated: aggregated[index]! }] : [],
    );
    return [...new Set(own.map(({ count }) => count))].map((count) =>
      pointOf(
        count,
        own.filter((each) => each.count === count).map((each) => each.aggregated),
      ),
    );
  };
  return { layer: request.layer, trials: points('trials'), sites: points('sites') };
};

const samplesOf = ({ layout, scored }: LaidOut, { seed }: Conditions): Sample[] => [
  ...trialSamples(layout, scored, seed),
  ...siteSamples(layout, scored, seed),
];

/** What the curve of a best layer that is not known yet will take. */
export interface LearningCurveCost extends Cost {
  /** Response sets that the layer is fitted to. */
  readonly tables: number;
}

/** The widest layer may turn out the best; each go gathers its features anew. */
export const learningCurveCost = async (
  laidOut: LaidOut,
  features: Features,
  request: Conditions,
  ports: Ports,
): Promise<LearningCurveCost> => {
  const tables = samplesOf(laidOut, request).length;
  const layers = features.passes.flatMap((pass) => pass.layers);
  const columns = Math.max(...layers.map((layer) => layer.features));
  const sets = Math.min(tables, setsWithin(laidOut.layout, { columns }, request));
  const shape: FitShape = { ...fitShapeOf(laidOut), sets, choosing: 0 };
  const { bytes, seconds } = await costOfWidest(features, shape, ports);
  return { tables, bytes, seconds: (seconds * tables) / sets };
};

/** Response sets that one go may take. */
const setsWithin = (
  { protocol, folds, siteIds, imageOfRow }: Layout,
  { columns }: Pick<FeatureSource, 'columns'>,
  { memory }: Conditions,
): number => {
  const size = { rows: imageOfRow.length, columns, folds: folds.length, sites: siteIds.length };
  const bytes = (sets: number): number => regressionBytes({ ...size, sets }, protocol.regression);
  let sets = 1;
  while (sets < 256 && bytes(2 * sets) <= memory) sets *= 2;
  return sets;
};

const drawsOf = (count: number, all: number): number[] =>
  Array.from({ length: count === all ? 1 : draws }, (_, draw) => draw);

const trialSamples = (layout: Layout, { table, ceiling }: BinSet, seed: number): Sample[] => {
  const settings = layout.protocol.ceiling;
  const all = table.trials.shape[1]!;
  if (all < 2) return [];
  const groups = groupsInTable(layout);
  return doublings(1, all).flatMap((count) => {
    const known = ceilingOfTrials(settings, ceiling, table.trials, groups, count);
    return drawsOf(count, all).map((draw): Sample => {
      const make = (): ResponseSet => {
        const mean = count === all ? table.mean : meanOfTrials(table.trials, count, seed, draw);
        const anew = (): Ceiling =>
          ceilingOf(settings, { ...table, mean }, ceilingRowsOf(layout), seed);
        const label = { kind: 'sub-sample', of: 'trials', count, draw } as const;
        return responseSet(layout, label, mean, known ?? anew());
      };
      return { of: 'trials', count, make };
    });
  });
};

/** Groups as rows of the response table: those of overlapping splits are of the rows that are scored. */
const groupsInTable = ({ groups, scoredRows }: Layout): Group[] =>
  groups.map(({ name, rows }) => ({ name, rows: rows.map((row) => scoredRows[row]!) }));

/** Sites without which a ceiling by other sites is not defined. */
const leastSites = { 'best-other-site': 2, 'best-pair': 3 } as const;

const siteSamples = (layout: Layout, scored: BinSet, seed: number): Sample[] => {
  const { kind } = layout.protocol.ceiling;
  const least = kind === 'best-other-site' || kind === 'best-pair' ? leastSites[kind] : 1;
  const usable = sitesInUse(scored.ceiling);
  const random = createRandom(seed).fork('sites of the curve');
  return doublings(least, usable.length).flatMap((count) =>
    drawsOf(count, usable.length).map((draw): Sample => {
      const order = random.fork(`${count} sites, draw ${draw}`).permutation(usable.length);
      const sites = order
        .slice(0, count)
        .sort()
        .map((index) => usable[index]!);
      return { of: 'sites', count, make: () => ofSites(layout, scored, { sites, draw, seed }) };
    }),
  );
};

interface SiteDraw {
  readonly sites: Int32Array;
  readonly draw: number;
  readonly seed: number;
}

/** Some sites only: fitted together, scored, and the ceilings by other sites taken from among them. */
const ofSites = (
  layout: Layout,
  { responses, recorded, ceiling, table }: BinSet,
  { sites, draw, seed }: SiteDraw,
): ResponseSet => {
  const { kind } = layout.protocol.ceiling;
  const { siteIds } = layout;
  const spread = (of: Float64Nd): Float64Nd => spreadColumns(of, sites, siteIds.length);
  const own = (): Ceiling => ({ ...ceiling, perSite: spread(takeColumns(ceiling.perSite, sites)) });
  const byOthers = (): Ceiling => {
    const rows = {
      ...ceilingRowsOf(layout),
      siteIds: Array.from(sites, (site) => siteIds[site]!),
    };
    const mean = takeColumns(table.mean, sites);
    const anew = ceilingOf(layout.protocol.ceiling, { ...table, mean }, rows, seed);
    return { ...anew, perSite: spread(anew.perSite) };
  };
  return {
    label: { kind: 'sub-sample', of: 'sites', count: sites.length, draw },
    // Sites without a ceiling were fitted together with the others, and are where all are.
    responses:
      sites.length === sitesInUse(ceiling).length ? responses : onlyColumns(responses, sites, 0),
    recorded: onlyColumns(recorded, sites, Number.NaN),
    ceiling: kind === 'best-other-site' || kind === 'best-pair' ? byOthers() : own(),
  };
};

const pointOf = (count: number, aggregated: readonly Aggregate[]): LearningCurvePoint => {
  const over = (of: (one: Aggregate) => number) => {
    const values = aggregated.map(of).filter((value) => !Number.isNaN(value));
    return { mean: nullable(mean(values)), spread: nullable(standardDeviation(values)) };
  };
  const raw = over((one) => one.raw);
  const value = over((one) => one.value);
  return {
    count,
    draws: aggregated.length,
    raw: raw.mean,
    rawSpread: raw.spread,
    ceiling: over((one) => one.ceiling).mean,
    value: value.mean,
    valueSpread: value.spread,
  };
};
