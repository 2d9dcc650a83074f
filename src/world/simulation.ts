import { patchSide } from '../architectures/planted.ts';
import type { Random } from '../numeric/random.ts';
import { mean, median, pearson } from '../numeric/statistics.ts';
import type { Float32Nd, Float64Nd } from '../records/array.ts';
import type { FixationGrid, RecordingHeader, Stimulus, TimeBin } from '../records/recording.ts';
import type { SignalMaps } from './features.ts';
import type { Scene } from './scene.ts';
import { type Drives, drawDrives, type Fixation, type Tuning } from './sites.ts';

/** One simulated area: where it looks and how its sites fire. */
export interface AreaPlan {
  readonly area: string;
  readonly sites: number;
  readonly trials: number;
  /** Fixations per side of the square grid. */
  readonly fixations: number;
  /** Pixels between neighbouring fixations. */
  readonly step: number;
  /** Upper left corner of the first patch, in pixels. */
  readonly margin: number;
  readonly tuning: Tuning;
  /** Spikes per second without drive, and added per unit of drive (mean 1) at the best time. */
  readonly baseline: number;
  readonly gain: number;
  readonly timeBins: readonly TimeBin[];
  /** Gain of each time bin relative to the best. */
  readonly course: readonly number[];
}

/** What only the maker of a world can know. Sites within an image: `[stimulus, site]`. */
export interface Truth {
  /**
   * `[time, stimulus, site]`: correlation, over the positions of an image, of the mean over trials with the true
   * rate. With counts of T trials that are Poisson with mean λ: √(var λ / (var λ + mean λ / T)).
   */
  readonly ceilings: Float64Nd;
  /** `[stimulus, site]`: correlation of the true rate with the part of it that is a function of the patch. */
  readonly attainable: Float64Nd;
}

/** A simulated recording, ready to be written as a recording folder. */
export interface SimulatedRecording {
  readonly header: RecordingHeader;
  /** Spike counts `[site, stimulus, row, column, time, trial]`. */
  readonly responses: Float32Nd;
  /** Expected counts `[site, stimulus, row, column, time]`. */
  readonly rates: Float64Nd;
  readonly stimuli: readonly Stimulus[];
  readonly truth: Truth;
}

const binSeconds = ({ start, end }: TimeBin): number => (end - start) / 1000;

const gridOf = ({ fixations, step, margin }: AreaPlan): FixationGrid => {
  // The extent is divided into cells whose centres are the centres of the patches.
  const corner = margin + patchSide / 2 - step / 2;
  const side = fixations * step;
  return {
    rows: fixations,
    columns: fixations,
    extent: { x: corner, y: corner, width: side, height: side },
    patchSize: { value: patchSide, unit: 'pixel' },
    pixelsPerDegree: null,
  };
};

/** Patches row by row. */
export const fixationsOf = ({ fixations, step, margin }: AreaPlan): Fixation[] =>
  Array.from({ length: fixations * fixations }, (_, at) => ({
    x: margin + step * (at % fixations),
    y: margin + step * Math.floor(at / fixations),
  }));

/** Expected spike counts `[site, row of the table, time]`. */
const expectedCounts = (plan: AreaPlan, drives: Drives): Float64Array => {
  const bins = plan.timeBins.length;
  const counts = new Float64Array(drives.sites * drives.rows * bins);
  for (let site = 0; site < drives.sites; site++)
    for (let row = 0; row < drives.rows; row++)
      for (let bin = 0; bin < bins; bin++) {
        const drive = drives.full[row * drives.sites + site]!;
        const perSecond = plan.baseline + plan.gain * plan.course[bin]! * drive;
        counts[(site * drives.rows + row) * bins + bin] =
          perSecond * binSeconds(plan.timeBins[bin]!);
      }
  return counts;
};

