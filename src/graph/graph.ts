import type { NdArray } from '../records/array.ts';
import type { ElementType } from './schema.ts';

// What a graph is: plain records, made by `decode.ts` or by hand, and written as ONNX by `encode.ts`.

export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | ArrayAttribute
  | { readonly graph: GraphBody };

/** By name. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** `type` where the data alone doesn't tell it: bool, float16 and bfloat16 (as their bits). */
interface ArrayAttribute {
  readonly tensor: NdArray;
  readonly type?: ElementType;
}

export interface OnnxNode {
  readonly op: string;
  /** Tensors; an empty string leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Attributes;
  /** metadata_props, in which dynamo exports say whence a node comes. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  /** Strings are symbolic dimensions; `null` leaves the shape to onnxruntime. */
  readonly shape: readonly (number | string)[] | null;
}

export interface Initialiser {
  readonly name: string;
  readonly array: NdArray;
  /** Where the data alone doesn't tell it: bool, float16 and bfloat16 (as their bits). */
  readonly type?: ElementType;
}

/** A graph without the version of its operations: the branch of an If, the body of a Loop. */
export interface GraphBody {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initialisers: readonly Initialiser[];
  /** In topological order. */
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxGraph extends GraphBody {
  readonly opset: number;
  /** Versions of the other domains' operations; those not named here are of version 1. */
  readonly opsets?: Readonly<Record<string, number>>;
}

/** `Conv`, or `domain.op` for another domain than ONNX's own. */
export const operationOf = ({ op, domain }: OnnxNode): string =>
  domain === undefined || domain === '' || domain === 'ai.onnx' ? op : `${domain}.${op}`;
