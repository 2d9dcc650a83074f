import { permuteAxes } from '../numeric/array.ts';
import type { ArrayData, NdArray } from '../records/array.ts';
import { inputError, type VentralError } from '../records/errors.ts';

// What MATLAB's files hold, whichever version wrote them.

/** A variable as the listing shows it; nothing of its content is read for that. */
export interface MatVariable {
  readonly name: string;
  /** MATLAB's class: `double`, `uint8`, `logical`, `char`, `cell`, `struct`, `sparse`, … */
  readonly class: string;
  /** As MATLAB's `size` says. */
  readonly shape: readonly number[];
  readonly complex: boolean;
}

/** `array` is row-major, `shape` as MATLAB's `size`; numbers stay in the type in which they are stored. */
export interface MatNumbers {
  readonly kind: 'numbers';
  readonly class: string;
  readonly array: NdArray;
}

/** Each row of a char array, blanks at the end kept. */
export interface MatText {
  readonly kind: 'text';
  readonly rows: readonly string[];
}

/** Elements in MATLAB's order: the first index runs fastest. */
export interface MatCell {
  readonly kind: 'cell';
  readonly shape: readonly number[];
  readonly elements: readonly MatValue[];
}

/** `fields[name][i]` is the field of element `i`, in MATLAB's order. */
export interface MatStruct {
  readonly kind: 'struct';
  readonly shape: readonly number[];
  readonly fields: ReadonlyMap<string, readonly MatValue[]>;
}

/** What stands inside a cell or struct and cannot be read: a sparse or complex array, an object, a function. */
export interface MatOther {
  readonly kind: 'other';
  readonly class: string;
}

export type MatValue = MatNumbers | MatText | MatCell | MatStruct | MatOther;

/** An open MATLAB file. Input errors name the file, the variable and what is wrong with it. */
export interface MatFile {
  readonly name: string;
  /** In the order of the file. */
  readonly variables: readonly MatVariable[];
  /** A variable, or a field of a struct by its path (`data.resp`, `data.a.b`), which `read` and `blocks` take too. */
  describe(path: string): Promise<MatVariable>;
  read(variable: string): Promise<MatValue>;
  /** The numbers of a real, full array, column-major (the first index runs fastest), in blocks of bounded size. */
  blocks(variable: string): AsyncGenerator<ArrayData>;
  close(): Promise<void>;
}

/** Arrays nest at most this deep; a chain that is longer leads in a circle or was made to harm. */
export const deepestNesting = 64;

export const emptyNumbers: MatNumbers = {
  kind: 'numbers',
  class: 'double',
  array: { data: new Float64Array(0), shape: [0, 0] },
};

/** Row-major copy of column-major elements; without a copy where the two orders are one. */
export const fromColumnMajor = (data: ArrayData, shape: readonly number[]): NdArray => {
  if (shape.filter((size) => size !== 1).length < 2) return { data, shape };
  const order = shape.map((_, axis) => shape.length - 1 - axis);
  return permuteAxes({ data, shape: shape.toReversed() }, order);
};

/** The rows of an `m × n` char array, whose letters stand in column-major order. */
export const textRows = (letters: readonly string[], shape: readonly number[]): string[] => {
  const rows = shape[0] ?? 0;
  if (rows === 1) return [letters.join('')];
  const texts = Array.from({ length: letters.length === 0 ? 0 : rows }, (): string[] => []);
  letters.forEach((letter, index) => {
    texts[index % rows]!.push(letter);
  });
  return texts.map((row) => row.join(''));
};

/** Input error where the file has no such variable; lists those that it has. */
export const variableOf = (
  { name, variables }: Pick<MatFile, 'name' | 'variables'>,
  variable: string,
): MatVariable => {
  const found = variables.find((each) => each.name === variable);
  if (found !== undefined) return found;
  const shown = variables.slice(0, 8).map((each) => each.name);
  throw inputError({
    where: name,
    expected: `a variable "${variable}"`,
    got: variables.length === 0 ? 'none at all' : shown.join(', '),
    mend: 'check the name',
  });
};

