import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Recording, TimeBin } from '../records/recording.ts';
import type { ExcludedSite, LayerScore, NullCeiling } from '../records/score.ts';
import type { Fold } from '../regression/folds.ts';
import { type Aggregate, aggregate, foldScores, nullable, siteScores } from './aggregate.ts';
import { type Ceiling, ceilingOf } from './ceilings.ts';
import { correlate } from './correlations.ts';
import { foldsOf } from './folds.ts';
import { type Group, groupsOf } from './groups.ts';
import { intervalOf, prepareResampling, type Resampling } from './intervals.ts';
import { nullCeilingOf } from './null-ceilings.ts';
import { findUsable, type ResponseTable, responseTable } from './responses.ts';

/** One recording under one protocol: everything about a score that no layer changes. */
export interface Target {
  readonly protocol: Protocol;
  readonly timeBin: TimeBin;
  readonly table: ResponseTable;
  /** Stimuli in use, as indices into the recording. */
  readonly stimuli: Int32Array;
  readonly siteIds: readonly string[];
  readonly folds: readonly Fold[];
  readonly groups: readonly Group[];
  readonly ceiling: Ceiling;
  readonly nullCeiling: NullCeiling | null;
  readonly resampling: Resampling;
  readonly excludedSites: readonly ExcludedSite[];
  readonly warnings: readonly string[];
}

interface Binned {
  readonly table: ResponseTable;
  readonly groups: readonly Group[];
  readonly ceiling: Ceiling;
  readonly level: number;
}

/** Chooses the time bin, then lays out rows, folds, ceilings and the resampling plan. */
export const prepareTarget = (protocol: Protocol, recording: Recording, seed: number): Target => {
  const usable = findUsable(recording);
  const { header } = recording;
  const siteIds = Array.from(usable.sites, (site) => header.sites[site]!.id);
  const names = recording.stimuli.map(({ id }) => id);
  const binned = (bin: number): Binned => {
    const table = responseTable(recording, bin, usable.stimuli, usable.sites);
    const groups = groupsOf(protocol.aggregation, table.imageOfRow, names);
    const ceiling = ceilingOf(
      protocol.ceiling,
      table,
      groups,
      siteIds,
      protocol.correlation,
      header.grid,
      seed,
    );
    return { table, groups, ceiling, level: ceilingLevel(ceiling) };
  };
  const { bin, chosen } = chooseBin(protocol, header.timeBins, binned);
  const { table, groups, ceiling } = chosen;
  const timeBin = header.timeBins[bin]!;
  return {
    protocol,
    timeBin,
    table,
    stimuli: usable.stimuli,
    siteIds,
    folds: foldsOf(protocol.folds, table.imageOfRow, recording.stimuli, seed),
    groups,
    ceiling,
    nullCeiling: nullCeilingOf(
      protocol.ceiling,
      table.mean,
      groups,
      protocol.correlation,
      header.grid,
      seed,
    ),
    resampling: prepareResampling(
      protocol.interval,
      table.imageOfRow,
      siteIds.length,
      groups,
      ceiling,
      seed,
    ),
    excludedSites: [...usable.excludedSites, ...ceiling.excluded],
    warnings: usable.warnings,
  };
};

/** The ceiling alone, aggregated as the score is: what `best-ceiling` compares bins by. */
const ceilingLevel = (ceiling: Ceiling): number => aggregate(ceiling.perSite, ceiling).ceiling;

const chooseBin = (
  protocol: Protocol,
  bins: readonly TimeBin[],
  binned: (bin: number) => Binned,
): { bin: number; chosen: Binned } => {
  const wanted = protocol.timeBin;
  if (wanted !== 'best-ceiling') {
    const bin = bins.findIndex(({ start, end }) => start === wanted.start && end === wanted.end);
    if (bin < 0) throw noSuchBin(protocol, bins);
    return { bin, chosen: binned(bin) };
  }
  let best: { bin: number; chosen: Binned } | null = null;
  for (let bin = 0; bin < bins.length; bin++) {
    const candidate = binned(bin);
    // A bin without any defined ceiling (NaN) never wins against one that has it.
    if (best === null || candidate.level > best.chosen.level || Number.isNaN(best.chosen.level))
      best = { bin, chosen: candidate };
  }
  if (best === null || Number.isNaN(best.chosen.level)) throw noCeiling(protocol, best);
  return best;
};

