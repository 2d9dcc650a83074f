import { median } from '../numeric/statistics.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Inspection } from '../records/inspection.ts';
import type { Dimension, Recording } from '../records/recording.ts';

// Dimensions are named by whoever imports an array; nothing in the file contradicts a wrong name, but the numbers may.

type Bins = NonNullable<Inspection['reliability']>['bins'];

/** Below this no trial agrees with another. */
const none = 0.1;
/** A reading that is this much more reliable is worth a warning. */
const much = 0.3;

/** The highest median reliability of the time bins; 0 where it is nowhere defined. */
const bestOf = (bins: Bins): number =>
  bins.reduce((best, { median }) => Math.max(best, median ?? 0), 0);

const exchanged = (recording: Recording, [a, b]: readonly [Dimension, Dimension]): Recording => {
  const dims = recording.header.dims.map((name) => (name === a ? b : name === b ? a : name));
  return { ...recording, header: { ...recording.header, dims } };
};

const sizeOf = ({ header, responses }: Recording, name: Dimension): number =>
  responses.shape[header.dims.indexOf(name)]!;

/** Exchanges after which the array would still fit the stimuli. */
const exchangesOf = (recording: Recording): (readonly [Dimension, Dimension])[] => {
  const sameSize = (name: Dimension): boolean =>
    sizeOf(recording, 'stimulus') === sizeOf(recording, name);
  return [
    ['trial', 'site'],
    ...(sameSize('site') ? ([['stimulus', 'site']] as const) : []),
    ...(sameSize('trial') ? ([['stimulus', 'trial']] as const) : []),
  ];
};

/** Of this share of the variance within rows the number of a trial says nothing in trials, and much in samples of time. */
const courseShare = 0.3;
const fewestRows = 10;

/** Mean of the numbers that are there, `count` of them a stride apart. */
const meanAlong = (data: Float64Array, start: number, stride: number, count: number): number => {
  let [sum, there] = [0, 0];
  for (let k = 0; k < count; k++) {
    const value = data[start + k * stride]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    there++;
  }
  return sum / there;
};

/**
 * Share of the variance within rows (one stimulus, one site) that the place along the trials explains, median over sites;
 * NaN where nothing varies. `trials` is `[rows, trials, sites]`. Of independent trials it is about 1 / rows.
 */
export const shareOfCourse = ({ data, shape }: Float64Nd): number => {
  const [rows, count, sites] = shape as readonly [number, number, number];
  const shares = Array.from({ length: sites }, (_, site) => {
    const [sums, numbers] = [new Float64Array(count), new Float64Array(count)];
    let within = 0;
    for (let row = 0; row < rows; row++) {
      const start = row * count * sites + site;
      const middle = meanAlong(data, start, sites, count);
      for (let k = 0; k < count; k++) {
        const difference = data[start + k * sites]! - middle;
        if (Number.isNaN(difference)) continue;
        within += difference ** 2;
        sums[k]! += difference;
        numbers[k]! += 1;
      }
    }
    const explained = sums.map((sum, k) => (numbers[k] === 0 ? 0 : sum ** 2 / numbers[k]!));
    return explained.reduce((all, each) => all + each, 0) / within;
  }).filter((share) => Number.isFinite(share));
  return shares.length === 0 ? Number.NaN : median(shares);
};

/** Samples of time, or sites, that were called trials: all stimuli have one course along them. */
export const courseWarnings = ({ header }: Recording, trials: Float64Nd): string[] => {
  if (header.dims.includes('time') || !header.dims.includes('trial')) return [];
  const share = shareOfCourse(trials);
  if (!(share > courseShare) || trials.shape[0]! < fewestRows || trials.shape[1]! < 3) return [];
  return [
    `responses follow the number of the trial (${Math.round(100 * share)} % of their variance within stimuli): the dimension trial may be time or site`,
  ];
};

/**
 * What the numbers say against the names of the dimensions: trials that do not agree with each other, and whether they would
 * with two dimensions exchanged; an array as long as wide, whose two readings nothing tells apart.
 *
 * @param reliabilityOf per time bin.
 */
export const readingWarnings = (
  recording: Recording,
  reliabilityOf: (recording: Recording) => Bins,
  found: Bins | null,
): string[] => {
  const sites = sizeOf(recording, 'site');
  if (found === null) {
    const isSquare = sites > 1 && sites === sizeOf(recording, 'stimulus');
    return isSquare
      ? [
          `as many stimuli as sites (${sites}): nothing tells whether the two dimensions are exchanged`,
        ]
      : [];
  }
  const reliability = bestOf(found);
  if (reliability >= none) return [];
  const trials = sizeOf(recording, 'trial');
  const said = `trials of a stimulus hardly agree: median reliability ${reliability.toFixed(2)} with ${sites} sites of ${trials} trials`;
  const readings = exchangesOf(recording).map((pair) => {
    const other = exchanged(recording, pair);
    return { pair, other, reliability: bestOf(reliabilityOf(other)) };
  });
  const better = readings
    .filter((reading) => reading.reliability >= reliability + much)
    .sort((a, b) => b.reliability - a.reliability)[0];
  if (better === undefined) return [said];
  const counts = `${sizeOf(better.other, 'site')} sites of ${sizeOf(better.other, 'trial')} trials`;
  return [
    `${said}; with ${better.pair.join(' and ')} exchanged it would be ${better.reliability.toFixed(2)} (${counts}): the dimensions may have been named in another order`,
  ];
};
