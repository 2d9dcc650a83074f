import type { Random } from '../src/numeric/random.ts';
import type { ArrayData } from '../src/records/array.ts';
import type { Hdf5, Hdf5Dataset, Hdf5File, Hdf5Item, Hdf5Range } from '../src/records/hdf5.ts';
import { pick, strangeName } from './changed-names.ts';

/** What an HDF5 file holds, without the library that reads it: to be changed where the library itself is not at stake. */
export interface Hdf5Record {
  readonly name: string;
  readonly items: ReadonlyMap<string, Hdf5Item>;
  readonly data: ReadonlyMap<string, ArrayData | readonly string[]>;
  /** Attributes by `path@name`: those of `attributeNames`. */
  readonly attributes: ReadonlyMap<string, ArrayData | readonly string[]>;
}

const attributeNames: readonly string[] = [
  ...['_NCProperties', '_FillValue', 'missing_value', 'scale_factor', 'add_offset', 'units'],
  ...['valid_range', 'valid_min', 'valid_max', '_Unsigned', 'neurodata_type', 'table', 'location'],
  ...['MATLAB_class', 'MATLAB_empty', 'MATLAB_sparse', 'MATLAB_int_decode', 'H5PATH'],
];

/** Everything in a file. */
export const recordOf = async (file: Hdf5File): Promise<Hdf5Record> => {
  const items = new Map<string, Hdf5Item>();
  const data = new Map<string, ArrayData | readonly string[]>();
  const attributes = new Map<string, ArrayData | readonly string[]>();
  const walk = async (path: string): Promise<void> => {
    const item = (await file.item(path))!;
    items.set(path, item);
    for (const name of attributeNames) {
      const value = await file.attribute(path, name);
      if (value !== null) attributes.set(`${path}@${name}`, value);
    }
    if (item.kind === 'dataset' && item.type !== 'other') data.set(path, await file.read(path));
    if (item.kind === 'group')
      for (const name of item.names) await walk(path === '/' ? `/${name}` : `${path}/${name}`);
  };
  await walk('/');
  return { name: file.name, items, data, attributes };
};

const numbers = [0, 1, -1, 2, 7, 1e3, 1e9, 2 ** 31, 2 ** 53, 1e308, -1e308, 0.5, NaN, Infinity];
const texts = ['', 'nan', '../../etc', 'a1', '\u0000', 'x'.repeat(500), '1e999', 'a\nb', '猫'];

const changedShape = (item: Hdf5Dataset, random: Random): Hdf5Dataset => {
  const shape = [...(item.shape ?? [])];
  switch (random.int(4)) {
    case 0:
      return { ...item, shape: null };
    case 1:
      return { ...item, shape: shape.slice(1), dimensions: item.dimensions.slice(1) };
    case 2:
      return { ...item, shape: [...shape, 3], dimensions: [...item.dimensions, null] };
    default:
      if (shape.length > 0) shape[random.int(shape.length)] = pick([0, 1, 2, 5, 2 ** 40], random);
      return { ...item, shape };
  }
};

/** A copy with one to three changes: something missing, another type, shape or dimension, other values. */
export const changedRecord = (record: Hdf5Record, random: Random): Hdf5Record => {
  const items = new Map(record.items);
  const data = new Map(record.data);
  for (let edit = 1 + random.int(3); edit > 0; edit--) {
    const path = pick([...items.keys()], random);
    const item = items.get(path)!;
    const values = data.get(path);
    const way = random.int(6);
    if (way === 0 || item.kind !== 'dataset') {
      items.delete(path);
      if (path === '/') items.set(path, { kind: 'group', names: [] });
    } else if (way === 1) items.set(path, changedShape(item, random));
    else if (way === 2)
      items.set(path, { ...item, type: pick(['integer', 'float', 'text', 'other'], random) });
    else if (way === 3)
      items.set(path, {
        ...item,
        dimensions: item.dimensions.map(() =>
          pick([null, 'event', 'neuroid', 'time_bin', 'x'], random),
        ),
      });
    else if (values !== undefined && way === 4)
      data.set(path, values.slice(0, random.int(values.length + 1)));
    else if (values !== undefined && values.length > 0) {
      const changed = ArrayBuffer.isView(values)
        ? Float64Array.from(values as ArrayData, Number)
        : [...values];
      for (let times = 1 + random.int(4); times > 0; times--) {
        const at = random.int(changed.length);
        if (Array.isArray(changed)) changed[at] = pick(texts, random);
        else changed[at] = pick(numbers, random);
      }
      data.set(path, changed);
    }
  }
  return { ...record, items, data };
};