const noSuchBin = (protocol: Protocol, bins: readonly TimeBin[]) =>
  inputError({
    where: `protocol ${protocol.name}: timeBin`,
    expected: `one of ${bins.map(({ start, end }) => `${start}–${end} ms`).join(', ')}`,
    got: JSON.stringify(protocol.timeBin),
    mend: 'name a bin of the recording, or "best-ceiling"',
  });

const noCeiling = (protocol: Protocol, best: { chosen: Binned } | null) =>
  inputError({
    where: `protocol ${protocol.name}: ceiling`,
    expected: 'at least one site with a usable ceiling',
    got: best?.chosen.ceiling.excluded[0]?.reason ?? 'none',
    mend: 'look at the reliabilities (ventral data inspect), or choose another ceiling',
  });

/** Correlates, ceils and aggregates one layer's held-out predictions (`[rows, sites]`). */
export const evaluateLayer = (
  target: Target,
  layer: { readonly name: string; readonly features: number },
  predicted: Float64Nd,
  regression: { readonly arithmetic: string; readonly warnings: readonly string[] },
): LayerScore => {
  const { protocol, table, groups, ceiling, siteIds, folds } = target;
  const foldGroups = folds.map(({ name, test }) => ({ name, rows: test }));
  const withinGroups = correlate(table.mean, predicted, groups, protocol.correlation);
  const withinFolds =
    protocol.aggregation === 'sites'
      ? correlate(table.mean, predicted, foldGroups, protocol.correlation)
      : withinGroups;
  const figures = aggregate(withinGroups, ceiling);
  return {
    layer: layer.name,
    features: layer.features,
    value: nullable(figures.value),
    raw: nullable(figures.raw),
    ceiling: nullable(figures.ceiling),
    interval: intervalOf(
      target.resampling,
      table.mean,
      predicted,
      table.imageOfRow,
      groups,
      protocol.correlation,
      ceiling,
      figures,
    ),
    sitesUsed: figures.sitesUsed,
    folds: foldScores(
      foldGroups,
      groups,
      protocol.aggregation,
      { withinFolds, withinGroups },
      ceiling,
      figures,
    ),
    sites: siteScores(siteIds, withinGroups, ceiling, figures),
    regression: regression.arithmetic,
    warnings: [...regression.warnings, ...undefinedCorrelations(withinGroups, ceiling, figures)],
  };
};

const undefinedCorrelations = (
  correlations: Float64Nd,
  ceiling: Ceiling,
  { value }: Aggregate,
): string[] => {
  const lost = correlations.data.filter(
    (r, index) => Number.isNaN(r) && !Number.isNaN(ceiling.perSite.data[index]!),
  ).length;
  if (lost === 0) return [];
  const all = Number.isNaN(value) ? ', so the layer has no score' : '';
  return [
    `${lost} of ${correlations.data.length} correlations are not defined (constant prediction or response)${all}`,
  ];
};

/** The layer with the highest value; the first of equals. Input error where no layer has one. */
export const bestLayer = (layers: readonly LayerScore[]): LayerScore & { value: number } => {
  const scored = layers.filter(
    (layer): layer is LayerScore & { value: number } => layer.value !== null,
  );
  const [first, ...rest] = scored;
  if (first === undefined)
    throw inputError({
      where: 'layers',
      expected: 'at least one layer with a defined score',
      got: layers[0]?.warnings[0] ?? 'no layer',
      mend: 'check the preprocessing and the model: its activations do not vary over the stimuli',
    });
  return rest.reduce((best, layer) => (layer.value > best.value ? layer : best), first);
};
