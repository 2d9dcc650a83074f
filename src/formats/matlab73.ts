import type { ArrayData } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Hdf5Dataset, Hdf5File, Hdf5Group } from '../records/hdf5.ts';
import { datasetAt, numberSlabs, readNumbersAt } from './hdf5.ts';
import {
  checkNumeric,
  checkReadable,
  deepestNesting,
  foreignClass,
  fromColumnMajor,
  isNumeric,
  type MatFile,
  type MatValue,
  type MatVariable,
  noSuchField,
  structFields,
  textRows,
  variableOf,
} from './mat.ts';

// MATLAB 7.3 keeps its arrays as HDF5 datasets with the dimensions turned around, what they are in attributes, and the
// elements of cells and struct arrays behind references.

const classOf = async (file: Hdf5File, path: string): Promise<string | null> => {
  const value = await file.attribute(path, 'MATLAB_class');
  return Array.isArray(value) ? (value[0] ?? null) : null;
};

const hasFlag = async (file: Hdf5File, path: string, name: string): Promise<boolean> => {
  const value = await file.attribute(path, name);
  return value !== null && Number(value[0]) !== 0;
};

const shapeOf = async (
  file: Hdf5File,
  path: string,
  { shape }: Hdf5Dataset,
): Promise<{ shape: readonly number[]; isEmpty: boolean }> => {
  if (shape === null) return { shape: [0, 0], isEmpty: true };
  if (!(await hasFlag(file, path, 'MATLAB_empty'))) {
    return { shape: shape.toReversed(), isEmpty: false };
  }
  // An empty array's dataset holds its size.
  const sizes = Array.from(await readNumbersAt(file, path, [[0, 64]]), Number);
  return { shape: sizes, isEmpty: true };
};

/** The references of a struct array stand in datasets without a class of their own. */
const isStructArray = async (file: Hdf5File, path: string, names: readonly string[]) => {
  const first = names[0];
  if (first === undefined) return false;
  const item = await file.item(`${path}/${first}`);
  if (item?.kind !== 'dataset' || item.type !== 'reference') return false;
  return (await classOf(file, `${path}/${first}`)) === null;
};

const describeGroup = async (
  file: Hdf5File,
  name: string,
  path: string,
  { names }: Hdf5Group,
): Promise<MatVariable> => {
  if ((await file.attribute(path, 'MATLAB_sparse')) !== null) {
    return { name, class: 'sparse', shape: [], complex: false };
  }
  const stored = (await classOf(file, path)) ?? 'struct';
  const isArray = await isStructArray(file, path, names);
  const shape = isArray
    ? ((await datasetAt(file, `${path}/${names[0]}`)).shape ?? []).toReversed()
    : [1, 1];
  return { name, class: stored, shape, complex: false };
};

const describe = async (
  file: Hdf5File,
  name: string,
  path: string,
): Promise<MatVariable | null> => {
  const item = await file.item(path);
  if (item === null || item.kind === 'stranger') return null;
  if (item.kind === 'group') return describeGroup(file, name, path, item);
  const stored = (await classOf(file, path)) ?? foreignClass;
  const { shape } = await shapeOf(file, path, item);
  return { name, class: stored, shape, complex: isNumeric(stored) && item.type === 'other' };
};

interface Reading {
  readonly file: Hdf5File;
  /** Finished values by path: what is referred to often is read once. */
  readonly done: Map<string, MatValue>;
  /** Paths on the way to the one that is being read. */
  readonly open: Set<string>;
}

const damaged = (where: string, expected: string, got: string) =>
  inputError({ where, expected, got, mend: 'save the file again in MATLAB' });

const readReferences = async (reading: Reading, path: string): Promise<MatValue[]> => {
  const targets = await reading.file.read(path);
  if (ArrayBuffer.isView(targets))
    throw damaged(`${reading.file.name}: ${path}`, 'references', 'none');
  const values: MatValue[] = [];
  for (const target of targets as readonly string[]) values.push(await readAt(reading, target));
  return values;
};

const readText = async (file: Hdf5File, path: string, shape: readonly number[]) => {
  const units = Uint16Array.from(await readNumbersAt(file, path), Number);
  const letters = Array.from(units, (unit) => String.fromCharCode(unit));
  return { kind: 'text', rows: textRows(letters, shape) } as const;
};

