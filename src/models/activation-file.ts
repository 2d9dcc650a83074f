import { orderText, placesIn, readNameOrder, sortedNames } from '../formats/name-order.ts';
import {
  checkNpyLength,
  isStrings,
  type NpyHeader,
  npyParts,
  readNpy,
  readNpyHeader,
  type StringArray,
} from '../formats/npy.ts';
import { openNpz } from '../formats/npz.ts';
import { baseName } from '../formats/paths.ts';
import { fileSource } from '../formats/source.ts';
import { encodeText } from '../formats/text.ts';
import { sizeOf } from '../numeric/array.ts';
import type { FeaturePass, Features, LayerSize } from '../records/activations.ts';
import type { FloatNd, NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import type { FixationGrid } from '../records/recording.ts';
import { heldSource } from './features.ts';
import { selectNamed } from './layers.ts';

/**
 * Activations in memory: for each layer `[stimulus, feature]` or `[stimulus, row, column, feature]`, rows in the order of the
 * recording's stimuli.
 */
export type NamedArrays = Readonly<Record<string, NdArray>>;

export interface ActivationRequest {
  /** A file, or arrays by the names of their layers. */
  readonly activations: string | NamedArrays;
  /** Globs over the names of the arrays; null: all. */
  readonly layers: readonly string[] | null;
  /** All stimuli of the recording, in order; and which of them are in use. */
  readonly stimuli: readonly { readonly id: string; readonly file: string }[];
  readonly used: Int32Array;
  /** Order of the rows of a file without `stimulus_id`: `name`, `number` or a file of names; null: none was given. */
  readonly order: string | null;
  readonly grid: FixationGrid | null;
  readonly minimumFeatures: number;
}

interface ArrayFile {
  readonly names: readonly string[];
  header(name: string): Promise<Pick<NpyHeader, 'kind' | 'shape'>>;
  read(name: string): Promise<NdArray | StringArray>;
}

const idArray = 'stimulus_id';
const mend = 'save one row per stimulus, and the ids as stimulus_id';

/**
 * Activations from a file: npz with one array per layer, `[stimulus, feature]` or `[stimulus, row, column, feature]`;
 * a lone `.npy` is the layer `features`. Rows are joined by the array `stimulus_id` where it is there, else by the order
 * that was given, else by that of the recording, which needs equal counts. On a grid recording row and column are the fixations; otherwise they are flattened.
 * Input errors: another number of stimuli, unknown or repeated ids, no ids while the names of the stimuli sort in two ways
 * and no order was given, wrong shapes, a pattern that no array matches; once
 * they are gathered, values that are not finite.
 */
export const openActivations = async (
  request: ActivationRequest,
  { files, hash }: Pick<Ports, 'files' | 'hash'>,
): Promise<{ readonly name: string; readonly features: Features; readonly sha256: string }> => {
  const { activations } = request;
  const name = typeof activations === 'string' ? baseName(activations) : 'activations';
  const file =
    typeof activations === 'string'
      ? await openArrays(activations, name, files)
      : inMemory(activations);
  const { rows, count, warnings } =
    typeof activations === 'string'
      ? await rowsOf(request, file, name, files)
      : asRecorded(request);
  const layers = await layersOf(request, file, count, name);
  const wide = layers.filter(({ features }) => features >= request.minimumFeatures);
  const narrow = layers.filter((layer) => !wide.includes(layer));
  if (wide.length === 0) throw tooFewFeatures(name, narrow, request.minimumFeatures);
  const sha256 =
    typeof activations === 'string'
      ? await hash.sha256File(activations)
      : await hashArrays(activations, hash);
  const passes = wide.map((layer): FeaturePass => ({ layers: [layer], slices: 1 }));
  return {
    name,
    sha256,
    features: {
      layers: wide,
      passes,
      seconds: 0,
      modelBytes: 0,
      identity: { activations: sha256, rows: Array.from(rows) },
      warnings: [
        ...warnings,
        ...narrow.map(
          (layer) =>
            `layer ${layer.name} is left out: ${layer.features} features, fewer than the ${request.minimumFeatures} components`,
        ),
      ],
      gather: async (pass, wanted, { checkStop }) => {
        checkStop();
        const [layer] = pass.layers.filter(wanted);
        if (layer === undefined) return [];
        const array = (await file.read(layer.name)) as NdArray;
        const table = tableOf(array, rows, layer.features, request, `${name}: ${layer.name}`);
        return [heldSource(layer.name, table)];
      },
    },
  };
};

const inMemory = (arrays: NamedArrays): ArrayFile => ({
  names: Object.keys(arrays),
  header: async (name) => {
    const { data, shape } = arrays[name]!;
    return { kind: data instanceof Float32Array ? 'float32' : 'float64', shape };
  },
  read: async (name) => arrays[name]!,
});

/** SHA-256 over names, shapes and numbers, in the order of names. */
const hashArrays = async (arrays: NamedArrays, hash: Ports['hash']): Promise<string> => {
  const lines: string[] = [];
  for (const name of Object.keys(arrays).sort())
    lines.push(JSON.stringify([name, await hash.sha256(npyParts(arrays[name]!))]));
  return hash.sha256([encodeText(lines.join('\n'))]);
};

/** Rows in the order of the recording's stimuli. */
const asRecorded = ({ stimuli, used, order }: ActivationRequest): Rows => {
  if (order !== null)
    throw inputError({
      where: 'order of activations',
      expected: 'none: arrays in memory have the order of the recording',
      got: order,
      mend: 'leave the order out',
    });
  return { rows: used, count: stimuli.length, warnings: [] };
};

const openArrays = async (
  path: string,
  name: string,
  files: Ports['files'],
): Promise<ArrayFile> => {
  if (!path.endsWith('.npy')) return openNpz(await fileSource(path, files), name);
  const bytes = await files.read(path);
  const header = readNpyHeader(bytes, name);
  checkNpyLength(header, bytes.length, name);
  return {
    names: ['features'],
    header: async () => header,
    read: async () => readNpy(bytes, name),
  };
};

/** For each stimulus in use its row in the file, how many rows there are, and what a user should know of it. */
interface Rows {
  readonly rows: Int32Array;
  readonly count: number;
  readonly warnings: readonly string[];
}

const rowsOf = async (
  request: ActivationRequest,
  file: ArrayFile,
  name: string,
  files: Ports['files'],
): Promise<Rows> => {
  const { order, used } = request;
  if (!file.names.includes(idArray)) return rowsByOrder(request, name, files);
  if (order !== null)
    throw inputError({
      code: 'order-not-needed',
      field: 'order',
      where: 'order',
      expected: `a file without ${idArray}`,
      got: `${name}, which says itself whose each row is`,
      mend: 'leave the order out',
    });
  const array = await file.read(idArray);
  const ids = isStrings(array) ? array.strings : Array.from(array.data, String);
  return { rows: rowsById(request, ids, name, used), count: ids.length, warnings: [] };
};

const rowsByOrder = async (
  { stimuli, used, order }: ActivationRequest,
  name: string,
  files: Ports['files'],
): Promise<Rows> => {
  const named = order === null ? null : await readNameOrder(order, files);
  if (named !== null && typeof named === 'object') {
    const places = placesIn(named, stimuli);
    const warnings = [`rows of ${name} are taken in ${orderText(named)}`];
    return { rows: used.map((each) => places[each]!), count: named.list.length, warnings };
  }
  const paths = stimuli.map(({ file }) => file);
  const sorted = sortedNames(paths, named, `${name} without ${idArray}`);
  const isSorted = sorted.every((path, index) => path === paths[index]);
  const count = stimuli.length;
  if (named === null) {
    const warning = `rows of ${name} are taken in the order of stimuli.csv, which is not that of the file names; the order "name" takes them in that`;
    return { rows: used, count, warnings: isSorted ? [] : [warning] };
  }
  const places = new Map(sorted.map((path, place) => [path, place]));
  return {
    rows: used.map((each) => places.get(paths[each]!)!),
    count,
    warnings: [`rows of ${name} are taken in ${orderText(named)} of the stimuli`],
  };
};

const rowsById = (
  { stimuli }: ActivationRequest,
  ids: readonly string[],
  name: string,
  used: Int32Array,
): Int32Array => {
  const rowOf = new Map(ids.map((id, row) => [id, row]));
  if (rowOf.size !== ids.length)
    throw inputError({
      where: `${name}: ${idArray}`,
      expected: 'each id once',
      got: `"${ids.find((id, row) => rowOf.get(id) !== row)}" more than once`,
      mend,
    });
  return used.map((stimulus) => {
    const { id } = stimuli[stimulus]!;
    const row = rowOf.get(id);
    if (row === undefined)
      throw inputError({
        where: `${name}: ${idArray}`,
        expected: `the recording's stimuli, among them "${id}"`,
        got: `${ids.length} ids such as "${ids[0]}"`,
        mend: 'compute the activations of the recording’s own stimuli',
      });
    return row;
  });
};

const arrays = { code: 'no-such-array', more: ' (its arrays)' } as const;

const layersOf = async (
  request: ActivationRequest,
  file: ArrayFile,
  count: number,
  name: string,
): Promise<LayerSize[]> => {
  const named = file.names
    .filter((each) => each !== idArray)
    .map((each, index, { length }) => ({ name: each, place: { index, of: length } }));
  if (named.length === 0)
    throw inputError({
      where: name,
      expected: 'at least one array that is a layer',
      got: 'none',
      mend,
    });
  const chosen = request.layers === null ? named : selectNamed(named, request.layers, name, arrays);
  return Promise.all(
    chosen.map(async ({ name: layer, place }) => {
      const { shape, kind } = await file.header(layer);
      checkShape(`${name}: ${layer}`, shape, kind, count, request.grid);
      const features = sizeOf(shape.slice(request.grid === null ? 1 : 3));
      const featureBytes = widens(kind) ? 8 : 4;
      return { name: layer, tensor: layer, features, featureBytes, place };
    }),
  );
};

const checkShape = (
  where: string,
  shape: readonly number[],
  kind: NpyHeader['kind'],
  stimuli: number,
  grid: FixationGrid | null,
): void => {
  const got = `shape (${shape.join(', ')})`;
  if (kind === 'unicode' || kind === 'bytes')
    throw inputError({ where, expected: 'an array of numbers', got: 'text', mend });
  if (grid !== null && (shape.length !== 4 || shape[1] !== grid.rows || shape[2] !== grid.columns))
    throw inputError({
      where,
      expected: `[stimulus, ${grid.rows}, ${grid.columns}, feature], one row of features per fixation`,
      got,
      mend: 'compute the activations at the fixations of the grid',
    });
  if (grid === null && shape.length !== 2 && shape.length !== 4)
    throw inputError({
      where,
      expected: '[stimulus, feature] or [stimulus, row, column, feature]',
      got,
      mend,
    });
  if (shape[0] !== stimuli)
    throw inputError({ where, expected: `${stimuli} stimuli in the first dimension`, got, mend });
};

const tooFewFeatures = (name: string, layers: readonly LayerSize[], minimum: number) =>
  inputError({
    where: name,
    expected: `layers with at least ${minimum} features, the components of the regression`,
    got: layers.map((layer) => `${layer.name} with ${layer.features}`).join(', '),
    mend: 'give wider layers, or fewer components in a protocol file',
  });

/** Numbers whose differences float32 may round away beside an offset; int8 to int16 and float16 it holds exactly. */
const isWide = (data: NdArray['data']): boolean =>
  data instanceof Float64Array ||
  data instanceof Int32Array ||
  data instanceof Uint32Array ||
  data instanceof BigInt64Array ||
  data instanceof BigUint64Array;

/** The same by what a file says of them. */
const widens = (kind: NpyHeader['kind']): boolean =>
  /^(float|u?int)(64|32)$/.test(kind) && kind !== 'float32';

/**
 * The rows in use, in order, `[rows, features]`: float64 where the file's numbers are wider than float32. Input error for
 * a value that is not finite in float32.
 */
const tableOf = (
  { data, shape }: NdArray,
  order: Int32Array,
  features: number,
  { grid, stimuli, used }: ActivationRequest,
  where: string,
): FloatNd => {
  const perStimulus = sizeOf(shape.slice(1));
  const length = order.length * perStimulus;
  const table = isWide(data) ? new Float64Array(length) : new Float32Array(length);
  order.forEach((row, index) => {
    for (let i = 0; i < perStimulus; i++) {
      const value = Number(data[row * perStimulus + i]!);
      const at = index * perStimulus + i;
      table[at] = value;
      if (!Number.isFinite(Math.fround(value)))
        throw inputError({
          code: 'activations-not-finite',
          where: `${where}, stimulus "${stimuli[used[index]!]!.id}"`,
          expected: 'finite numbers, as float32 holds them',
          got: `${value} in ${featureAt(i, shape)}`,
          mend: 'save activations without missing or overflown values, or leave the layer out',
        });
    }
  });
  const rows = grid === null ? order.length : order.length * grid.rows * grid.columns;
  return { data: table, shape: [rows, features] };
};

/** `feature 3`, or `row 0, column 2, feature 3`. */
const featureAt = (index: number, shape: readonly number[]): string => {
  const depth = shape.at(-1)!;
  const feature = `feature ${index % depth}`;
  if (shape.length < 4) return feature;
  const position = Math.floor(index / depth);
  return `row ${Math.floor(position / shape[2]!)}, column ${position % shape[2]!}, ${feature}`;
};
