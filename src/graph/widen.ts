import { fromBfloat16Bits, fromFloat16Bits } from '../numeric/convert.ts';
import type { NdArray } from '../records/array.ts';
import type { Attribute, GraphBody, OnnxGraph, OnnxNode } from './graph.ts';
import { codeOf, type ElementType, elementTypeOfCode } from './schema.ts';

const isHalf = (type: ElementType | undefined): boolean =>
  type === 'float16' || type === 'bfloat16';

const wideType = <Type extends ElementType>(type: Type): Type | 'float32' =>
  isHalf(type) ? 'float32' : type;

const wideArray = (array: NdArray, type: ElementType): NdArray => {
  const number = type === 'float16' ? fromFloat16Bits : fromBfloat16Bits;
  return { data: Float32Array.from(array.data as Uint16Array, number), shape: array.shape };
};

/** Attributes that name a type by its code. */
const NAMES_TYPE = /^(to|dtype|stash_type|output_dtype)$/;

const wideAttribute = (name: string, attribute: Attribute): Attribute => {
  if ('tensor' in attribute && attribute.type !== undefined && isHalf(attribute.type)) {
    return { tensor: wideArray(attribute.tensor, attribute.type) };
  }
  if ('graph' in attribute) return { graph: wideBody(attribute.graph) };
  return 'int' in attribute && NAMES_TYPE.test(name)
    ? { int: codeOf(wideType(elementTypeOfCode(attribute.int))) }
    : attribute;
};

const wideNode = (node: OnnxNode): OnnxNode =>
  node.attributes === undefined
    ? node
    : {
        ...node,
        attributes: Object.fromEntries(
          Object.entries(node.attributes).map(([name, each]) => [name, wideAttribute(name, each)]),
        ),
      };

const wideBody = (body: GraphBody): GraphBody => ({
  ...body,
  inputs: body.inputs.map((input) => ({ ...input, type: wideType(input.type) })),
  outputs: body.outputs.map((output) => ({ ...output, type: wideType(output.type) })),
  initialisers: body.initialisers.map((each) =>
    each.type !== undefined && isHalf(each.type)
      ? { name: each.name, array: wideArray(each.array, each.type) }
      : each,
  ),
  nodes: body.nodes.map(wideNode),
});

/**
 * The graph in float32 where it was in float16 or bfloat16: weights, inputs, outputs and what casts to them. It computes
 * the same function without the rounding of the short types; wider types stay.
 */
export const widened = (graph: OnnxGraph): OnnxGraph => ({ ...graph, ...wideBody(graph) });