const readDataset = async (
  reading: Reading,
  path: string,
  item: Hdf5Dataset,
): Promise<MatValue> => {
  const { file } = reading;
  const stored = (await classOf(file, path)) ?? foreignClass;
  const { shape, isEmpty } = await shapeOf(file, path, item);
  if (stored === 'cell') {
    if (isEmpty) return { kind: 'cell', shape, elements: [] };
    return { kind: 'cell', shape, elements: await readReferences(reading, path) };
  }
  if (stored === 'char') {
    return isEmpty ? { kind: 'text', rows: [''] } : readText(file, path, shape);
  }
  if (stored === 'struct' && isEmpty) return { kind: 'struct', shape, fields: new Map() };
  if (!isNumeric(stored) || item.type === 'other') return { kind: 'other', class: stored };
  const data = isEmpty ? new Float64Array(0) : await readNumbersAt(file, path);
  return { kind: 'numbers', class: stored, array: fromColumnMajor(data, shape) };
};

const readGroup = async (
  reading: Reading,
  path: string,
  { names }: Hdf5Group,
): Promise<MatValue> => {
  const { file } = reading;
  const { class: stored, shape } = await describeGroup(file, '', path, { kind: 'group', names });
  if (stored !== 'struct') return { kind: 'other', class: stored };
  const isArray = await isStructArray(file, path, names);
  const fields = new Map<string, MatValue[]>();
  for (const name of names) {
    const field = `${path}/${name}`;
    fields.set(
      name,
      isArray ? await readReferences(reading, field) : [await readAt(reading, field)],
    );
  }
  return { kind: 'struct', shape, fields };
};

const readAt = async (reading: Reading, path: string): Promise<MatValue> => {
  const { file, done, open } = reading;
  const before = done.get(path);
  if (before !== undefined) return before;
  const where = `${file.name}: ${path}`;
  if (open.has(path)) throw damaged(where, 'arrays inside of arrays', 'one inside of itself');
  if (open.size >= deepestNesting) {
    throw damaged(where, `arrays nested at most ${deepestNesting} deep`, 'more');
  }
  open.add(path);
  const item = path === '' ? null : await file.item(path);
  if (item === null || item.kind === 'stranger') {
    throw damaged(where, 'an array', item === null ? 'nothing' : item.what);
  }
  const value = await (item.kind === 'group'
    ? readGroup(reading, path, item)
    : readDataset(reading, path, item));
  open.delete(path);
  done.set(path, value);
  return value;
};

/** A field of the struct at a place. Input error where there is none, and for arrays of structs. */
const fieldBelow = async (
  file: Hdf5File,
  { at, variable }: { readonly at: string; readonly variable: MatVariable },
  field: string,
  where: string,
): Promise<{ at: string; variable: MatVariable }> => {
  const item = await file.item(at);
  if (variable.class !== 'struct' || item?.kind !== 'group')
    throw noSuchField(where, field, `the class ${variable.class}`);
  if (await isStructArray(file, at, item.names))
    throw noSuchField(where, field, `a struct array of ${variable.shape.join(' × ')}`);
  const below = item.names.includes(field) ? await describe(file, field, `${at}/${field}`) : null;
  if (below === null)
    throw noSuchField(where, field, item.names.slice(0, 8).join(', ') || 'no fields');
  return { at: `${at}/${field}`, variable: below };
};

/**
 * The variables of a MATLAB 7.3 file that is open as HDF5; closing it closes `file`. Input error: damaged files,
 * references that lead in a circle; on reading also sparse and complex arrays and objects.
 */
export const openMatlab73 = async (file: Hdf5File): Promise<MatFile> => {
  const { name } = file;
  const root = await file.item('/');
  const variables: MatVariable[] = [];
  for (const each of root?.kind === 'group' ? root.names : []) {
    const variable = each.startsWith('#') ? null : await describe(file, each, `/${each}`);
    if (variable !== null) variables.push(variable);
  }

  /** Where a variable or field is, and what. */
  const find = async (path: string): Promise<{ at: string; variable: MatVariable }> => {
    const { variable, fields } = structFields(variables, path);
    let found = { at: `/${variable}`, variable: variableOf({ name, variables }, variable) };
    for (const [depth, field] of fields.entries()) {
      const where = [`${name}: ${variable}`, ...fields.slice(0, depth)].join('.');
      found = await fieldBelow(file, found, field, where);
    }
    return { ...found, variable: { ...found.variable, name: path } };
  };

  async function* blocks(wanted: string): AsyncGenerator<ArrayData> {
    const { at, variable } = await find(wanted);
    checkNumeric(variable, name);
    if (!variable.shape.includes(0)) yield* numberSlabs(file, at);
  }

  const read = async (wanted: string): Promise<MatValue> => {
    const { at, variable } = await find(wanted);
    checkReadable(variable, name);
    return readAt({ file, done: new Map(), open: new Set() }, at);
  };
  const describeAt = async (path: string): Promise<MatVariable> => (await find(path)).variable;
  return { name, variables, describe: describeAt, read, blocks, close: () => file.close() };
};
