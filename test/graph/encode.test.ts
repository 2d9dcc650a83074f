import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';

const open = (graph: OnnxGraph) =>
  ort.InferenceSession.create(encodeModel(graph), { logSeverityLevel: 3 });

describe('encodeModel', () => {
  it('writes a model that onnxruntime runs, with symbolic sizes, weights and every kind of attribute', async () => {
    const session = await open({
      name: 'small',
      opset: 13,
      inputs: [{ name: 'x', type: 'float32', shape: ['N', 1, 4, 4] }],
      outputs: [
        { name: 'y', type: 'float32', shape: ['N', 2, 2, 2] },
        { name: 'z', type: 'float32', shape: null },
      ],
      initialisers: [
        {
          name: 'w',
          array: { data: Float32Array.from([1, 0, 0, 1, -1, 0, 0, -1]), shape: [2, 1, 2, 2] },
        },
      ],
      nodes: [
        {
          op: 'Conv',
          name: 'conv',
          inputs: ['x', 'w'],
          outputs: ['c'],
          attributes: {
            strides: { ints: [2, 2] },
            group: { int: 1 },
            auto_pad: { string: 'VALID' },
          },
        },
        { op: 'LeakyRelu', inputs: ['c'], outputs: ['y'], attributes: { alpha: { float: 0.5 } } },
        {
          op: 'Constant',
          inputs: [],
          outputs: ['axes'],
          attributes: { value: { tensor: { data: BigInt64Array.from([-1n]), shape: [1] } } },
        },
        {
          op: 'Constant',
          inputs: [],
          outputs: ['offset'],
          attributes: { value_floats: { floats: [10, 20] } },
        },
        { op: 'Unsqueeze', inputs: ['offset', 'axes'], outputs: ['column'] },
        { op: 'Add', inputs: ['y', 'column'], outputs: ['z'] },
      ],
    });
    expect(session.inputMetadata[0]).toMatchObject({
      name: 'x',
      type: 'float32',
      shape: ['N', 1, 4, 4],
    });
    const x = Float32Array.from({ length: 16 }, (_, index) => index);
    const { y, z } = await session.run({ x: new ort.Tensor('float32', x, [1, 1, 4, 4]) });
    expect([...(y!.data as Float32Array)]).toEqual([5, 9, 21, 25, -2.5, -4.5, -10.5, -12.5]);
    expect([...(z!.data as Float32Array)]).toEqual([15, 19, 41, 45, 7.5, 5.5, 9.5, 7.5]);
  });

  it('takes negative integers and float64, int64 and other-domain nodes', async () => {
    const session = await open({
      name: 'matrix',
      opset: 17,
      inputs: [{ name: 'a', type: 'float64', shape: ['m', 2] }],
      outputs: [
        { name: 'p', type: 'float64', shape: ['m', 'm'] },
        { name: 'joined', type: 'float64', shape: null },
        { name: 'g', type: 'float32', shape: [2] },
      ],
      initialisers: [
        { name: 'i', array: { data: Float32Array.from([-1, 1]), shape: [2] } },
        { name: 'unused', array: { data: BigInt64Array.from([-7n]), shape: [] } },
      ],
      nodes: [
        { op: 'Gemm', inputs: ['a', 'a'], outputs: ['p'], attributes: { transB: { int: 1 } } },
        {
          op: 'Concat',
          inputs: ['a', 'a'],
          outputs: ['joined'],
          attributes: { axis: { int: -1 } },
        },
        { op: 'Gelu', domain: 'com.microsoft', inputs: ['i'], outputs: ['g'] },
      ],
    });
    const a = new ort.Tensor('float64', Float64Array.from([1, 2, 3, 4]), [2, 2]);
    const { p, joined, g } = await session.run({ a });
    expect([...(p!.data as Float64Array)]).toEqual([5, 11, 11, 25]);
    expect(joined!.dims).toEqual([2, 4]);
    expect((g!.data as Float32Array)[1]).toBeCloseTo(0.8413447, 6);
  });
});
