import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { listLayers } from '../../src/models/layers.ts';
import { resamplingMatrix, tokenGrid } from '../../src/models/tap-grid.ts';
import { type TapForm, tapModel } from '../../src/models/taps.ts';
import type { Layer } from '../../src/records/model.ts';
import { goldenModel, patterned, relativeError, runOnnx } from '../onnx.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';

interface Packed {
  readonly shape: readonly number[];
  readonly float32: string;
}

interface Golden {
  readonly image: readonly number[];
  readonly layers: Readonly<Record<string, Packed>>;
  readonly grids: readonly (Packed & { layer: string; rows: number; columns: number })[];
}

const golden: Readonly<Record<'cnn' | 'vit', Golden>> = JSON.parse(
  readFileSync(new URL('../golden/activations/activations.json', import.meta.url), 'utf8'),
);

const unpack = ({ float32 }: Packed): Float32Array => {
  const bytes = Uint8Array.from(Buffer.from(float32, 'base64'));
  return new Float32Array(bytes.buffer);
};

const FLATTEN: TapForm = { kind: 'flatten' };
const POOL: TapForm = { kind: 'pool' };

const named = (layers: readonly Layer[], name: string): Layer => {
  const layer = layers.find((each) => each.name === name);
  if (layer === undefined) throw new Error(`${name} is not among the layers`);
  return layer;
};

describe('taps against PyTorch hooks', () => {
  it.each([
    ['cnn', 'cnn'],
    ['vit', 'vit'],
  ] as const)('%s: every layer, flattened, to 1e-5 of its largest value', async (file, name) => {
    const { bytes, structure } = goldenModel(`activations/${file}.onnx`);
    const { image, layers } = golden[name];
    const listed = listLayers(structure);
    const taps = Object.keys(layers).map((each) => ({
      layer: named(listed, each),
      form: FLATTEN,
      output: each,
    }));
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
    const outputs = await runOnnx(tapped, { image: patterned(image) }, {});
    for (const [each, expected] of Object.entries(layers)) {
      const size = expected.shape.slice(1).reduce((product, axis) => product * axis, 1);
      expect(outputs[each]!.shape, each).toEqual([image[0], size]);
      expect(named(listed, each).shape, each).toEqual(expected.shape.slice(1));
      expect(relativeError(outputs[each]!.data, unpack(expected)), each).toBeLessThan(1e-5);
    }
  });

  it.each([
    'cnn',
    'vit',
  ] as const)('%s: maps resampled to grids, bilinear and block means', async (name) => {
    const { bytes, structure } = goldenModel(`activations/${name}.onnx`);
    const { image, grids } = golden[name];
    const listed = listLayers(structure);
    const taps = grids.map(({ layer, rows, columns }, index) => ({
      layer: named(listed, layer),
      form: { kind: 'grid', rows, columns } as const,
      output: `grid${index}`,
    }));
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
    const outputs = await runOnnx(tapped, { image: patterned(image) });
    grids.forEach((expected, index) => {
      const got = outputs[`grid${index}`]!;
      expect(got.shape).toEqual(expected.shape);
      expect(relativeError(got.data, unpack(expected))).toBeLessThan(1e-5);
    });
  });

  it.each([
    'cnn',
    'vit',
  ] as const)('%s: means over space, without the class token', async (name) => {
    const { bytes, structure } = goldenModel(`activations/${name}.onnx`);
    const { image, layers } = golden[name];
    const listed = listLayers(structure);
    const taps = Object.keys(layers).map((each) => ({
      layer: named(listed, each),
      form: POOL,
      output: each,
    }));
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
    const outputs = await runOnnx(tapped, { image: patterned(image) });
    for (const { layer } of taps) {
      const { shape } = layers[layer.name]!;
      const values = unpack(layers[layer.name]!);
      const tokens = layer.axes === 'token-channel';
      const [images, channels, places] = tokens
        ? [shape[0]!, shape[2]!, shape[1]! - 1]
        : [shape[0]!, shape[1]!, shape.slice(2).reduce((product, axis) => product * axis, 1)];
      const means = Float64Array.from({ length: images * channels }, (_, at) => {
        const [n, c] = [Math.floor(at / channels), at % channels];
        let sum = 0;
        for (let place = 0; place < places; place++) {
          sum += tokens
            ? values[(n * (places + 1) + place + 1) * channels + c]!
            : values[(n * channels + c) * places + place]!;
        }
        return sum / places;
      });
      expect(outputs[layer.name]!.shape).toEqual([images, channels]);
      expect(relativeError(outputs[layer.name]!.data, means), layer.name).toBeLessThan(1e-5);
    }
  });

  it('takes a fixed batch of one for two where the graph allows it, in opset 9', async () => {
    const { bytes, structure } = goldenModel('activations/cnn_9.onnx');
    const listed = listLayers(structure).filter(({ axes }) => axes !== 'channel');
    const taps = listed.map((layer) => ({ layer, form: FLATTEN, output: layer.name }));
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'symbolic' });
    const { image, layers } = golden.cnn;
    const outputs = await runOnnx(tapped, { image: patterned(image) });
    for (const { name } of listed.filter((each) => layers[each.name] !== undefined)) {
      expect(outputs[name]!.shape[0], name).toBe(2);
      expect(relativeError(outputs[name]!.data, unpack(layers[name]!)), name).toBeLessThan(1e-5);
    }
  });

  it.each(['cnn', 'cnn_9'])('%s: slices a flattened layer by bounds that are fed', async (file) => {
    const { bytes, structure } = goldenModel(`activations/${file}.onnx`);
    const layer = named(listLayers(structure), 'stem.0');
    const taps = [{ layer, form: FLATTEN, output: 'slice' }];
    const tapped = tapModel(bytes, structure, taps, { sliced: true, batch: 'symbolic' });
    const all = unpack(golden.cnn.layers['stem.0']!);
    const width = all.length / 2;
    for (const [from, to] of [
      [0, 7],
      [500, width],
    ] as const) {
      const { slice } = await runOnnx(tapped, {
        image: patterned(golden.cnn.image),
        'ventral.from': { data: BigInt64Array.of(BigInt(from)), shape: [1] },
        'ventral.to': { data: BigInt64Array.of(BigInt(to)), shape: [1] },
      });
      const expected = [...all.subarray(from, to), ...all.subarray(width + from, width + to)];
      expect(slice!.shape).toEqual([2, to - from]);
      expect(relativeError(slice!.data, expected)).toBeLessThan(1e-5);
    }
  });
});