const renamedItem = (record: Hdf5Record, random: Random): Hdf5Record => {
  const groups = [...record.items].filter(([, item]) => item.kind === 'group');
  const [path, item] = pick(groups, random);
  const { names } = item as Extract<Hdf5Item, { readonly kind: 'group' }>;
  if (names.length === 0) return record;
  const [old, lead] = [pick(names, random), path === '/' ? '' : path];
  const name = strangeName(random, names);
  const [from, to] = [`${lead}/${old}`, `${lead}/${name}`];
  const moved = (each: string): string =>
    each === from || each.startsWith(`${from}/`) || each.startsWith(`${from}@`)
      ? to + each.slice(from.length)
      : each;
  const all = <T>(map: ReadonlyMap<string, T>) =>
    new Map([...map].map(([each, value]) => [moved(each), value] as const));
  const items = all(record.items);
  const kept = names.map((each) => (each === old ? name : each));
  items.set(moved(path), { kind: 'group', names: random.int(8) === 0 ? [...kept, old] : kept });
  return { ...record, items, data: all(record.data), attributes: all(record.attributes) };
};

const changedAttribute = (record: Hdf5Record, random: Random): Hdf5Record => {
  const attributes = new Map(record.attributes);
  const there = [...attributes.keys()];
  const isNew = there.length === 0 || random.int(2) === 0;
  const key = isNew
    ? `${pick([...record.items.keys()], random)}@${pick(attributeNames, random)}`
    : pick(there, random);
  const count = random.int(3);
  const some = Array.from({ length: count }, () => pick(numbers, random));
  const others = [...record.items.keys(), 's', 'ms', 'true', 'double', 'struct', 'cell'];
  const words = Array.from({ length: count }, () => strangeName(random, others));
  if (random.int(6) === 0) attributes.delete(key);
  else attributes.set(key, random.int(2) === 0 ? Float64Array.from(some) : words);
  return { ...record, attributes };
};

const changedTexts = (record: Hdf5Record, random: Random): Hdf5Record => {
  const texts = [...record.data].filter(([, values]) => Array.isArray(values) && values.length > 0);
  if (texts.length === 0) return record;
  const [path, values] = pick(texts, random);
  const changed = [...(values as readonly string[])];
  changed[random.int(changed.length)] = strangeName(random, values as readonly string[]);
  return { ...record, data: new Map(record.data).set(path, changed) };
};

/** A copy with one to three names changed: of groups and datasets, attributes (their values too), texts and references. */
export const renamedRecord = (record: Hdf5Record, random: Random): Hdf5Record => {
  let changed = record;
  for (let edit = 1 + random.int(3); edit > 0; edit--) {
    changed = pick([renamedItem, changedAttribute, changedTexts], random)(changed, random);
  }
  return changed;
};

/** A record as a file; a range that the data does not have is refused as the library refuses it: with fewer values. */
export const hdf5OfRecord = (record: Hdf5Record): Hdf5 => ({
  open: async () => ({
    name: record.name,
    size: 0,
    item: async (path) => record.items.get(path) ?? null,
    attribute: async (path, name) => record.attributes.get(`${path}@${name}`) ?? null,
    read: async (path, ranges: readonly Hdf5Range[] = []) => {
      const values = record.data.get(path) ?? [];
      const item = record.items.get(path);
      if (ranges.length === 0 || item?.kind !== 'dataset') return values;
      const shape = item.shape ?? [];
      const below = (axis: number): number => shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const from = ranges.reduce((sum, [start], axis) => sum + start * below(axis), 0);
      const [start, end] = ranges.at(-1)!;
      return values.slice(from, from + (end - start) * below(ranges.length - 1));
    },
    close: async () => undefined,
  }),
});
