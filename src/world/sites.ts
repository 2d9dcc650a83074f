import { design, patchSide } from '../architectures/planted.ts';
import type { Random } from '../numeric/random.ts';
import { mean, standardDeviation } from '../numeric/statistics.ts';
import {
  type FeatureKind,
  featureCounts,
  latticeSide,
  patchFeatures,
  type SignalMaps,
} from './features.ts';
import type { Scene } from './scene.ts';
import { objectClasses } from './shapes.ts';
import { between } from './textures.ts';

/** Upper left pixel of the patch seen at a fixation. */
export interface Fixation {
  readonly x: number;
  readonly y: number;
}

/** What an area looks at: scenes, their signals, and the same fixations on each. */
export interface Gaze {
  readonly scenes: readonly Scene[];
  readonly maps: readonly SignalMaps[];
  readonly fixations: readonly Fixation[];
}

const rowsOf = ({ scenes, fixations }: Gaze): number => scenes.length * fixations.length;

/** How the sites of one area come to their rates. */
export interface Tuning {
  readonly kind: FeatureKind;
  /** Driving features per site. */
  readonly features: number;
  /** Weight of a plain signal (light, colour or tuning of the patch) beside the driving features' 1. */
  readonly simple: number;
  /** Share of the mean rate that comes from the scene's objects, which no network is told. */
  readonly context: number;
  /** z + `offset` is rectified and raised to `exponent`. */
  readonly offset: number;
  readonly exponent: number;
  /** The power x becomes x / (1 + x / `saturation`), x in units of its mean. */
  readonly saturation: number;
}

/** Rates without time course, `[stimulus · fixation, site]` row-major, mean 1 per site. */
export interface Drives {
  readonly sites: number;
  readonly rows: number;
  /** What the sites do. */
  readonly full: Float64Array;
  /** The part that is a function of the patch. */
  readonly fromPatch: Float64Array;
}

const standardised = (values: Float64Array): Float64Array => {
  const [centre, spread] = [mean(values), standardDeviation(values, 0)];
  return values.map((value) => (value - centre) / spread);
};

const ofMeanOne = (values: Float64Array): Float64Array => {
  const centre = mean(values);
  return values.map((value) => value / centre);
};

/** Rectified power that saturates, divided by its mean. */
const nonlinear = (values: Float64Array, tuning: Tuning): Float64Array => {
  const raised = standardised(values).map((z) => Math.max(0, z + tuning.offset) ** tuning.exponent);
  return ofMeanOne(ofMeanOne(raised).map((power) => power / (1 + power / tuning.saturation)));
};

/** A receptive field over the 3 × 3 windows: a Gaussian around a point near the middle, summing to 1. */
const drawField = (random: Random): Float64Array => {
  const [x0, y0] = [between(random, 0.6, 1.4), between(random, 0.6, 1.4)];
  const field = Float64Array.from({ length: featureCounts.windows }, (_, window) => {
    const [dx, dy] = [(window % 3) - x0, Math.floor(window / 3) - y0];
    return Math.exp(-(dx * dx + dy * dy) / (2 * 0.8 ** 2));
  });
  const sum = field.reduce((total, value) => total + value, 0);
  return field.map((value) => value / sum);
};

interface FeatureTable {
  readonly columns: number;
  /** `[row, feature · window]` of all patches. */
  readonly data: Float64Array;
}

const featureTable = (kind: FeatureKind, gaze: Gaze): FeatureTable => {
  const columns = featureCounts[kind] * featureCounts.windows;
  const data = new Float64Array(rowsOf(gaze) * columns);
  gaze.maps.forEach((map, image) => {
    gaze.fixations.forEach(({ x, y }, at) => {
      data.set(patchFeatures(kind, map, x, y), (image * gaze.fixations.length + at) * columns);
    });
  });
  return { columns, data };
};

/** One feature under a receptive field, for all rows. */
const underField = (table: FeatureTable, feature: number, field: Float64Array): Float64Array =>
  Float64Array.from({ length: table.data.length / table.columns }, (_, row) => {
    const from = row * table.columns + feature * featureCounts.windows;
    let sum = 0;
    for (let window = 0; window < field.length; window++)
      sum += field[window]! * table.data[from + window]!;
    return sum;
  });

/** A plain signal in the middle of each patch. */
const plainSignal = (which: number, { maps, fixations }: Gaze): Float64Array =>
  Float64Array.from({ length: maps.length * fixations.length }, (_, row) => {
    const map = maps[Math.floor(row / fixations.length)]!;
    const { x, y } = fixations[row % fixations.length]!;
    const signal = [...map.colours, ...map.tunings][which]!;
    const middle = latticeSide >> 1;
    const [row0, column0] = [y / design.stride + middle, x / design.stride + middle];
    return signal[row0 * map.columns + column0]!;
  });

/** Σ over objects of the class's standard normal weight × a Gaussian of the distance, as wide as the object. */
const contextSignal = (random: Random, { scenes, fixations }: Gaze): Float64Array => {
  const liking = Float64Array.from(objectClasses, () => random.normal());
  return Float64Array.from({ length: scenes.length * fixations.length }, (_, row) => {
    const scene = scenes[Math.floor(row / fixations.length)]!;
    const { x, y } = fixations[row % fixations.length]!;
    let sum = 0;
    for (const object of scene.objects) {
      const square = (object.x - x - patchSide / 2) ** 2 + (object.y - y - patchSide / 2) ** 2;
      sum +=
        liking[objectClasses.indexOf(object.category)]! *
        Math.exp(-square / (2 * object.radius ** 2));
    }
    return sum;
  });
};

/** The rates of one site, for all rows: the part that the patch decides, and the part that the scene does. */
const drawSite = (
  random: Random,
  tuning: Tuning,
  table: FeatureTable,
  gaze: Gaze,
): { patch: Float64Array; context: Float64Array } => {
  const chosen = random.permutation(featureCounts[tuning.kind]).subarray(0, tuning.features);
  const field = drawField(random);
  const driving = new Float64Array(rowsOf(gaze));
  for (const feature of chosen) {
    const signal = standardised(underField(table, feature, field));
    const weight = between(random, 0.6, 1);
    for (let row = 0; row < driving.length; row++) driving[row]! += weight * signal[row]!;
  }
  const plain = standardised(plainSignal(random.int(5), gaze));
  const patch = standardised(driving).map((z, row) => z + tuning.simple * plain[row]!);
  return {
    patch: nonlinear(patch, tuning),
    context: nonlinear(contextSignal(random, gaze), tuning),
  };
};

/** Draws the sites of an area and works out what drives them at every fixation. */
export const drawDrives = (
  random: Random,
  siteCount: number,
  tuning: Tuning,
  gaze: Gaze,
): Drives => {
  const rows = rowsOf(gaze);
  const table = featureTable(tuning.kind, gaze);
  const full = new Float64Array(rows * siteCount);
  const fromPatch = new Float64Array(rows * siteCount);
  for (let site = 0; site < siteCount; site++) {
    const { patch, context } = drawSite(random.fork(`site ${site}`), tuning, table, gaze);
    for (let row = 0; row < rows; row++) {
      const at = row * siteCount + site;
      fromPatch[at] = patch[row]!;
      full[at] = (1 - tuning.context) * patch[row]! + tuning.context * context[row]!;
    }
  }
  return { sites: siteCount, rows, full, fromPatch };
};
