import { inputError } from '../records/errors.ts';
import type { Files } from '../records/ports.ts';
import { readCsv } from './csv.ts';
import { baseName, stem } from './paths.ts';
import { decodeText } from './text.ts';

// An array has no names: that its first index is the first image is a promise, and names can be sorted in two ways.

/** How the rows of an array are ordered: by names, by the numbers in them, or as a list (ids, stems or file names) says. */
export type NameOrder = 'name' | 'number' | NameList;

export interface NameList {
  readonly list: readonly string[];
  /** The file, for messages. */
  readonly where: string;
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const digits = /^\d+/;

/** Two runs of digits by value, however long; leading zeros do not count. */
const byValue = (a: string, b: string): number => {
  const [x, y] = [a, b].map((run) => run.replace(/^0+/, '')) as [string, string];
  return x.length - y.length || byCodeUnit(x, y);
};

/** Digits by the number that they write, all else by code unit: `im2` before `im10`. Names of equal order: by code unit. */
export const byNumber = (a: string, b: string): number => {
  let [left, right] = [a, b];
  while (left !== '' && right !== '') {
    const [x, y] = [digits.exec(left)?.[0], digits.exec(right)?.[0]];
    const order =
      x !== undefined && y !== undefined ? byValue(x, y) : byCodeUnit(left[0]!, right[0]!);
    if (order !== 0) return order;
    left = left.slice(x !== undefined && y !== undefined ? x.length : 1);
    right = right.slice(x !== undefined && y !== undefined ? y.length : 1);
  }
  return left.length - right.length || byCodeUnit(a, b);
};

const shown = (names: readonly string[]): string =>
  `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}`;

/**
 * Names in an order that the user gave, or in the one order that they have. Input error, naming `where`, where none was
 * given and sorting by text and by number differ: nobody knows then which of the two an array has.
 */
export const sortedNames = (
  names: readonly string[],
  order: 'name' | 'number' | null,
  where: string,
): string[] => {
  const [text, number] = [[...names].sort(byCodeUnit), [...names].sort(byNumber)];
  if (order !== null) return order === 'name' ? text : number;
  const differs = text.findIndex((name, index) => name !== number[index]);
  if (differs < 0) return text;
  const from = Math.max(0, differs - 1);
  throw inputError({
    code: 'order-ambiguous',
    field: 'order',
    where,
    expected: 'names that have one order, whether they are sorted by text or by number',
    got: `${shown(text.slice(from))} by text and ${shown(number.slice(from))} by number`,
    mend: 'say which order the array has: by name, by number, or a list of the names in its order',
  });
};

/** Columns of a table that name stimuli, the first that is there. */
const nameColumns = ['stimulus_id', 'image_id', 'file', 'filename', 'image_file_name', 'image'];

const listOf = (text: string, path: string): string[] => {
  const lines = text
    .replace(/^\ufeff/, '')
    .split(/\r\n?|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const heads = (lines[0] ?? '').split(',').map((head) => head.trim());
  const column = nameColumns.find((name) => heads.includes(name));
  if (column === undefined) return lines;
  const table = readCsv(text, path);
  return table.rows.map((fields) => fields[table.columns.indexOf(column)]!.trim());
};

/** Only what is known to be an ending is taken for one: `stim0.5` is not `stim0`. */
const withoutEnding = (name: string): string =>
  /\.(jpe?g|png|webp|gif|tiff?|bmp|ppm|pgm|jp2|heic|npy|mat)$/i.test(name)
    ? stem(name)
    : baseName(name);

const lower = (name: string): string => baseName(name).toLowerCase();

/** How a name may mean a file, the closest first: as its name, without regard to case, as its stem, with another ending. */
const meanings: readonly {
  readonly ofName: (name: string) => string;
  readonly ofFile: (file: string) => string;
}[] = [
  { ofName: baseName, ofFile: baseName },
  { ofName: lower, ofFile: lower },
  { ofName: lower, ofFile: (file) => stem(file).toLowerCase() },
  {
    ofName: (name) => withoutEnding(name).toLowerCase(),
    ofFile: (file) => stem(file).toLowerCase(),
  },
];

/** The indices of files by key; of a key that several share −1. */
const tableOf = (keys: readonly string[]): ReadonlyMap<string, number> => {
  const table = new Map<string, number>();
  keys.forEach((key, index) => {
    table.set(key, table.has(key) ? -1 : index);
  });
  return table;
};

/**
 * Which of these files a name means, as an index, where names are paths on another computer with either slash: by file name,
 * without regard to case, as a stem, with another ending. −1 where it means several, null where none.
 *
 * @param ids of the files, where they have some: they come first.
 */
export const fileFinder = (
  files: readonly string[],
  ids: readonly string[] = [],
): ((name: string) => number | null) => {
  const byId = tableOf(ids);
  const tables = meanings.map(({ ofFile }) => tableOf(files.map(ofFile)));
  return (name) => {
    const found = [
      byId.get(name),
      ...tables.map((table, at) => table.get(meanings[at]!.ofName(name))),
    ];
    return found.find((each) => each !== undefined) ?? null;
  };
};

const firstAgain = (list: readonly string[]): string | undefined => {
  const known = new Set<string>();
  return list.find((name) => known.size === known.add(name).size);
};

/**
 * Reads an order: `name`, `number`, or a file with one name a line, or a CSV with a column `stimulus_id` or `file`.
 * Input error for a name that comes twice and for a file without names.
 */
export const readNameOrder = async (order: string, files: Files): Promise<NameOrder> => {
  if (order === 'name' || order === 'number') return order;
  const list = listOf(decodeText(await files.read(order), order), order);
  const again = firstAgain(list);
  if (list.length > 0 && again === undefined) return { list, where: order };
  throw inputError({
    code: 'order-list',
    field: 'order',
    where: `order: ${order}`,
    expected: 'the names of the stimuli, each once, one a line or in a column stimulus_id',
    got: again === undefined ? 'none' : `"${again}" twice`,
    mend: 'give them in the order of the array',
  });
};

/** As file managers and `ls` sort: folder by folder, without regard to case, the ending left aside. */
const asListed = (name: string): string[] =>
  name
    .split('/')
    .map((part, at, { length }) => (at === length - 1 ? stem(part) : part).toLowerCase());

/** Whether names that are sorted by code unit, as Python does, have another order where folders are listed. */
export const isListedOtherwise = (sorted: readonly string[]): boolean => {
  const listed = sorted.map(asListed);
  return listed.some((parts, index) => {
    const before = listed[index - 1] ?? [];
    const at = parts.findIndex((part, depth) => part !== before[depth]);
    return index > 0 && at >= 0 && before[at] !== undefined && parts[at]! < before[at]!;
  });
};

/** In words, for what is kept with the numbers. */
export const orderText = (order: NameOrder): string =>
  typeof order === 'object' ? `the order of ${baseName(order.where)}` : `${order} order`;

/**
 * For each stimulus its place in a list of names: by id, else as `fileFinder` says. The list may
 * name others. Input error for a stimulus that is not in it, and for two names that are one stimulus.
 */
export const placesIn = (
  { list, where }: NameList,
  stimuli: readonly { readonly id: string; readonly file: string }[],
): Int32Array => {
  const wrong = (expected: string, got: string) =>
    inputError({
      code: 'order-list',
      field: 'order',
      where: `order: ${where}`,
      expected,
      got,
      mend: 'give the ids or file names of the stimuli in the order of the array',
    });
  const find = fileFinder(
    stimuli.map(({ file }) => file),
    stimuli.map(({ id }) => id),
  );
  const places = new Int32Array(stimuli.length).fill(-1);
  list.forEach((name, place) => {
    const index = find(name);
    if (index === null) return;
    if (index < 0) throw wrong('names of one stimulus each', `"${name}", which is several`);
    if (places[index]! >= 0)
      throw wrong('each stimulus once', `"${list[places[index]!]}" and "${name}" for one`);
    places[index] = place;
  });
  const missing = places.indexOf(-1);
  if (missing < 0) return places;
  throw wrong(`every stimulus, among them "${stimuli[missing]!.id}"`, `${list.length} others`);
};