describe('tapModel in all opsets', () => {
  const shapes = { image: [2, 3, 8, 6], map: [2, 4, 8, 6] };
  const conv: OnnxNode = {
    op: 'Conv',
    inputs: ['x', 'w'],
    outputs: ['c'],
    name: 'conv',
  };
  const model = (opset: number, last: readonly OnnxNode[]): Uint8Array =>
    encodeModel({
      name: 'opsets',
      opset,
      inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 8, 6] }],
      outputs: [{ name: 'y', type: 'float32', shape: null }],
      initialisers: [
        { name: 'w', array: { ...patterned([4, 3, 1, 1]) } },
        { name: 'shape', array: { data: BigInt64Array.of(0n, 4n, -1n), shape: [3] } },
        { name: 'offset', array: { data: Float64Array.of(1e6), shape: [1] } },
      ],
      nodes: [conv, { op: 'Relu', inputs: ['c'], outputs: ['r'] }, ...last],
    });
  const layer = (tensor: string, axes: Layer['axes'], shape: number[]): Layer => ({
    name: tensor,
    tensor,
    operation: 'Conv',
    shape,
    rearranged: null,
    axes,
    prefixTokens: axes === 'token-channel' ? 3 : 0,
  });
  const last: readonly OnnxNode[] = [
    {
      op: 'Transpose',
      inputs: ['r'],
      outputs: ['nhwc'],
      attributes: { perm: { ints: [0, 2, 3, 1] } },
    },
    { op: 'Reshape', inputs: ['r', 'shape'], outputs: ['nct'] },
    {
      op: 'Transpose',
      inputs: ['nct'],
      outputs: ['tokens'],
      attributes: { perm: { ints: [0, 2, 1] } },
    },
    { op: 'Relu', inputs: ['tokens'], outputs: ['y'] },
  ];

  it.each([7, 8, 9, 10, 11, 12, 13, 15, 17, 18, 19, 20, 21])('opset %i', async (opset) => {
    const bytes = model(opset, last);
    const structure = readModel(bytes, 'opsets.onnx');
    const grid: TapForm = { kind: 'grid', rows: 3, columns: 9 };
    // 3 of the 48 tokens count as prefix, so that 45 are left: no square, but a mean.
    const taps = [
      { layer: layer('r', 'channel-row-column', [4, 8, 6]), form: grid, output: 'tap.a' },
      { layer: layer('nhwc', 'row-column-channel', [8, 6, 4]), form: grid, output: 'tap.b' },
      { layer: layer('r', 'channel-row-column', [4, 8, 6]), form: POOL, output: 'tap.c' },
      { layer: layer('nhwc', 'row-column-channel', [8, 6, 4]), form: POOL, output: 'tap.d' },
      { layer: layer('tokens', 'token-channel', [48, 4]), form: POOL, output: 'tap.e' },
    ];
    const x = patterned(shapes.image);
    const whole = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
    const outputs = await runOnnx(whole, { x });
    const [a, b, c, d, e] = [...'abcde'].map((each) => outputs[`tap.${each}`]!);
    expect(a!.shape).toEqual([2, 27, 4]);
    expect(relativeError(b!.data, a!.data)).toBeLessThan(1e-6);
    expect(relativeError(d!.data, c!.data)).toBeLessThan(1e-6);
    const flat = [{ layer: taps[0]!.layer, form: FLATTEN, output: 'flat' }];
    const tapped = tapModel(bytes, structure, flat, { sliced: false, batch: 'keep' });
    const { flat: values } = await runOnnx(tapped, { x });
    const plane = values!.data.subarray(0, 48);
    const tail = plane.subarray(3);
    expect(e!.data[0]).toBeCloseTo(tail.reduce((sum, value) => sum + value, 0) / 45, 6);
    expect(c!.data[0]).toBeCloseTo(plane.reduce((sum, value) => sum + value, 0) / 48, 6);
  });

  it('converts a half-precision layer to float32', async () => {
    const bytes = model(13, [
      { op: 'Cast', inputs: ['r'], outputs: ['half'], attributes: { to: { int: 10 } } },
      { op: 'Cast', inputs: ['half'], outputs: ['y'], attributes: { to: { int: 1 } } },
    ]);
    const structure = readModel(bytes, 'half.onnx');
    const taps = [
      { layer: layer('half', 'channel-row-column', [4, 8, 6]), form: FLATTEN, output: 'flat' },
    ];
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
    const { flat } = await runOnnx(tapped, { x: patterned(shapes.image) });
    expect(flat!.data).toBeInstanceOf(Float32Array);
    expect(Math.max(...flat!.data)).toBeGreaterThan(1);
  });

  it.each([
    7, 13, 17, 18, 21,
  ])('a layer in double precision stays in it: opset %i', async (opset) => {
    const bytes = model(opset, [
      { op: 'Cast', inputs: ['r'], outputs: ['double'], attributes: { to: { int: 11 } } },
      { op: 'Add', inputs: ['double', 'offset'], outputs: ['shifted'] },
      {
        op: 'Transpose',
        inputs: ['shifted'],
        outputs: ['nhwc'],
        attributes: { perm: { ints: [0, 2, 3, 1] } },
      },
      { op: 'Cast', inputs: ['nhwc'], outputs: ['y'], attributes: { to: { int: 1 } } },
    ]);
    const structure = readModel(bytes, 'double.onnx');
    const grid: TapForm = { kind: 'grid', rows: 3, columns: 9 };
    const space = 'channel-row-column';
    const taps = [FLATTEN, POOL, grid].flatMap((form, at) => [
      { layer: layer('r', space, [4, 8, 6]), form, output: `single.${at}` },
      { layer: layer('shifted', space, [4, 8, 6]), form, output: `double.${at}` },
      {
        layer: layer('nhwc', 'row-column-channel', [8, 6, 4]),
        form,
        output: `turned.${at}`,
      },
    ]);
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
    const outputs = await runOnnx(tapped, { x: patterned(shapes.image) });
    for (const at of [0, 1, 2]) {
      const single = outputs[`single.${at}`]!.data;
      for (const name of at === 0 ? ['double'] : ['double', 'turned']) {
        const { data } = outputs[`${name}.${at}`]!;
        expect(data).toBeInstanceOf(Float64Array);
        expect(
          relativeError(
            Array.from(data, (value) => value - 1e6),
            single,
          ),
        ).toBeLessThan(1e-6);
      }
    }
  });

  it('refuses a grid where there is no space, naming the layer', () => {
    const bytes = model(13, last);
    const structure = readModel(bytes, 'opsets.onnx');
    const grid: TapForm = { kind: 'grid', rows: 3, columns: 3 };
    const tap = (each: Layer, form: TapForm) => () =>
      tapModel(bytes, structure, [{ layer: each, form, output: 'o' }], {
        sliced: false,
        batch: 'keep',
      });
    expect(tap(layer('r', 'channel', [20]), grid)).toThrow(/layer r: expected .*rows and columns/);
    expect(tap(layer('r', 'channel', [4, 48]), POOL)).toThrow(/layer r: .*without space/);
    expect(tap(layer('tokens', 'token-channel', [48, 4]), grid)).toThrow(
      /45 tokens that fill no grid/,
    );
    // Behind an operation that nobody knows only a run tells how many axes there are.
    expect(tap(layer('lost', 'channel-row-column', []), grid)).toThrow(
      /layer lost: .*a size that only a run can tell/,
    );
    expect(tap(layer('wide', 'channel-row-column', [4, 2, 2 ** 50]), grid)).toThrow(
      /layer wide: .*a map of 2×1125899906842624/,
    );
  });
});