const drawCounts = (
  random: Random,
  rates: Float64Array,
  sites: number,
  trials: number,
): Float32Array => {
  const counts = new Float32Array(rates.length * trials);
  const perSite = rates.length / sites;
  for (let site = 0; site < sites; site++) {
    const noise = random.fork(`spikes ${site}`);
    for (let i = site * perSite; i < (site + 1) * perSite; i++)
      for (let trial = 0; trial < trials; trial++)
        counts[i * trials + trial] = noise.poisson(rates[i]!);
  }
  return counts;
};

interface Moments {
  readonly mean: number;
  readonly variance: number;
}

const momentsOf = (values: Float64Array): Moments => {
  const centre = mean(values);
  const sum = values.reduce((total, value) => total + (value - centre) ** 2, 0);
  return { mean: centre, variance: sum / (values.length - 1) };
};

const truthOf = (plan: AreaPlan, drives: Drives, rates: Float64Array, images: number): Truth => {
  const positions = drives.rows / images;
  const bins = plan.timeBins.length;
  const ceilings = new Float64Array(bins * images * drives.sites);
  const attainable = new Float64Array(images * drives.sites);
  const inImage = (image: number, valueAt: (row: number) => number): Float64Array =>
    Float64Array.from({ length: positions }, (_, at) => valueAt(image * positions + at));
  for (let image = 0; image < images; image++)
    for (let site = 0; site < drives.sites; site++) {
      for (let bin = 0; bin < bins; bin++) {
        const { mean: centre, variance } = momentsOf(
          inImage(image, (row) => rates[(site * drives.rows + row) * bins + bin]!),
        );
        ceilings[(bin * images + image) * drives.sites + site] = Math.sqrt(
          variance / (variance + centre / plan.trials),
        );
      }
      attainable[image * drives.sites + site] = pearson(
        inImage(image, (row) => drives.full[row * drives.sites + site]!),
        inImage(image, (row) => drives.fromPatch[row * drives.sites + site]!),
      );
    }
  return {
    ceilings: { data: ceilings, shape: [bins, images, drives.sites] },
    attainable: { data: attainable, shape: [images, drives.sites] },
  };
};

const headerOf = (plan: AreaPlan, name: string, notes: readonly string[]): RecordingHeader => ({
  kind: 'recording',
  format: 2,
  name,
  species: 'simulated',
  dims: ['site', 'stimulus', 'row', 'column', 'time', 'trial'],
  sites: Array.from({ length: plan.sites }, (_, site) => ({
    id: `${plan.area}-${String(site + 1).padStart(2, '0')}`,
    area: plan.area,
    animal: 'simulated',
  })),
  timeBins: [...plan.timeBins],
  grid: gridOf(plan),
  unit: 'spikes per time bin',
  licence: 'MIT',
  citation: null,
  notes: [...notes],
});

/** The recording of one area while it looks at the scenes. `maps` are the scenes' signals. */
export const simulateRecording = (
  random: Random,
  plan: AreaPlan,
  scenes: readonly Scene[],
  maps: readonly SignalMaps[],
  { name, notes }: { readonly name: string; readonly notes: readonly string[] },
): SimulatedRecording => {
  const gaze = { scenes, maps, fixations: fixationsOf(plan) };
  const drives = drawDrives(random.fork('drives'), plan.sites, plan.tuning, gaze);
  const rates = expectedCounts(plan, drives);
  const shape = [plan.sites, scenes.length, plan.fixations, plan.fixations, plan.timeBins.length];
  return {
    header: headerOf(plan, name, notes),
    responses: {
      data: drawCounts(random.fork('counts'), rates, plan.sites, plan.trials),
      shape: [...shape, plan.trials],
    },
    rates: { data: rates, shape },
    stimuli: scenes.map(({ id, label }) => ({
      id,
      file: `${id}.png`,
      columns: { object_name: label },
    })),
    truth: truthOf(plan, drives, rates, scenes.length),
  };
};

/** Median over sites, mean over images, of `[image, site]` values: how scores on grids are aggregated. */
export const overSitesAndImages = (table: Float64Array, images: number): number => {
  const sites = table.length / images;
  return mean(
    Array.from({ length: images }, (_, image) =>
      median(table.subarray(image * sites, (image + 1) * sites)),
    ),
  );
};
