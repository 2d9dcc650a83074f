import { permuteAxes, sizeOf } from '../numeric/array.ts';
import { toFloat64 } from '../numeric/convert.ts';
import type { ArrayData, Float64Nd, NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import { encodeText } from './text.ts';

/** Text arrays of NumPy (`<U…`, `|S…`), row-major. */
export interface StringArray {
  readonly strings: readonly string[];
  readonly shape: readonly number[];
}

/** What the header of an npy file says. */
export interface NpyHeader {
  readonly kind: ElementKind;
  /** Bytes per element. */
  readonly itemSize: number;
  readonly bigEndian: boolean;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Where the elements begin. */
  readonly offset: number;
}

type ElementKind =
  | 'float16'
  | 'float32'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'bool'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'unicode'
  | 'bytes';

const kinds: Readonly<Record<string, ElementKind>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  u1: 'uint8',
  b1: 'bool',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
};

/** At most these many bytes hold the header of any file that NumPy writes. */
export const npyHeaderLimit = 65_536;

const wrong = (name: string, expected: string, got: string, mend: string, cause?: unknown) =>
  inputError({ where: name, expected, got, mend }, cause);

const saveAgain = 'save it again with numpy.save';

const headerText = (bytes: Uint8Array, name: string): { text: string; offset: number } => {
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== '\x93NUMPY')
    throw wrong(name, 'a NumPy array (npy)', 'another kind of file', saveAgain);
  const version = bytes[6]!;
  if (![1, 2, 3].includes(version)) {
    throw wrong(name, 'npy version 1, 2 or 3', `version ${version}`, saveAgain);
  }
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw wrong(name, 'an npy header', 'a truncated file', 'copy it again');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) {
    throw wrong(name, `a header of ${length} bytes`, 'a truncated file', 'copy it again');
  }
  const text = new TextDecoder().decode(bytes.subarray(start, start + length));
  return { text, offset: start + length };
};

const parseShape = (text: string, name: string): number[] => {
  const tuple = /'shape'\s*:\s*\(([^)]*)\)/.exec(text)?.[1];
  const parts = tuple?.split(',').map((part) => part.trim()) ?? ['?'];
  if (parts.at(-1) === '') parts.pop();
  return parts.map((part) => {
    const size = /^\d+L?$/.test(part) ? Number.parseInt(part, 10) : Number.NaN;
    if (!Number.isSafeInteger(size)) {
      throw wrong(
        name,
        'a shape of whole numbers',
        `"${(tuple ?? text.trim()).slice(0, 60)}"`,
        saveAgain,
      );
    }
    return size;
  });
};

type Element = Pick<NpyHeader, 'kind' | 'itemSize' | 'bigEndian'>;

const parseElement = (text: string, name: string): Element => {
  const described = /'descr'\s*:\s*('[^']*'|\[.*\])/s.exec(text)?.[1] ?? 'nothing';
  const match = /^'([<>|=])(\w)(\d*)(.*)'$/.exec(described);
  const [, order, letter, digits, rest] = match ?? [];
  if (letter === 'O') {
    const mend = 'save it as numbers: numpy.save(path, numpy.asarray(array, dtype=float))';
    throw wrong(name, 'an array of numbers', 'Python objects (dtype object)', mend);
  }
  const bigEndian = order === '>';
  const width = Number(digits);
  if (rest === '' && width > 0) {
    if (letter === 'U') return { kind: 'unicode', itemSize: 4 * width, bigEndian };
    if (letter === 'S') return { kind: 'bytes', itemSize: width, bigEndian };
  }
  const kind = rest === '' ? kinds[`${letter}${digits}`] : undefined;
  if (kind === undefined) {
    const mend = 'convert it to float64, an integer type or text before saving';
    throw wrong(
      name,
      'numbers of up to 64 bits, booleans or text',
      `dtype ${described.slice(0, 60)}`,
      mend,
    );
  }
  return { kind, itemSize: width, bigEndian };
};

/**
 * Reads the header alone; `bytes` may be the beginning of the file. Nothing is allocated for the elements.
 * Input error: not an npy file, a type that cannot be read (objects, complex, structures), a header that lies.
 */
export const readNpyHeader = (bytes: Uint8Array, name: string): NpyHeader => {
  const { text, offset } = headerText(bytes, name);
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  if (order === undefined) throw wrong(name, 'fortran_order in the header', 'none', saveAgain);
  return {
    ...parseElement(text, name),
    fortranOrder: order === 'True',
    shape: parseShape(text, name),
    offset,
  };
};

/** Input error where a file of `size` bytes is not what its header claims, before anything is allocated for it. */
export const checkNpyLength = (header: NpyHeader, size: number, name: string): void => {
  const elements = sizeOf(header.shape);
  const needed = elements * header.itemSize;
  const available = size - header.offset;
  if (needed === available) return;
  const shape = `(${header.shape.join(', ')})`;
  const expected = `${needed} bytes for the ${elements} elements that the header claims ${shape}`;
  const mend = available < needed ? 'copy the file again' : 'save one array per file';
  throw wrong(name, expected, `${available}`, mend);
};

