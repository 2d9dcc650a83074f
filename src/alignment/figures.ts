import { createRandom } from '../numeric/random.ts';
import { mean, quantile, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type {
  Agreement,
  AlignmentFigure,
  AlignmentFigures,
  AlignmentProtocol,
  ImageInterval,
} from '../records/alignment.ts';
import { fewImages } from '../scoring/intervals.ts';

/** What the images give for one map of each: its agreement with people, and that of people with each other. */
export interface ImageAgreement {
  readonly own: Agreement;
  /** Null where the ceiling is not from split subjects. */
  readonly ceiling: Agreement | null;
}

type FigureName = keyof Agreement;

/** Images that have the figure, and its ceiling where images have one. */
interface Column {
  readonly raw: Float64Array;
  readonly ceiling: Float64Array | null;
}

const columnOf = (images: readonly ImageAgreement[], name: FigureName): Column | null => {
  const used = images.filter(
    ({ own, ceiling }) => own[name] !== null && (ceiling === null || ceiling[name] !== null),
  );
  if (used.length === 0) return null;
  const hasCeiling = used.every(({ ceiling }) => ceiling !== null);
  return {
    raw: Float64Array.from(used, ({ own }) => own[name]!),
    ceiling: hasCeiling ? Float64Array.from(used, ({ ceiling }) => ceiling![name]!) : null,
  };
};

const over = (raw: number, ceiling: number | null): number | null =>
  ceiling === null || !(ceiling > 0) ? null : raw / ceiling;

const picked = (values: Float64Array, draw: Int32Array): number => {
  let sum = 0;
  for (const index of draw) sum += values[index]!;
  return sum / draw.length;
};

type Statistic = (draw: Int32Array | null) => number | null;

/** Percentile bootstrap over images; at few images a t interval, for which the ceiling is taken as known. */
const intervalOf = (
  { raw }: Column,
  scale: number,
  statistic: Statistic,
  { interval: { level, replicates } }: AlignmentProtocol,
  seed: number,
): ImageInterval | null => {
  const n = raw.length;
  if (n < 2) return null;
  const shared = { level, images: n };
  const tail = (1 - level) / 2;
  if (n <= fewImages) {
    const centre = mean(raw) * scale;
    const half = (tQuantile(1 - tail, n - 1) * standardDeviation(raw) * scale) / Math.sqrt(n);
    const [low, high] = [centre - half, centre + half];
    return { low, high, ...shared, method: 't over images', approximate: true };
  }
  const random = createRandom(seed).fork('images');
  const values = Array.from(
    { length: replicates },
    () => statistic(Int32Array.from({ length: n }, () => random.int(n))) ?? Number.NaN,
  );
  const [low, high] = [quantile(values, tail), quantile(values, 1 - tail)];
  if (Number.isNaN(low)) return null;
  return { low, high, ...shared, method: 'bootstrap over images', approximate: false };
};

const figureOf = (
  images: readonly ImageAgreement[],
  name: FigureName,
  protocol: AlignmentProtocol,
  seed: number,
): AlignmentFigure | null => {
  const column = columnOf(images, name);
  if (column === null) return null;
  const all = Int32Array.from(column.raw, (_, index) => index);
  const { ceiling: settings } = protocol;
  const fixed = settings.kind === 'given' && name === 'spearman' ? settings.spearman : null;
  const ceilingIn = (draw: Int32Array): number | null =>
    column.ceiling === null ? fixed : picked(column.ceiling, draw);
  const raw: Statistic = (draw) => picked(column.raw, draw ?? all);
  const value: Statistic = (draw) => over(picked(column.raw, draw ?? all), ceilingIn(draw ?? all));
  const ceiling = ceilingIn(all);
  const ceiled = value(null);
  return {
    raw: raw(null)!,
    ceiling,
    value: ceiled,
    rawInterval: intervalOf(column, 1, raw, protocol, seed),
    interval: ceiled === null ? null : intervalOf(column, 1 / ceiling!, value, protocol, seed),
  };
};

/**
 * The three figures over images: means, divided by the ceiling (means of the same images, or as given for Spearman), with
 * intervals that resample images, a split-subject ceiling with them. Every map is resampled by the same draws. Null
 * where no image has all three.
 */
export const alignmentFigures = (
  images: readonly ImageAgreement[],
  protocol: AlignmentProtocol,
  seed: number,
): AlignmentFigures | null => {
  const spearman = figureOf(images, 'spearman', protocol, seed);
  const dice = figureOf(images, 'dice', protocol, seed);
  const iou = figureOf(images, 'iou', protocol, seed);
  return spearman === null || dice === null || iou === null ? null : { spearman, dice, iou };
};
