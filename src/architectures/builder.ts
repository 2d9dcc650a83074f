import type { Attribute, Initialiser, OnnxGraph, OnnxNode } from '../graph/encode.ts';

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

/**
 * Collects the nodes of a network in float32, NCHW. Each method adds one node and returns the tensor that it makes.
 * `layer` names the module, as in a TorchScript export: the node is `/layer/Conv`, its tensor `/layer/Conv_output`.
 */
export interface NetworkBuilder {
  /** A valid (unpadded) convolution, that is, a correlation. */
  convolve(layer: string, input: string, kernel: Kernel, settings?: ConvolutionSettings): string;
  rectify(layer: string, input: string): string;
  multiply(layer: string, a: string, b: string): string;
  divide(layer: string, numerator: string, denominator: string): string;
  /** The model's input is `image` `[batch, 3, size, size]`; every output keeps its tensor's name. */
  finish(outputs: readonly string[]): OnnxGraph;
}

export const createNetworkBuilder = (name: string, size: number): NetworkBuilder => {
  const nodes: OnnxNode[] = [];
  const initialisers: Initialiser[] = [];

  const constant = (label: string, data: ArrayLike<number>, shape: readonly number[]): string => {
    initialisers.push({ name: label, array: { data: Float32Array.from(data), shape } });
    return label;
  };
  const add = (
    op: string,
    layer: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string => {
    const node = `/${layer}/${op}`;
    const output = `${node}_output`;
    nodes.push({ op, name: node, inputs, outputs: [output], attributes });
    return output;
  };

  return {
    convolve: (layer, input, { data, shape }, { stride = 1, groups = 1, bias } = {}) => {
      const weights = [constant(`${layer}.weight`, data, shape)];
      if (bias !== undefined) weights.push(constant(`${layer}.bias`, bias, [bias.length]));
      return add('Conv', layer, [input, ...weights], {
        kernel_shape: { ints: [shape[2], shape[3]] },
        strides: { ints: [stride, stride] },
        group: { int: groups },
      });
    },
    rectify: (layer, input) => add('Relu', layer, [input]),
    multiply: (layer, a, b) => add('Mul', layer, [a, b]),
    divide: (layer, numerator, denominator) => add('Div', layer, [numerator, denominator]),
    finish: (outputs) => ({
      name,
      opset: 17,
      inputs: [{ name: 'image', type: 'float32', shape: ['batch', 3, size, size] }],
      outputs: outputs.map((output) => ({ name: output, type: 'float32', shape: null })),
      initialisers,
      nodes,
    }),
  };
};
