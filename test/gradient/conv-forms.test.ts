import { afterAll, describe, expect, test } from 'vitest';
import * as forms from '../../src/gradient/conv-forms.ts';
import { lower } from '../../src/gradient/lower.ts';
import { windowAttributes } from '../../src/gradient/window.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import type { NdArray } from '../../src/records/array.ts';
import { type Sketch, sketchOf } from '../../src/sketch/sketch.ts';
import { relativeError } from '../onnx.ts';
import { closeEngine, float32, graphOf, runGraph } from './run.ts';

afterAll(closeEngine);

interface Shape extends forms.Shape {
  readonly name: string;
}

const shape = (
  name: string,
  [n, c, m, from, kernel, stride, dilation, before, after]: readonly number[],
): Shape => {
  const reach = (kernel! - 1) * dilation! + 1;
  const to = Math.floor((from! + before! + after! - reach) / stride!) + 1;
  // The second axis is longer by a stride, so that none can be taken for the other.
  return {
    name,
    n: n!,
    c: c!,
    m: m!,
    group: 1,
    from: [from!, from! + stride!],
    to: [to, to + 1],
    window: {
      kernel: [kernel!, kernel!],
      strides: [stride!, stride!],
      dilations: [dilation!, dilation!],
      before: [before!, before!],
      after: [after!, after!],
    },
  };
};

// Sizes on both sides of every threshold of the choice.
const shapes: readonly Shape[] = [
  shape('large', [2, 5, 6, 12, 3, 1, 1, 1, 1]),
  shape('larger than one product', [2, 5, 3, 22, 3, 1, 1, 1, 1]),
  shape('small', [4, 6, 5, 5, 3, 1, 1, 1, 1]),
  shape('tiny', [4, 6, 7, 2, 3, 1, 1, 1, 1]),
  shape('tiny, stride', [4, 6, 7, 5, 3, 2, 1, 1, 0]),
  shape('pointwise', [3, 8, 5, 9, 1, 1, 1, 0, 0]),
  shape('pointwise, few', [3, 8, 5, 4, 1, 1, 1, 0, 0]),
  shape('pointwise, many', [2, 8, 5, 21, 1, 1, 1, 0, 0]),
  shape('pointwise, stride', [2, 5, 8, 6, 1, 2, 1, 0, 0]),
  shape('dilated, asymmetric', [2, 5, 3, 14, 3, 1, 2, 3, 1]),
  shape('an image, stride, rows left over', [2, 3, 8, 17, 7, 2, 1, 3, 2]),
  shape('an image, last columns beyond', [2, 2, 3, 9, 3, 2, 1, 1, 1]),
  shape('one image', [1, 4, 5, 2, 3, 1, 1, 1, 1]),
];

const waves = (sizes: readonly number[], phase: number): NdArray => {
  const size = sizes.reduce((product, each) => product * each, 1);
  return float32(
    Array.from({ length: size }, (_, i) => Math.sin(1.3 * i + phase + 0.003 * i * i)),
    sizes,
  );
};

const feedsOf = ({ n, c, m, from, to, window }: Shape): Record<string, NdArray> => ({
  x: waves([n, c, ...from], 0.1),
  w: waves([m, c, ...window.kernel], 0.7),
  y: waves([n, m, ...to], 1.9),
});

const graphWith = (
  feeds: Record<string, NdArray>,
  build: (sketch: Sketch) => string,
): OnnxGraph => {
  const sketch = sketchOf(graphOf([], feeds));
  return sketch.finish({ out: build(sketch) });
};

const dot = (a: NdArray, b: NdArray): number =>
  (a.data as Float32Array).reduce((sum, each, i) => sum + each * (b.data as Float32Array)[i]!, 0);

/** What a form makes, and its largest difference from the plain form. */
const run = async (
  feeds: Record<string, NdArray>,
  build: (sketch: Sketch) => string,
): Promise<NdArray> => (await runGraph(lower(graphWith(feeds, build)), feeds)).out!;

const conv = (each: Shape) => (sketch: Sketch) =>
  sketch.apply('Conv', ['x', 'w'], windowAttributes(each.window, 1));
const adjoint =
  (op: 'ConvInput' | 'ConvWeight', inputs: readonly string[], of: 'x' | 'w', each: Shape) =>
  (sketch: Sketch) =>
    sketch.apply(`ventral.${op}`, inputs, {
      ...windowAttributes(each.window, 1),
      shape: { ints: sketch.fact(of).shape },
    });

describe.each(shapes)('$name', (each) => {
  const feeds = feedsOf(each);
  const isDense = each.window.strides.every((stride) => stride === 1);

  test('the chosen forms are adjoint to the convolution', async () => {
    const y = await run(feeds, conv(each));
    const dx = await run(feeds, adjoint('ConvInput', ['y', 'w'], 'x', each));
    const dw = await run(feeds, adjoint('ConvWeight', ['x', 'y'], 'w', each));
    const product = dot(y, feeds.y!);
    const scale = Math.sqrt(dot(y, y) * dot(feeds.y!, feeds.y!));
    expect(Math.abs(dot(dx, feeds.x!) - product) / scale).toBeLessThan(1e-6);
    expect(Math.abs(dot(dw, feeds.w!) - product) / scale).toBeLessThan(1e-6);
  });

  test('all forms make the same', async () => {
    const families: readonly (readonly ((sketch: Sketch) => string)[])[] = [
      [conv(each), (s) => forms.tinyConv(s, 'x', 'w', each)],
      [
        (s) => forms.transposedInput(s, 'y', 'w', each),
        (s) => forms.tinyInput(s, 'y', 'w', each),
        ...(forms.canTurn(each) ? [(s: Sketch) => forms.turnedInput(s, 'y', 'w', each)] : []),
        ...(forms.isPointwise(each)
          ? [(s: Sketch) => forms.pointwiseInput(s, 'y', 'w', each)]
          : []),
      ],
      [
        (s) => forms.batchedWeight(s, 'x', 'y', each),
        (s) => forms.joinedWeight(s, 'x', 'y', each),
        (s) => forms.tinyWeight(s, 'x', 'y', each),
        (s) => forms.dilatedWeight(s, 'x', 'y', each),
        ...(isDense ? [(s: Sketch) => forms.movedWeight(s, 'x', 'y', each)] : []),
      ],
    ];
    for (const [plain, ...others] of families) {
      const expected = await run(feeds, plain!);
      for (const other of others) {
        const found = await run(feeds, other);
        expect(found.shape).toEqual(expected.shape);
        expect(
          relativeError(found.data as Float32Array, expected.data as Float32Array),
        ).toBeLessThan(2e-6);
      }
    }
  });
});
