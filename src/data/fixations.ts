import { readCsv } from '../formats/csv.ts';
import type { MatFile, MatStruct, MatValue } from '../formats/mat.ts';
import { baseName } from '../formats/paths.ts';
import type { Float32Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';

/** What coordinates count: pixels from the upper left corner, or shares of width and height. */
export type FixationUnit = 'pixels' | 'shares';

/** Where one person looked on one image, in the unit of the list, from its upper left corner. */
export interface Scanpath {
  readonly subject: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** Where people looked on one image. */
export interface FixationList {
  /** File name of the image. */
  readonly image: string;
  readonly scanpaths: readonly Scanpath[];
}

const wrong = (where: string, expected: string, got: string) =>
  inputError({
    where,
    expected,
    got,
    mend: 'give a MATLAB file of structs with img and subjects (fix_x, fix_y), or a CSV with columns image, subject, x, y',
  });

/** The elements of a struct array, or of a cell array of single structs. */
const structsOf = (value: MatValue | undefined, where: string): MatStruct[] => {
  if (value?.kind === 'cell') return value.elements.flatMap((each) => structsOf(each, where));
  if (value?.kind !== 'struct') throw wrong(where, 'structs', value?.kind ?? 'nothing');
  const { fields } = value;
  const length = value.shape.reduce((product, size) => product * size, 1);
  return Array.from({ length }, (_, i) => ({
    kind: 'struct',
    shape: [1, 1],
    fields: new Map([...fields].map(([name, values]) => [name, [values[i]!]])),
  }));
};

const numbersOf = (struct: MatStruct, field: string, where: string): ArrayLike<number> => {
  const [value] = struct.fields.get(field) ?? [];
  if (value?.kind === 'numbers') {
    const { data } = value.array;
    if (!(data instanceof BigInt64Array || data instanceof BigUint64Array)) return data;
  }
  throw wrong(where, `numbers in ${field}`, value?.kind ?? 'no such field');
};

const imageOf = (struct: MatStruct, where: string): string => {
  const [value] = struct.fields.get('img') ?? [];
  const name = value?.kind === 'text' && value.rows.length === 1 ? value.rows[0]!.trim() : '';
  if (name === '')
    throw wrong(where, 'the name of an image in img', value?.kind ?? 'no such field');
  return baseName(name);
};

/**
 * Fixation lists in the form of OSIE (Xu et al. 2014): a variable `fixations` (or the only one) of structs with `img` and
 * `subjects`, each of these with `fix_x` and `fix_y`. Durations are not used.
 * Input error, naming the element and field, for another form.
 */
export const fixationsFromMat = async (file: MatFile): Promise<FixationList[]> => {
  const { name, variables } = file;
  const named = variables.find((variable) => variable.name === 'fixations') ?? variables[0];
  if (named === undefined) throw wrong(name, 'a variable "fixations"', 'none at all');
  const images = structsOf(await file.read(named.name), `${name}: ${named.name}`);
  return images.map((image, index) => {
    const where = `${name}: ${named.name}(${index + 1})`;
    const subjects = structsOf(image.fields.get('subjects')?.[0], `${where}.subjects`);
    return {
      image: imageOf(image, where),
      scanpaths: subjects.map((subject, k): Scanpath => {
        const place = `${where}.subjects(${k + 1})`;
        const x = numbersOf(subject, 'fix_x', place);
        const y = numbersOf(subject, 'fix_y', place);
        if (x.length !== y.length)
          throw wrong(place, `as many fix_y as fix_x (${x.length})`, `${y.length}`);
        return { subject: String(k + 1), x, y };
      }),
    };
  });
};

/**
 * Fixation lists from a table with columns `image`, `subject`, `x` and `y`, a line per fixation; further
 * columns are passed over. Input error, naming the line, where a column or number is missing.
 */
export const fixationsFromCsv = (text: string, name: string): FixationList[] => {
  const { columns, rows, lines } = readCsv(text, name);
  const places = ['image', 'subject', 'x', 'y'].map((column) => columns.indexOf(column));
  if (places.includes(-1)) throw wrong(name, 'columns image, subject, x, y', columns.join(', '));
  const [imageAt, subjectAt, xAt, yAt] = places as [number, number, number, number];
  const lists = new Map<string, Map<string, { x: number[]; y: number[] }>>();
  rows.forEach((row, index) => {
    const [x, y] = [xAt, yAt].map((at) => (row[at]!.trim() === '' ? Number.NaN : Number(row[at])));
    if (!(Number.isFinite(x) && Number.isFinite(y)))
      throw wrong(`${name}: line ${lines[index]}`, 'numbers in x and y', row.join(','));
    const image = baseName(row[imageAt]!);
    const subjects = lists.get(image) ?? new Map<string, { x: number[]; y: number[] }>();
    const own = subjects.get(row[subjectAt]!) ?? { x: [], y: [] };
    own.x.push(x!);
    own.y.push(y!);
    subjects.set(row[subjectAt]!, own);
    lists.set(image, subjects);
  });
  return [...lists].map(([image, subjects]) => ({
    image,
    scanpaths: [...subjects].map(([subject, points]) => ({ subject, ...points })),
  }));
};

const coordinatesOf = (lists: readonly FixationList[]): number[] =>
  lists.flatMap(({ scanpaths }) =>
    scanpaths.flatMap(({ x, y }) => [...Array.from(x), ...Array.from(y)]),
  );

const isShare = (value: number): boolean => value >= 0 && value <= 1;

/**
 * Pixels, unless something else was said. Input error where the numbers contradict it: coordinates that all lie between 0
 * and 1 would all fall on the first pixel, and shares do not lie beyond.
 */
export const checkUnit = (
  lists: readonly FixationList[],
  said: FixationUnit | null,
  where: string,
): FixationUnit => {
  const all = coordinatesOf(lists);
  const shares = all.filter(isShare).length;
  if (said === null && all.length > 0 && shares === all.length)
    throw inputError({
      code: 'fixations-look-like-shares',
      field: 'fixationUnit',
      where,
      expected: 'coordinates in pixels',
      got: 'numbers between 0 and 1 throughout',
      mend: 'say that they are shares of width and height (or that they are pixels)',
    });
  if (said === 'shares' && shares < all.length / 2)
    throw inputError({
      code: 'fixations-beyond-shares',
      field: 'fixationUnit',
      where,
      expected: 'shares of width and height, 0 to 1',
      got: `${all.length - shares} of ${all.length} coordinates beyond`,
      mend: 'leave the unit out where they are pixels',
    });
  return said ?? 'pixels';
};

/** What else the numbers of a list say against its unit. */
export const unitWarnings = (lists: readonly FixationList[], unit: FixationUnit): string[] => {
  const all = coordinatesOf(lists);
  const negative = all.filter((value) => value < 0).length / all.length;
  return negative < 0.2
    ? []
    : [
        `${Math.round(negative * 100)} % of the coordinates of fixations are negative: ${unit} are counted from the upper left corner, not from the centre`,
      ];
};

/** A scanpath in pixels of an image; the very edge (a share of 1) belongs to the last pixel. */
export const inPixels = (
  path: Scanpath,
  unit: FixationUnit,
  { width, height }: { readonly width: number; readonly height: number },
): Scanpath => {
  if (unit === 'pixels') return path;
  const scaled = (values: ArrayLike<number>, size: number): number[] =>
    Array.from(values, (value) => (value === 1 ? size - 1 : value * size));
  return { ...path, x: scaled(path.x, width), y: scaled(path.y, height) };
};

/** Beyond these many standard deviations a Gaussian is taken for zero, as SciPy's `gaussian_filter` does. */
const truncation = 4;

/** exp(−d²/2σ²) over places within the truncation, about a whole place. */
const bell = (sigma: number): Float64Array => {
  const reach = Math.floor(truncation * sigma + 0.5);
  return Float64Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma * sigma)),
  );
};

