import { createRandom } from '../numeric/random.ts';
import { mean, quantile, standardDeviation, tQuantile } from '../numeric/statistics.ts';
import type {
  Agreement,
  AlignmentMetric,
  AlignmentMetrics,
  AlignmentProtocol,
} from '../records/alignment.ts';
import type { Interval } from '../records/interval.ts';
import { fewImages } from '../scoring/intervals.ts';
import { humanCeiling, type PeopleOfImage, type SplitPeople } from './human-ceiling.ts';

/** What an image gives for one map: its agreement with everybody's, and that of one half of the people with the other. */
export interface ImageAgreement {
  readonly own: Agreement;
  /** Null where the ceiling is not from split subjects. */
  readonly split: SplitPeople | null;
}

type MetricName = keyof Agreement;

/** Images that have the value, and what people say of them where they are split. */
interface Column {
  readonly raw: Float64Array;
  readonly people: readonly PeopleOfImage[] | null;
}

const columnOf = (images: readonly ImageAgreement[], name: MetricName): Column | null => {
  const used = images.filter(({ own }) => own[name] !== null);
  if (used.length === 0) return null;
  const people = used.flatMap(({ split }) =>
    split === null ? [] : { people: split.people, halves: split.halves[name] },
  );
  return {
    raw: Float64Array.from(used, ({ own }) => own[name]!),
    people: people.length === used.length ? people : null,
  };
};

const over = (raw: number, ceiling: number | null): number | null =>
  ceiling === null ? null : raw / ceiling;

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
): Interval | null => {
  const n = raw.length;
  if (n < 2) return null;
  const shared = { level, n: { images: n, sites: null } };
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

const metricOf = (
  images: readonly ImageAgreement[],
  name: MetricName,
  protocol: AlignmentProtocol,
  seed: number,
): AlignmentMetric | null => {
  const column = columnOf(images, name);
  if (column === null) return null;
  const all = Int32Array.from(column.raw, (_, index) => index);
  const { ceiling: settings } = protocol;
  const { people } = column;
  const fixed = settings.kind === 'given' ? settings.spearman : null;
  const ceilingIn = (draw: Int32Array): number | null => {
    // The reliability of a mean says nothing of overlaps.
    if (name !== 'spearman') return null;
    return people === null
      ? fixed
      : humanCeiling(Array.from(draw, (index) => people[index]!)).ceiling;
  };
  const raw: Statistic = (draw) => picked(column.raw, draw ?? all);
  const value: Statistic = (draw) => over(picked(column.raw, draw ?? all), ceilingIn(draw ?? all));
  const ceiling = ceilingIn(all);
  const ceiled = value(null);
  return {
    raw: raw(null)!,
    halves: people === null ? null : humanCeiling(people).halves,
    ceiling,
    value: ceiled,
    rawInterval: intervalOf(column, 1, raw, protocol, seed),
    interval: ceiled === null ? null : intervalOf(column, 1 / ceiling!, value, protocol, seed),
  };
};

/**
 * The three values over images: means, Spearman's divided by the ceiling (`humanCeiling` of the same images, or as
 * given), with intervals that resample images, a ceiling from split subjects with them. Dice and intersection over union
 * have no ceiling. Every map is resampled by the same draws. Null where no image has one of the three.
 */
export const alignmentMetrics = (
  images: readonly ImageAgreement[],
  protocol: AlignmentProtocol,
  seed: number,
): AlignmentMetrics | null => {
  const spearman = metricOf(images, 'spearman', protocol, seed);
  const dice = metricOf(images, 'dice', protocol, seed);
  const iou = metricOf(images, 'iou', protocol, seed);
  return spearman === null || dice === null || iou === null ? null : { spearman, dice, iou };
};
