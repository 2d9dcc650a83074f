import type { Inspection } from '../records/inspection.ts';
import type { Dimension, Recording } from '../records/recording.ts';

// Dimensions are named by whoever imports an array; nothing in the file contradicts a wrong name, but the numbers may.

type Bins = NonNullable<Inspection['reliability']>['bins'];

/** Below this no trial agrees with another. */
const none = 0.1;
/** A reading that is this much more reliable is worth a remark. */
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

/**
 * What the numbers say against the names of the dimensions: trials that do not agree with each other, and whether they would
 * with two dimensions exchanged; an array as long as wide, whose two readings nothing tells apart.
 *
 * @param reliabilityOf per time bin.
 */
export const readingRemarks = (
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
