import type { Attributes, OnnxGraph } from '../graph/graph.ts';
import type { NdArray } from '../records/array.ts';
import { builderOf, type GraphBuilder } from '../sketch/builder.ts';

// The operations of which the networks here are made, in float32, NCHW. Each adds one node and returns the tensor that it
// makes. `layer` names the module, as in a TorchScript export: the node is `/layer/Conv`, its tensor `/layer/Conv_output`.

/** A convolution kernel `[outputs, inputs / groups, rows, columns]`. */
export interface Kernel {
  readonly data: ArrayLike<number>;
  readonly shape: readonly [outputs: number, inputs: number, rows: number, columns: number];
}

export interface ConvolutionSettings {
  readonly stride?: number;
  readonly groups?: number;
  readonly bias?: ArrayLike<number>;
}

/** A network to be built, whose input is `image` `[batch, 3, size, size]`. */
export const networkOf = (name: string, size: number): GraphBuilder =>
  builderOf({
    name,
    opset: 17,
    inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, size, size] }],
    outputs: [],
    initialisers: [],
    nodes: [],
  });

/** The network with these outputs, each of which keeps its tensor's name. */
export const finished = (net: GraphBuilder, outputs: readonly string[]): OnnxGraph =>
  net.finish(Object.fromEntries(outputs.map((name) => [name, name])), () => ({
    type: 'float32',
    shape: null,
  }));

const inLayer = (
  net: GraphBuilder,
  op: string,
  layer: string,
  inputs: readonly string[],
  attributes: Attributes = {},
): string => {
  const name = `/${layer}/${op}`;
  const output = `${name}_output`;
  net.write({ op, name, inputs, outputs: [output], attributes });
  return output;
};

const float32 = (data: ArrayLike<number>, shape: readonly number[]): NdArray => ({
  data: Float32Array.from(data),
  shape,
});

/** A valid (unpadded) convolution, that is, a correlation. */
export const convolve = (
  net: GraphBuilder,
  layer: string,
  input: string,
  { data, shape }: Kernel,
  { stride = 1, groups = 1, bias }: ConvolutionSettings = {},
): string => {
  const weights = [net.weight(`${layer}.weight`, float32(data, shape))];
  if (bias !== undefined) weights.push(net.weight(`${layer}.bias`, float32(bias, [bias.length])));
  return inLayer(net, 'Conv', layer, [input, ...weights], {
    kernel_shape: { ints: [shape[2], shape[3]] },
    strides: { ints: [stride, stride] },
    group: { int: groups },
  });
};

export const rectify = (net: GraphBuilder, layer: string, input: string): string =>
  inLayer(net, 'Relu', layer, [input]);

export const multiply = (net: GraphBuilder, layer: string, a: string, b: string): string =>
  inLayer(net, 'Mul', layer, [a, b]);

export const divide = (
  net: GraphBuilder,
  layer: string,
  numerator: string,
  denominator: string,
): string => inLayer(net, 'Div', layer, [numerator, denominator]);