/** A path's variable and the fields that lead on from it; a variable that is named with dots is none of a struct. */
export const structFields = (
  variables: readonly MatVariable[],
  path: string,
): { readonly variable: string; readonly fields: readonly string[] } => {
  if (variables.some(({ name }) => name === path)) return { variable: path, fields: [] };
  const [variable, ...fields] = path.split('.') as [string, ...string[]];
  return { variable, fields };
};

/** Input error for a field that is not there, with those that are. */
export const noSuchField = (where: string, field: string, got: string): VentralError =>
  inputError({
    where,
    expected: `a struct of one element with a field "${field}"`,
    got,
    mend: 'check the path, written as variable.field',
  });

/** What lies at the end of a path of fields. Input error where one of them is not there. */
export const fieldAt = (value: MatValue, fields: readonly string[], where: string): MatValue => {
  const [field, ...rest] = fields;
  if (field === undefined) return value;
  if (value.kind !== 'struct')
    throw noSuchField(
      where,
      field,
      value.kind === 'other' ? `the class ${value.class}` : value.kind,
    );
  const found = value.fields.get(field);
  if (found === undefined)
    throw noSuchField(where, field, [...value.fields.keys()].slice(0, 8).join(', ') || 'no fields');
  if (found.length !== 1) throw noSuchField(where, field, `a struct array of ${found.length}`);
  return fieldAt(found[0]!, rest, `${where}.${field}`);
};

/** A value that was read, as a listing shows it. */
export const listedAs = (name: string, value: MatValue): MatVariable => {
  const isComplex = value.kind === 'other' && value.class === 'complex numbers';
  const variable = { name, shape: [1, 1], complex: isComplex };
  if (value.kind === 'numbers')
    return { ...variable, class: value.class, shape: value.array.shape };
  if (value.kind === 'other') return { ...variable, class: isComplex ? 'double' : value.class };
  if (value.kind === 'text') return { ...variable, class: 'char' };
  return { ...variable, class: value.kind, shape: value.shape };
};

/** Classes whose elements are numbers. */
export const isNumeric = (className: string): boolean =>
  /^(double|single|logical|u?int(8|16|32|64))$/.test(className);

/** In place of a class: an HDF5 dataset without MATLAB's mark, whose axes nothing says to be reversed. */
export const foreignClass = 'plain HDF5';

const mendsOf: Readonly<Record<string, string>> = {
  sparse: 'save full(x) instead',
  struct: 'name one of its fields, as variable.field',
};

/** Input error where a variable is no real, full array of numbers. */
export const checkNumeric = (variable: MatVariable, file: string): void => {
  if (variable.class === foreignClass)
    throw inputError({
      code: 'array-not-of-matlab',
      field: 'variable',
      where: `${file}: ${variable.name}`,
      expected: 'an array that MATLAB wrote (with the attribute MATLAB_class)',
      got: foreignClass,
      mend: `import it as hdf5, dataset /${variable.name}, which has its axes in the order of h5py and h5ls`,
    });
  if (isNumeric(variable.class) && !variable.complex) return;
  const got = variable.complex ? 'complex numbers' : `the class ${variable.class}`;
  throw inputError({
    where: `${file}: ${variable.name}`,
    expected: 'a full array of real numbers',
    got: variable.class === 'sparse' ? 'a sparse one' : got,
    mend: mendsOf[variable.class] ?? 'name another variable',
  });
};

/** Input error where a variable is of a class that no reader of ours takes. */
export const checkReadable = (variable: MatVariable, file: string): void => {
  if (['cell', 'struct', 'char'].includes(variable.class)) return;
  checkNumeric(variable, file);
};

/** The texts of a cell array or of the rows of a char array. Input error where it holds something else. */
export const textsOf = (value: MatValue, where: string): string[] => {
  const wrong = (got: string) =>
    inputError({ where, expected: 'texts', got, mend: 'name a cell array of texts' });
  if (value.kind === 'text') return value.rows.map((row) => row.trimEnd());
  if (value.kind !== 'cell') throw wrong(value.kind === 'other' ? value.class : value.kind);
  return value.elements.map((element, index) => {
    if (element.kind === 'cell' && element.elements.length === 1) {
      return textsOf(element, where)[0]!;
    }
    if (element.kind === 'text' && element.rows.length === 1) return element.rows[0]!;
    throw wrong(`no single text in element ${index + 1}`);
  });
};
