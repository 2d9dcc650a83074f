import { type ElementType, ENTRY, elementTypeOfCode, TENSOR } from './schema.ts';
import { MOST_VALUES } from './sizes.ts';
import { type Field, fieldsOf, floatOf, type Source, textOf, varintsOf } from './wire.ts';

/** Where a weight lies in a file beside the model; `length` 0 means up to its end. */
export interface ExternalData {
  /** Path relative to the model's folder, as the model gives it. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** A constant tensor as the file describes it, without its numbers. */
export interface ReadTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly external: ExternalData | null;
  /** The numbers of a tensor of at most 64 elements (shapes, axes, bounds); null for all that is larger. */
  readonly values: readonly number[] | null;
  /** The fields that hold its numbers; none for external data. */
  readonly payload: readonly Field[];
}

const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

const rawReaders: Partial<
  Record<ElementType, [bytes: number, (at: number, view: DataView) => number]>
> = {
  float32: [4, (at, view) => view.getFloat32(at, true)],
  float64: [8, (at, view) => view.getFloat64(at, true)],
  int64: [8, (at, view) => Number(view.getBigInt64(at, true))],
  int32: [4, (at, view) => view.getInt32(at, true)],
  bool: [1, (at, view) => view.getUint8(at)],
  uint8: [1, (at, view) => view.getUint8(at)],
  int8: [1, (at, view) => view.getInt8(at)],
};

const rawValues = (
  { bytes }: Source,
  type: ElementType,
  count: number,
  { from, to }: Field,
): readonly number[] | null => {
  const reader = rawReaders[type];
  if (reader === undefined || reader[0] * count !== to - from) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, to - from);
  return Array.from({ length: count }, (_, index) => reader[1](index * reader[0], view));
};

const packedReals = (source: Source, field: Field, size: 4 | 8): number[] => {
  const values: number[] = [];
  for (let at = field.from; at + size <= field.to; at += size) {
    values.push(size === 4 ? floatOf(source, { ...field, from: at }) : doubleAt(source, at));
  }
  return values;
};

const doubleAt = ({ bytes }: Source, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true);

/** Numbers that lie in the typed fields of the proto, as exporters write small constants. */
const typedValues = (source: Source, field: Field): number[] => {
  switch (field.number) {
    case TENSOR.floatData:
      return packedReals(source, field, 4);
    case TENSOR.doubleData:
      return packedReals(source, field, 8);
    default:
      return varintsOf(source, field);
  }
};

const isTyped = (field: number): boolean =>
  field === TENSOR.floatData ||
  field === TENSOR.doubleData ||
  field === TENSOR.int32Data ||
  field === TENSOR.int64Data ||
  field === TENSOR.uint64Data;

const valuesOf = (
  source: Source,
  type: ElementType,
  dims: readonly number[],
  payload: readonly Field[],
): readonly number[] | null => {
  const count = product(dims);
  if (!(count >= 0 && count <= MOST_VALUES)) return null;
  const raw = payload.find(({ number }) => number === TENSOR.rawData);
  if (raw !== undefined) return rawValues(source, type, count, raw);
  // A varint or a float takes at most 10 bytes: more of them are not the numbers of so small a tensor.
  if (payload.some(({ from, to }) => to - from > 10 * MOST_VALUES)) return null;
  const values = payload.slice(0, MOST_VALUES).flatMap((field) => typedValues(source, field));
  return values.length === count ? values : null;
};

const externalEntry = (source: Source, field: Field): [string, string] => {
  let key = '';
  let value = '';
  for (const each of fieldsOf(source, field.from, field.to)) {
    if (each.number === ENTRY.key) key = textOf(source, each);
    if (each.number === ENTRY.value) value = textOf(source, each);
  }
  return [key, value];
};

/** Reads the TensorProto in `[from, to)`; its numbers stay unread unless they are few. */
export const readTensor = (source: Source, from: number, to: number): ReadTensor => {
  let name = '';
  let type: ElementType = 'undefined';
  let outside = false;
  const dims: number[] = [];
  const entries = new Map<string, string>();
  const payload: Field[] = [];
  for (const field of fieldsOf(source, from, to)) {
    if (field.number === TENSOR.name) name = textOf(source, field);
    else if (field.number === TENSOR.dataType) type = elementTypeOfCode(field.value);
    else if (field.number === TENSOR.dims) dims.push(...varintsOf(source, field));
    else if (field.number === TENSOR.dataLocation) outside = field.value === 1;
    else if (field.number === TENSOR.externalData) entries.set(...externalEntry(source, field));
    else if (field.number === TENSOR.rawData || isTyped(field.number)) payload.push(field);
  }
  const external = outside
    ? {
        location: entries.get('location') ?? '',
        offset: Number(entries.get('offset') ?? 0),
        length: Number(entries.get('length') ?? 0),
      }
    : null;
  const values = outside ? null : valuesOf(source, type, dims, payload);
  return { name, type, dims, external, values, payload: outside ? [] : payload };
};
