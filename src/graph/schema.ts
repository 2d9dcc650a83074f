// Field numbers and codes of onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).

export const MODEL = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  domain: 4,
  modelVersion: 5,
  docString: 6,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
  training: 20,
  functions: 25,
  configuration: 26,
} as const;

export const GRAPH = {
  node: 1,
  name: 2,
  initialiser: 5,
  docString: 10,
  input: 11,
  output: 12,
  valueInfo: 13,
  quantisation: 14,
  sparseInitialiser: 15,
  metadata: 16,
} as const;

export const NODE = {
  input: 1,
  output: 2,
  name: 3,
  opType: 4,
  attribute: 5,
  domain: 7,
  overload: 8,
  metadata: 9,
} as const;

/** A function of the model: `defaults` are attributes with what they are where a call leaves them out. */
export const FUNCTION = {
  name: 1,
  input: 4,
  output: 5,
  node: 7,
  opsetImport: 9,
  domain: 10,
  defaults: 11,
  overload: 13,
} as const;

export const OPSET = { domain: 1, version: 2 } as const;

export const ATTRIBUTE = {
  name: 1,
  f: 2,
  i: 3,
  s: 4,
  t: 5,
  g: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  tensors: 10,
  graphs: 11,
  type: 20,
  /** An attribute of the function that this one takes its value from. */
  reference: 21,
  sparse: 22,
  sparses: 23,
} as const;

export const ATTRIBUTE_TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export const TENSOR = {
  dims: 1,
  dataType: 2,
  floatData: 4,
  int32Data: 5,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
  dataLocation: 14,
} as const;

export const VALUE = { name: 1, type: 2 } as const;

/** TypeProto, TypeProto.Tensor, TensorShapeProto and its Dimension. */
export const TYPE = {
  tensor: 1,
  elementType: 1,
  shape: 2,
  dim: 1,
  dimValue: 1,
  dimParam: 2,
} as const;

/** StringStringEntryProto. */
export const ENTRY = { key: 1, value: 2 } as const;

/** TensorProto.DataType in the order of its codes; `undefined` is 0. */
const ELEMENT_TYPES = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
] as const;

export type ElementType = (typeof ELEMENT_TYPES)[number];

export const codeOf = (type: ElementType): number => ELEMENT_TYPES.indexOf(type);

/** Types newer than this list (4- and 8-bit floats) come out as `undefined`: no layer has them. */
export const elementTypeOfCode = (code: number): ElementType => ELEMENT_TYPES[code] ?? 'undefined';

const BYTES: Partial<Record<ElementType, number>> = {
  float32: 4,
  uint8: 1,
  int8: 1,
  uint16: 2,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
  uint32: 4,
  uint64: 8,
  complex64: 8,
  complex128: 16,
  bfloat16: 2,
};

/** Bytes of one element; 0 for strings and types that this list does not know. */
export const elementBytes = (type: ElementType): number => BYTES[type] ?? 0;