describe('resampling matrices', () => {
  it('interpolate with half-pixel centres as TensorFlow does', () => {
    // tf.image.resize([0, 1, 2], 6, 'bilinear'): 0, 0.25, 0.75, 1.25, 1.75, 2
    const { data } = resamplingMatrix(3, 6);
    const columns = Array.from({ length: 6 }, (_, i) => data[6 + i]! + 2 * data[12 + i]!);
    expect(columns).toEqual([0, 0.25, 0.75, 1.25, 1.75, 2]);
  });

  it('average equal index ranges where the axis shrinks', () => {
    // 7 → 3: ranges [0,2), [2,4), [4,7)
    const { data } = resamplingMatrix(7, 3);
    const rows = Array.from({ length: 7 }, (_, j) => [...data.subarray(3 * j, 3 * j + 3)]);
    const third = Math.fround(1 / 3);
    expect(rows.map((row) => row.findIndex((value) => value > 0))).toEqual([0, 0, 1, 1, 2, 2, 2]);
    expect(rows.map((row) => Math.max(...row))).toEqual([0.5, 0.5, 0.5, 0.5, third, third, third]);
  });

  it('give token grids the proportions of the image', () => {
    expect(tokenGrid(140, { height: 224, width: 160 })).toEqual({ rows: 14, columns: 10 });
    expect(tokenGrid(196, null)).toEqual({ rows: 14, columns: 14 });
    expect(tokenGrid(45, null)).toBeNull();
  });
});

const mobileNets = [
  ['mobilenet_v1_0.25_128.onnx', 128],
  ['mobilenet_v1_0.5_160.onnx', 160],
  ['mobilenet_v1_0.75_192.onnx', 192],
  ['mobilenet_v2_1.0_224.onnx', 224],
] as const;

describe('the real MobileNets', () => {
  it.for(mobileNets)('%s: taps of all layers run in batches of two', async ([file, size], {
    skip,
  }) => {
    const path = sharedPath('data', 'models', file);
    if (path === null) return skip(sharedSkipReason);
    const bytes = readFileSync(path);
    const structure = readModel(bytes, file);
    const layers = listLayers(structure);
    const taps = layers.map((layer, index) => ({ layer, form: POOL, output: `tap${index}` }));
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'symbolic' });
    const outputs = await runOnnx(tapped, {
      [structure.inputs[0]!.name]: patterned([2, 3, size, size]),
    });
    layers.forEach(({ shape, name }, index) => {
      const { data, shape: got } = outputs[`tap${index}`]!;
      expect(got, name).toEqual([2, shape[0]]);
      expect(data.some((value) => value !== 0) && data.every(Number.isFinite), name).toBe(true);
    });
  });
});