/** The elements' bytes in little-endian order, aligned for any typed array; a copy unless `share` and both are so. */
const littleEndian = (
  bytes: Uint8Array,
  size: number,
  swap: boolean,
  share: boolean,
): Uint8Array => {
  if (share && !swap && bytes.byteOffset % size === 0) return bytes;
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  if (swap && size > 1) {
    for (let from = 0; from < copy.length; from += size) copy.subarray(from, from + size).reverse();
  }
  return copy;
};

const float16 = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

const numbers = (kind: ElementKind, { buffer, byteOffset, byteLength }: Uint8Array): ArrayData => {
  switch (kind) {
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, byteLength / 2), float16);
    case 'float32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'float64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
    case 'int8':
      return new Int8Array(buffer, byteOffset, byteLength);
    case 'int16':
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    case 'uint16':
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 'int32':
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, byteLength / 8);
    case 'uint64':
      return new BigUint64Array(buffer, byteOffset, byteLength / 8);
    default:
      return new Uint8Array(buffer, byteOffset, byteLength);
  }
};

const textAt = (bytes: Uint8Array, header: NpyHeader, index: number, name: string): string => {
  const item = bytes.subarray(index * header.itemSize, (index + 1) * header.itemSize);
  if (header.kind === 'bytes') return new TextDecoder().decode(item).replace(/\0+$/, '');
  const view = new DataView(item.buffer, item.byteOffset, item.byteLength);
  const points: number[] = [];
  for (let at = 0; at < item.length; at += 4) points.push(view.getUint32(at, !header.bigEndian));
  while (points.at(-1) === 0) points.pop();
  const strange = points.find((point) => point > 0x10ffff);
  if (strange !== undefined) throw wrong(name, 'Unicode text', `the letter ${strange}`, saveAgain);
  return String.fromCodePoint(...points);
};

/** Row-major copy of an array stored in Fortran order. */
const toRowMajor = <T extends ArrayData>(data: T, shape: readonly number[]): NdArray<T> =>
  permuteAxes(
    { data, shape: shape.toReversed() },
    shape.map((_, axis) => shape.length - 1 - axis),
  );

/**
 * Reads an npy file of version 1 to 3, either byte order, C or Fortran order (the result is row-major).
 * Types stay as they are, but float16 becomes float32 and booleans become uint8; 64-bit integers are BigInt arrays.
 * With `share` the result may be a view of `bytes`, which are then given away.
 * Input error: not npy, truncated, a header that claims more or less than is there, objects.
 */
export const readNpy = (
  bytes: Uint8Array,
  name: string,
  { share = false }: { readonly share?: boolean } = {},
): NdArray | StringArray => {
  const header = readNpyHeader(bytes, name);
  const { kind, itemSize, bigEndian, fortranOrder, shape, offset } = header;
  checkNpyLength(header, bytes.length, name);
  const body = bytes.subarray(offset);
  if (kind === 'unicode' || kind === 'bytes') {
    const index = Int32Array.from({ length: sizeOf(shape) }, (_, i) => i);
    const order = fortranOrder ? toRowMajor(index, shape).data : index;
    return { strings: Array.from(order, (i) => textAt(body, header, i, name)), shape };
  }
  const data = numbers(kind, littleEndian(body, itemSize, bigEndian, share));
  return fortranOrder ? toRowMajor(data, shape) : { data, shape };
};

export const isStrings = (array: NdArray | StringArray): array is StringArray => 'strings' in array;

/** `readNpy` for an array that must hold numbers. */
export const readNumbers = (
  bytes: Uint8Array,
  name: string,
  options: { readonly share?: boolean } = {},
): NdArray => {
  const array = readNpy(bytes, name, options);
  if (isStrings(array)) throw wrong(name, 'an array of numbers', 'text', 'name another array');
  return array;
};

/** `readNumbers`, in float64. */
export const readFloat64 = (bytes: Uint8Array, name: string): Float64Nd =>
  toFloat64(readNumbers(bytes, name));

const descriptionOf = (data: ArrayData): string => {
  const name = data.constructor.name;
  const letter = name.startsWith('Float') ? 'f' : /U[iI]nt/.test(name) ? 'u' : 'i';
  return `${data.BYTES_PER_ELEMENT === 1 ? '|' : '<'}${letter}${data.BYTES_PER_ELEMENT}`;
};

const headerBytes = (description: string, shape: readonly number[]): Uint8Array => {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': (${tuple}), }`;
  // Version 1: 10 bytes, the text padded so that the elements begin at a multiple of 64.
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`;
  const lead = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, padded.length & 255, padded.length >> 8];
  return Uint8Array.from([...lead, ...encodeText(padded)]);
};

const encodeStrings = ({ strings, shape }: StringArray): Uint8Array[] => {
  const points = strings.map((text) => Array.from(text, (letter) => letter.codePointAt(0)!));
  const width = Math.max(1, ...points.map((each) => each.length));
  const data = new Uint32Array(strings.length * width);
  points.forEach((each, index) => {
    data.set(each, index * width);
  });
  return [headerBytes(`<U${width}`, shape), bytesOf(data)];
};

const bytesOf = (data: ArrayData): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The parts of an npy file (version 1, C order, little endian); the last is a view of the array, not a copy. */
export const npyParts = (array: NdArray | StringArray): readonly Uint8Array[] =>
  isStrings(array)
    ? encodeStrings(array)
    : [headerBytes(descriptionOf(array.data), array.shape), bytesOf(array.data)];
