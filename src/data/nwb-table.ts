import { readFloat64At, readTextsAt } from '../formats/hdf5.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5File } from '../records/hdf5.ts';

// Columns of NWB's tables (hdmf-common, DynamicTable). A column may point into another table (DynamicTableRegion), hold
// several values a row (VectorIndex), or codes of a list (EnumData): what is stored then are not the values.

const electrodesTable = '/general/extracellular_ephys/electrodes';

const namesIn = async (file: Hdf5File, group: string): Promise<readonly string[]> => {
  const item = await file.item(group);
  return item?.kind === 'group' ? item.names : [];
};

/** Input error for a column that is not there, with the columns and tables that are. */
const checkColumn = async (file: Hdf5File, table: string, name: string): Promise<void> => {
  const path = `${table}/${name}`;
  if ((await file.item(path)) !== null) return;
  const isTable = (await file.item(table))?.kind === 'group';
  const names = (await namesIn(file, isTable ? table : '/intervals')).join(', ');
  throw inputError({
    code: isTable ? 'column-missing' : 'table-missing',
    where: file.name,
    expected: isTable ? `a column ${path}` : `a table ${table}`,
    got: names === '' ? 'none there' : names,
    mend: isTable ? 'name one of its columns' : 'name one of the tables',
  });
};

/** What an attribute refers to, or null where it is none. */
const targetOf = async (
  file: Hdf5File,
  path: string,
  attribute: string,
): Promise<string | null> => {
  const value = await file.attribute(path, attribute);
  const [target] = Array.isArray(value) ? (value as readonly string[]) : [];
  return target ?? null;
};

const isRegion = async (file: Hdf5File, path: string): Promise<boolean> => {
  const value = await file.attribute(path, 'neurodata_type');
  const [type] = Array.isArray(value) ? (value as readonly string[]) : [];
  return type === 'DynamicTableRegion' || (await targetOf(file, path, 'table')) !== null;
};

/** Where objects that are referred to lie (an electrode group's `location`). */
const locationsOf = async (file: Hdf5File, path: string): Promise<string[]> => {
  const targets = await file.read(path);
  const places: string[] = [];
  for (const target of ArrayBuffer.isView(targets) ? [] : (targets as readonly string[])) {
    const value = await file.attribute(target, 'location');
    const [location] = Array.isArray(value) ? (value as readonly string[]) : [];
    if (location === undefined)
      throw inputError({
        where: `${file.name}: ${path}`,
        expected: 'texts, or references to groups with a location',
        got: `a reference to ${target}, which has none`,
        mend: 'name another column',
      });
    places.push(location);
  }
  return places;
};

/** What a column holds, as texts, one entry after another. */
const entriesOf = async (file: Hdf5File, path: string): Promise<readonly string[]> => {
  const item = await file.item(path);
  if (item?.kind === 'dataset' && item.type === 'reference') return locationsOf(file, path);
  const elements = await targetOf(file, path, 'elements');
  if (elements === null) return readTextsAt(file, path);
  const names = await readTextsAt(file, elements);
  return Array.from(await readFloat64At(file, path), (code) => names[code] ?? '');
};

/** The one value of each row, where the column has an index to several. Input error for a row with none, or with two. */
const onePerRow = async (
  file: Hdf5File,
  path: string,
  entries: readonly string[],
): Promise<readonly string[]> => {
  if ((await file.item(`${path}_index`)) === null) return entries;
  const ends = await readFloat64At(file, `${path}_index`);
  return Array.from(ends, (end, row) => {
    const own = [...new Set(entries.slice(ends[row - 1] ?? 0, end))];
    if (own.length === 1) return own[0]!;
    throw inputError({
      where: `${file.name}: ${path}`,
      expected: 'one value in each row',
      got: `${own.length === 0 ? 'none' : own.slice(0, 4).join(', ')} in row ${row}`,
      mend: 'name a column with one value for each row',
    });
  });
};

/**
 * Texts of a column, one for each row of its table. Input error where there is no such column, and for one that holds the
 * rows of another table.
 */
export const textColumn = async (
  file: Hdf5File,
  table: string,
  name: string,
): Promise<readonly string[]> => {
  await checkColumn(file, table, name);
  const path = `${table}/${name}`;
  if (await isRegion(file, path))
    throw inputError({
      where: `${file.name}: ${path}`,
      expected: 'a column of names',
      got: `one of rows of ${(await targetOf(file, path, 'table')) ?? 'another table'}`,
      mend: 'name another column',
    });
  return onePerRow(file, path, await entriesOf(file, path));
};

/** Numbers of a column with one for each row. Input error where there is no such column. */
export const numberColumn = async (
  file: Hdf5File,
  table: string,
  name: string,
): Promise<Float64Array> => {
  await checkColumn(file, table, name);
  return readFloat64At(file, `${table}/${name}`);
};

/** Values of `name` of the electrodes that a region column of the units points to, one for each unit. */
const ofElectrodes = async (
  file: Hdf5File,
  region: string,
  name: string,
): Promise<readonly string[]> => {
  const table = (await targetOf(file, region, 'table')) ?? electrodesTable;
  await checkColumn(file, table, name);
  const values = await onePerRow(
    file,
    `${table}/${name}`,
    await entriesOf(file, `${table}/${name}`),
  );
  const entries = Array.from(await readFloat64At(file, region), (row) => {
    const value = values[row];
    if (value !== undefined) return value;
    throw inputError({
      where: `${file.name}: ${region}`,
      expected: `rows of ${table} (${values.length})`,
      got: `row ${row}`,
      mend: 'write the file again',
    });
  });
  return onePerRow(file, region, entries);
};

/**
 * Areas of the units: a column of `/units`, or of the electrodes that they point to (`location`; a column of references to
 * electrode groups: their locations). Source: NWB schema 2.6, `Units.electrodes`, `ElectrodesTable.location`.
 * Input error: no such column in either table, a unit on electrodes of several areas.
 */
export const unitAreas = async (file: Hdf5File, name: string): Promise<readonly string[]> => {
  const path = `/units/${name}`;
  const region = '/units/electrodes';
  if ((await file.item(path)) !== null && (await isRegion(file, path))) {
    const table = (await targetOf(file, path, 'table')) ?? electrodesTable;
    const has = await namesIn(file, table);
    return ofElectrodes(file, path, has.includes('location') ? 'location' : 'group');
  }
  if ((await file.item(path)) === null && (await file.item(region)) !== null) {
    const table = (await targetOf(file, region, 'table')) ?? electrodesTable;
    if ((await namesIn(file, table)).includes(name)) return ofElectrodes(file, region, name);
  }
  return textColumn(file, '/units', name);
};