/**
 * A Gaussian of standard deviation `sigma` pixels at every fixation (its nearest pixel), summed: `[height, width]`; and
 * how many fixations lay beside the image, which are left out.
 */
export const fixationMap = (
  { x, y }: Pick<Scanpath, 'x' | 'y'>,
  height: number,
  width: number,
  sigma: number,
): { readonly map: Float32Nd; readonly outside: number } => {
  const weights = bell(sigma);
  const reach = (weights.length - 1) / 2;
  const sums = new Float32Array(height * width);
  let outside = 0;
  for (let i = 0; i < x.length; i++) {
    const [column, row] = [Math.floor(x[i]!), Math.floor(y[i]!)];
    if (!(column >= 0 && column < width && row >= 0 && row < height)) {
      outside++;
      continue;
    }
    const [left, right] = [Math.max(0, column - reach), Math.min(width - 1, column + reach)];
    for (let v = Math.max(0, row - reach); v <= Math.min(height - 1, row + reach); v++) {
      const down = weights[v - row + reach]!;
      const start = v * width;
      for (let u = left; u <= right; u++) sums[start + u]! += down * weights[u - column + reach]!;
    }
  }
  return { map: { data: sums, shape: [height, width] }, outside };
};

/** Sum of maps of one size. */
export const summedMaps = (maps: readonly Float32Nd[]): Float32Nd => {
  const sums = new Float64Array(maps[0]!.data);
  for (const { data } of maps.slice(1)) for (let i = 0; i < sums.length; i++) sums[i]! += data[i]!;
  return { data: new Float32Array(sums), shape: maps[0]!.shape };
};
