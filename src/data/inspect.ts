import { permuteAxes } from '../numeric/array.ts';
import { splitHalfReliability } from '../numeric/reliability.ts';
import { median } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { BinReliability, Inspection } from '../records/inspection.ts';
import { type Dimension, layoutOf, type Recording } from '../records/recording.ts';
import { otherSiteCeiling } from './other-sites.ts';
import { courseWarnings, readingWarnings } from './readings.ts';

const canonical: readonly Dimension[] = ['time', 'stimulus', 'row', 'column', 'trial', 'site'];

/** One array `[rows, trials, sites]` per time bin; rows are stimuli, or the fixations of one stimulus after another. */
const trialsOfBins = ({ header, responses }: Recording): Float64Nd[] => {
  const sizeOf = (dimension: Dimension): number => {
    const axis = header.dims.indexOf(dimension);
    return axis < 0 ? 1 : responses.shape[axis]!;
  };
  const order = canonical.filter((name) => header.dims.includes(name));
  const { data } = permuteAxes(
    responses,
    order.map((name) => header.dims.indexOf(name)),
  );
  const rows = sizeOf('stimulus') * sizeOf('row') * sizeOf('column');
  const shape = [rows, sizeOf('trial'), sizeOf('site')];
  const size = shape.reduce((product, each) => product * each, 1);
  return header.timeBins.map((_, bin) => ({
    data: Float64Array.from(data.subarray(bin * size, (bin + 1) * size)),
    shape,
  }));
};

const countTrials = ({ data, shape }: Float64Nd): Float64Array => {
  const [rows, trials, sites] = shape as readonly [number, number, number];
  const counts = new Float64Array(rows * sites);
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i]!)) continue;
    counts[Math.floor(i / (trials * sites)) * sites + (i % sites)]! += 1;
  }
  return counts;
};

const summary = (data: ArrayLike<number>): Pick<Inspection, 'responses' | 'missing'> => {
  let [least, most, sum, there] = [Infinity, -Infinity, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (Number.isNaN(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
    sum += value;
    there++;
  }
  return {
    responses: there === 0 ? null : { least, mean: sum / there, most },
    missing: 1 - there / data.length,
  };
};

/** Mean of each site over rows and trials; null where it has no response. */
const siteMeans = ({ data, shape }: Float64Nd): (number | null)[] => {
  const sites = shape[2]!;
  const [sums, counts] = [new Float64Array(sites), new Float64Array(sites)];
  for (let i = 0; i < data.length; i++) {
    if (Number.isNaN(data[i]!)) continue;
    sums[i % sites]! += data[i]!;
    counts[i % sites]! += 1;
  }
  return Array.from(sums, (sum, site) => (counts[site] === 0 ? null : sum / counts[site]!));
};

const binReliability = (
  trials: Float64Nd,
  bin: BinReliability['bin'],
  settings: { splits: number; seed: number },
): BinReliability => {
  const { perSite } = splitHalfReliability(trials, settings);
  const defined = perSite.filter((value) => !Number.isNaN(value));
  return {
    bin,
    perSite: Array.from(perSite, (value) => (Number.isNaN(value) ? null : value)),
    median: defined.length === 0 ? null : median(defined),
  };
};

/**
 * Looks a recording over: sizes, sites, trials, missing numbers, split-half reliability where trials repeat, else (on grids)
 * what other sites reach; and what the numbers say against the names of the dimensions (`warnings`).
 */
export const inspectRecording = (
  recording: Recording,
  { splits = 10, seed = 0, shown = 5 }: { splits?: number; seed?: number; shown?: number } = {},
): Inspection => {
  const { header, responses, stimuli, folder, hash, warnings } = recording;
  const bins = trialsOfBins(recording);
  const counts = Float64Array.from(bins.flatMap((bin) => Array.from(countTrials(bin)))).sort();
  const areas = [...new Set(header.sites.map(({ area }) => area))];
  const reliabilityOf = (read: Recording): BinReliability[] => {
    const trials = read === recording ? bins : trialsOfBins(read);
    return header.timeBins.map((bin, index) =>
      binReliability(trials[index]!, bin, { splits, seed }),
    );
  };
  const reliability = header.dims.includes('trial') ? reliabilityOf(recording) : null;
  const animals = header.sites.flatMap(({ animal }) => (animal === undefined ? [] : [animal]));
  return {
    kind: 'inspection',
    format: 2,
    name: header.name,
    folder,
    hash,
    species: header.species,
    layout: layoutOf(recording),
    dimensions: header.dims.map((name, axis) => ({ name, size: responses.shape[axis]! })),
    areas: areas.map((area) => ({
      area,
      sites: header.sites.filter((site) => site.area === area).length,
    })),
    animals: [...new Set(animals)],
    sites: header.sites.map(({ id, area, animal }) => ({ id, area, animal: animal ?? null })),
    timeBins: header.timeBins,
    unit: header.unit,
    stimuli: {
      count: stimuli.length,
      first: stimuli.slice(0, shown).map(({ id, file }) => ({ id, file })),
      columns: Object.keys(stimuli[0]?.columns ?? {}),
    },
    trials: { least: counts[0] ?? 0, median: median(counts), most: counts.at(-1) ?? 0 },
    ...summary(responses.data),
    timeCourse: header.timeBins.map((bin, index) => ({ bin, perSite: siteMeans(bins[index]!) })),
    reliability: reliability === null ? null : { splits, seed, bins: reliability },
    otherSites:
      layoutOf(recording) === 'grid' && !header.dims.includes('trial') && header.sites.length > 1
        ? header.timeBins.map((bin, index) => otherSiteCeiling(bins[index]!, stimuli.length, bin))
        : null,
    licence: header.licence,
    citation: header.citation,
    notes: header.notes,
    warnings: [
      ...warnings,
      ...readingWarnings(recording, reliabilityOf, reliability),
      ...courseWarnings(recording, bins[0]!),
    ],
  };
};
