import type { Random } from '../src/numeric/random.ts';
import type { ArrayData } from '../src/records/array.ts';
import type { Hdf5, Hdf5Dataset, Hdf5File, Hdf5Item, Hdf5Range } from '../src/records/hdf5.ts';

/** What an HDF5 file holds, without the library that reads it: to be changed where the library itself is not at stake. */
export interface Hdf5Record {
  readonly name: string;
  readonly items: ReadonlyMap<string, Hdf5Item>;
  readonly data: ReadonlyMap<string, ArrayData | readonly string[]>;
}

/** Everything in a file. */
export const recordOf = async (file: Hdf5File): Promise<Hdf5Record> => {
  const items = new Map<string, Hdf5Item>();
  const data = new Map<string, ArrayData | readonly string[]>();
  const walk = async (path: string): Promise<void> => {
    const item = (await file.item(path))!;
    items.set(path, item);
    if (item.kind === 'dataset' && item.type !== 'other') data.set(path, await file.read(path));
    if (item.kind === 'group')
      for (const name of item.names) await walk(path === '/' ? `/${name}` : `${path}/${name}`);
  };
  await walk('/');
  return { name: file.name, items, data };
};

const numbers = [0, 1, -1, 2, 7, 1e3, 1e9, 2 ** 31, 2 ** 53, 1e308, -1e308, 0.5, NaN, Infinity];
const texts = ['', 'nan', '../../etc', 'a1', '\u0000', 'x'.repeat(500), '1e999', 'a\nb', '猫'];

const pick = <T>(values: readonly T[], random: Random): T => values[random.int(values.length)]!;

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

/** A record as a file; a range that the data does not have is refused as the library refuses it: with fewer values. */
export const hdf5OfRecord = (record: Hdf5Record): Hdf5 => ({
  open: async () => ({
    name: record.name,
    size: 0,
    item: async (path) => record.items.get(path) ?? null,
    attribute: async () => null,
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
