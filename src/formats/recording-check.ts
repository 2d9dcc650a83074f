import { inputError } from '../records/errors.ts';
import type { Dimension, RecordingHeader, Stimulus, TimeBin } from '../records/recording.ts';
import { dangerOf } from './paths.ts';

export const headerFile = 'recording.json';
export const responsesFile = 'responses.npy';
export const stimuliFile = 'stimuli.csv';
export const stimuliFolder = 'stimuli';

const extentOf = (bins: readonly TimeBin[]): readonly [start: number, end: number] => [
  bins.reduce((least, { start }) => Math.min(least, start), Infinity),
  bins.reduce((most, { end }) => Math.max(most, end), -Infinity),
];

/**
 * Input error where all time bins together are shorter than a millisecond: their times are in seconds. `field` is that of the
 * request that has them, null where a file has them.
 */
export const checkMilliseconds = (
  bins: readonly TimeBin[],
  where: string,
  field: string | null = null,
): void => {
  const [start, end] = extentOf(bins);
  if (end - start >= 1) return;
  const got = `${start} to ${end}, less than one in all`;
  const [expected, mend] = ['milliseconds', 'give seconds × 1000'];
  throw inputError({ code: 'times-in-seconds', field, where, expected, got, mend });
};

/** What a user should know of time bins that end before a signal reaches the cortex. */
export const timeWarnings = ({ timeBins }: RecordingHeader): string[] => {
  const [start, end] = extentOf(timeBins);
  if (start < -10 || end > 10) return [];
  return [
    `responses are of ${start} to ${end} ms, before a signal reaches the cortex: times are milliseconds from stimulus onset`,
  ];
};

const repeated = (names: readonly string[]): number =>
  names.findIndex((name, index) => names.indexOf(name) < index);

/**
 * Checks what the schema of the header cannot: dimensions that belong together, times that run forwards, ids given
 * once. `where` is the file as the user knows it. Input error for the first thing that is wrong.
 */
export const checkHeader = (header: RecordingHeader, where: string): void => {
  const wrong = (field: string, expected: string, got: string, mend: string) =>
    inputError({ where: `${where}: ${field}`, expected, got, mend });
  const { dims, sites, timeBins, grid } = header;
  const named = `[${dims.join(', ')}]`;
  for (const needed of ['stimulus', 'site'] as const) {
    if (dims.includes(needed)) continue;
    throw wrong(
      'dims',
      `"${needed}" among the dimensions`,
      named,
      'name every dimension of the array',
    );
  }
  const twice = dims[repeated(dims)];
  if (twice !== undefined) {
    throw wrong('dims', 'each dimension once', `"${twice}" twice in ${named}`, 'correct dims');
  }
  if (dims.includes('row') !== dims.includes('column')) {
    throw wrong('dims', 'row and column together', named, 'name both or neither');
  }
  if (dims.includes('row') !== (grid !== null)) {
    const [expected, mend] = dims.includes('row')
      ? ['rows and columns for the dims row and column', 'describe the grid']
      : ['null without the dims row and column', 'correct dims or grid'];
    throw wrong('grid', expected, grid === null ? 'null' : 'a grid', mend);
  }
  if (!dims.includes('time') && timeBins.length !== 1) {
    throw wrong(
      'timeBins',
      'one bin without the dimension time',
      `${timeBins.length}`,
      'correct dims or timeBins',
    );
  }
  timeBins.forEach(({ start, end }, index) => {
    if (end > start) return;
    throw wrong(
      `timeBins[${index}]`,
      'an end after its start',
      `${start} to ${end}`,
      'correct the bin',
    );
  });
  checkMilliseconds(timeBins, `${where}: timeBins`);
  const again = repeated(sites.map((site) => site.id));
  if (again >= 0) {
    const got = `"${sites[again]!.id}" twice`;
    throw wrong(`sites[${again}].id`, 'an id of its own', got, 'give every site its own id');
  }
};

/** Checks the response array against the header and the number of stimuli. */
export const checkShape = (
  header: RecordingHeader,
  shape: readonly number[],
  stimuli: number,
  where: string,
): void => {
  const { dims, sites, timeBins, grid } = header;
  const mend = `let dims in ${headerFile} name the dimensions of the array in order`;
  if (shape.length !== dims.length) {
    const expected = `${dims.length} dimensions [${dims.join(', ')}]`;
    const got = `${shape.length} (${shape.join(' × ')})`;
    throw inputError({ where, expected, got, mend });
  }
  const wanted: Partial<Record<Dimension, readonly [size: number, source: string]>> = {
    stimulus: [stimuli, `the rows of ${stimuliFile}`],
    site: [sites.length, `the sites of ${headerFile}`],
    time: [timeBins.length, `the timeBins of ${headerFile}`],
    ...(grid === null
      ? {}
      : {
          row: [grid.rows, `grid.rows of ${headerFile}`] as const,
          column: [grid.columns, `grid.columns of ${headerFile}`] as const,
        }),
  };
  dims.forEach((dimension, axis) => {
    const want = wanted[dimension];
    const size = shape[axis]!;
    if (want === undefined ? size > 0 : size === want[0]) return;
    const expected =
      want === undefined ? `at least one ${dimension}` : `${want[0]} for ${dimension}, ${want[1]}`;
    throw inputError({
      where: `${where}: dimension ${axis + 1} (${dimension})`,
      expected,
      got: `${size} (shape ${shape.join(' × ')})`,
      mend,
    });
  });
};

/** Rejects infinite responses; NaN marks a missing trial and passes. */
export const checkFinite = (
  data: Float32Array | Float64Array,
  shape: readonly number[],
  dims: readonly string[],
  where: string,
): void => {
  const at = data.findIndex((value) => value === Infinity || value === -Infinity);
  if (at < 0) return;
  const index: string[] = [];
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(`${dims[axis]} ${rest % shape[axis]!}`);
    rest = Math.floor(rest / shape[axis]!);
  }
  const mend = 'mark missing trials by NaN';
  throw inputError({
    where,
    expected: 'finite numbers, or NaN for a missing trial',
    got: `${data[at]} at ${index.join(', ')}`,
    mend,
  });
};

/** Checks ids (given, each once) and files (inside the folder); `at(index)` says where a stimulus stands. */
export const checkStimuli = (stimuli: readonly Stimulus[], at: (index: number) => string): void => {
  const first = new Map<string, number>();
  stimuli.forEach(({ id, file }, index) => {
    if (id === '') {
      const mend = 'give every stimulus an id';
      throw inputError({ where: at(index), expected: 'a stimulus_id', got: 'nothing', mend });
    }
    const before = first.get(id);
    if (before !== undefined) {
      const expected = 'a stimulus_id of its own';
      const got = `"${id}", which ${at(before)} has`;
      throw inputError({ where: at(index), expected, got, mend: 'give every stimulus its own id' });
    }
    first.set(id, index);
    const danger = dangerOf(file);
    if (danger !== null) {
      const expected = `a file below ${stimuliFolder}/`;
      throw inputError({ where: at(index), expected, got: danger, mend: 'correct the file name' });
    }
  });
};
