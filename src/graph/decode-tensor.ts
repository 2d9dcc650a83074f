import type { NdArray } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { ReadTensor } from './read-tensor.ts';
import { type ElementType, elementBytes, TENSOR } from './schema.ts';
import { asElements } from './storage.ts';
import { damaged, eachVarint, type Field, type Source } from './wire.ts';

/** Files of weights beside a model: their bytes by the path that the model gives. */
export type ExternalFiles = Readonly<Record<string, Uint8Array>>;

/** Which field of the proto holds the numbers of a type, where they are not raw. */
const typedField = (type: ElementType): number => {
  switch (type) {
    case 'float32':
      return TENSOR.floatData;
    case 'float64':
      return TENSOR.doubleData;
    case 'int64':
      return TENSOR.int64Data;
    case 'uint64':
    case 'uint32':
      return TENSOR.uint64Data;
    default:
      return TENSOR.int32Data;
  }
};

const countOf = ({ name, dims }: ReadTensor, source: Source): number => {
  const count = dims.reduce((size, dim) => size * dim, 1);
  if (dims.some((dim) => dim < 0) || !Number.isSafeInteger(count)) {
    throw damaged(source.name, `tensor "${name}" of shape [${dims.join(', ')}]`);
  }
  return count;
};

const copied = (bytes: Uint8Array, from: number, to: number): ArrayBuffer => {
  const buffer = new ArrayBuffer(to - from);
  new Uint8Array(buffer).set(bytes.subarray(from, to));
  return buffer;
};

const wrongLength = (source: Source, tensor: ReadTensor, needed: number, there: number) =>
  damaged(
    source.name,
    `tensor "${tensor.name}" of shape [${tensor.dims.join(', ')}] needs ${needed} bytes and has ${there}`,
  );

/** Numbers from the typed fields: floats lie there as in memory, integers as varints. */
const typedNumbers = (source: Source, tensor: ReadTensor, count: number): ArrayBuffer => {
  const fields = tensor.payload.filter(({ number }) => number === typedField(tensor.type));
  const size = elementBytes(tensor.type);
  const there = fields.reduce((sum, { from, to }) => sum + to - from, 0);
  const isFloat = tensor.type === 'float32' || tensor.type === 'float64';
  // A varint takes a byte at least: what the file cannot hold is refused before room is made for it.
  if (isFloat ? there !== count * size : there < count) {
    throw wrongLength(source, tensor, isFloat ? count * size : count, there);
  }
  const buffer = new ArrayBuffer(count * size);
  if (isFloat) fillFloats(source, fields, new Uint8Array(buffer));
  else if (fillIntegers(source, fields, tensor.type, buffer) !== count) {
    throw damaged(source.name, `tensor "${tensor.name}" without as many numbers as its shape has`);
  }
  return buffer;
};

const fillFloats = ({ bytes }: Source, fields: readonly Field[], target: Uint8Array): void => {
  let at = 0;
  for (const { from, to } of fields) {
    target.set(bytes.subarray(from, to), at);
    at += to - from;
  }
};

/** Fills as many numbers as there is room for and returns how many there were. */
const fillIntegers = (
  source: Source,
  fields: readonly Field[],
  type: ElementType,
  buffer: ArrayBuffer,
): number => {
  const target = asElements(type, buffer)!;
  let at = 0;
  for (const field of fields) {
    eachVarint(source, field, (value, whole) => {
      if (target instanceof BigInt64Array || target instanceof BigUint64Array) {
        target[at++] = whole();
      } else target[at++] = value;
    });
  }
  return at;
};

const externalNumbers = (
  source: Source,
  tensor: ReadTensor,
  needed: number,
  files: ExternalFiles,
): ArrayBuffer => {
  const { location, offset, length } = tensor.external!;
  const file = Object.hasOwn(files, location) ? files[location]! : null;
  const there = file === null ? 0 : length > 0 ? length : Math.min(needed, file.length - offset);
  if (file === null || !(offset >= 0) || offset + needed > file.length || there !== needed) {
    throw inputError({
      where: `${source.name}: tensor "${tensor.name}"`,
      expected: `${needed} bytes in the file "${location}" beside the model, from byte ${offset}`,
      got: file === null ? 'no such file' : `${there} of a file of ${file.length} bytes`,
      mend: "put the whole file into the model's folder under this very name",
    });
  }
  return copied(file, offset, offset + needed);
};

/**
 * The numbers of a tensor, in memory of their own; float16 and bfloat16 as their bits, bool as 0 and 1. What the file
 * says about sizes is checked against its bytes before anything is allocated. Input errors: numbers that are not as
 * many as the shape says, a type that no network computes with (text, complex, 4- and 8-bit floats), external data
 * that is missing or too short.
 */
export const decodeTensor = (
  source: Source,
  tensor: ReadTensor,
  external: ExternalFiles,
): NdArray => {
  const count = countOf(tensor, source);
  const needed = count * elementBytes(tensor.type);
  const raw = tensor.payload.findLast(({ number }) => number === TENSOR.rawData);
  if (asElements(tensor.type, new ArrayBuffer(0)) === null) {
    throw inputError({
      where: `${source.name}: tensor "${tensor.name}"`,
      expected: 'numbers: floats of 16 to 64 bits, integers or bool',
      got: tensor.type === 'undefined' ? 'a type that is not known' : `the type ${tensor.type}`,
      mend: 'export the network in float32',
    });
  }
  if (raw !== undefined && raw.to - raw.from !== needed) {
    throw wrongLength(source, tensor, needed, raw.to - raw.from);
  }
  const buffer =
    tensor.external !== null
      ? externalNumbers(source, tensor, needed, external)
      : raw !== undefined
        ? copied(source.bytes, raw.from, raw.to)
        : typedNumbers(source, tensor, count);
  return { data: asElements(tensor.type, buffer)!, shape: tensor.dims };
};
