import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { staticShapes } from '../../src/graph/static-shapes.ts';
import { widened } from '../../src/graph/widen.ts';
import {
  bfloat16Bits,
  float16Bits,
  fromBfloat16Bits,
  fromFloat16Bits,
} from '../../src/numeric/convert.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import { patterned, runOnnx } from '../onnx.ts';

describe('16-bit floats', () => {
  it('are the numbers that they were made of', () => {
    const all = Array.from({ length: 2 ** 16 }, (_, bits) => bits);
    const wrong = all.filter((bits) => {
      const [half, brain] = [fromFloat16Bits(bits), fromBfloat16Bits(bits)];
      return (
        (Number.isFinite(half) && float16Bits(half) !== bits) ||
        (Number.isFinite(brain) && bfloat16Bits(brain) !== bits)
      );
    });
    expect(wrong).toEqual([]);
    expect([0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00].map(fromFloat16Bits)).toEqual([
      1,
      -2,
      2 ** -24,
      65504,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(fromFloat16Bits(0x7e00)).toBeNaN();
    expect([0x3f80, 0xc040].map(fromBfloat16Bits)).toEqual([1, -3]);
  });
});

describe('widened', () => {
  const half = (...values: number[]) => Uint16Array.from(values, float16Bits);

  it('computes in float32 what a graph computed in float16', async () => {
    const graph: OnnxGraph = {
      name: 'half',
      opset: 17,
      inputs: [{ name: 'x', type: 'float16', shape: [2, 3] }],
      outputs: [{ name: 'y', type: 'float16', shape: null }],
      initialisers: [
        { name: 'w', array: { data: half(0.5, -2, 1.25), shape: [3] }, type: 'float16' },
        { name: 'shape', array: { data: BigInt64Array.of(2n, 3n), shape: [2] } },
      ],
      nodes: [
        { op: 'Mul', inputs: ['x', 'w'], outputs: ['m'] },
        { op: 'Cast', inputs: ['m'], outputs: ['f'], attributes: { to: { int: 1 } } },
        { op: 'Exp', inputs: ['f'], outputs: ['e'] },
        { op: 'Cast', inputs: ['e'], outputs: ['h'], attributes: { to: { int: 10 } } },
        {
          op: 'ConstantOfShape',
          inputs: ['shape'],
          outputs: ['c'],
          attributes: {
            value: { tensor: { data: half(3), shape: [1] }, type: 'float16' },
          },
        },
        { op: 'Add', inputs: ['h', 'c'], outputs: ['y'] },
      ],
    };
    expect(staticShapes(graph).get('y')!.type).toBe('float16');
    const wide = canonical(widened(graph));
    expect(staticShapes(wide).get('y')!.type).toBe('float32');
    const x = patterned([2, 3]);
    const { y } = await runOnnx(encodeModel(wide), { x });
    const w = [0.5, -2, 1.25];
    y!.data.forEach((value, i) => {
      expect(value).toBeCloseTo(Math.exp(x.data[i]! * w[i % 3]!) + 3, 5);
    });
    // The casts between the two types do nothing any more.
    expect(wide.nodes.map(({ op }) => op)).not.toContain('Cast');
  });
});
