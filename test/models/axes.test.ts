import { expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import { readModel } from '../../src/graph/read.ts';
import { everyTensor, listLayers } from '../../src/models/layers.ts';
import { tapModel } from '../../src/models/taps.ts';
import { goldenModel, patterned, runOnnx } from '../onnx.ts';

// Networks of test/golden/make-axes.py.

const described = (name: string) =>
  listLayers(goldenModel(`axes/${name}.onnx`).structure).map(
    ({ name: layer, axes, shape, prefixTokens }) =>
      `${layer} ${axes} ${shape.join('×')}${prefixTokens > 0 ? ` after ${prefixTokens}` : ''}`,
  );

it("keeps the maps of Hiera's strided blocks of tokens", () => {
  expect(described('hiera')).toEqual([
    'p channel-row-column 8×8×8',
    'a row-column-channel 8×8×8',
    'Add row-column-channel 8×8×8',
    'q row-column-channel 8×8×12',
    'b token-channel 16×12',
    'Add_1 token-channel 16×12',
  ]);
});

it("keeps the maps behind LeViT's attention that subsamples", () => {
  expect(described('levit').slice(1)).toEqual([
    'proj token-channel 16×24',
    'm token-channel 16×24',
    'Add token-channel 16×24',
  ]);
});

it('puts the images first in an encoder that has its tokens first', () => {
  const layers = described('encoder');
  expect(layers).toHaveLength(9);
  expect(layers.slice(1, 4)).toEqual([
    'e.layers.0.self_attn token-channel 17×12 after 1',
    'e.layers.0.Add token-channel 17×12 after 1',
    'e.layers.0.linear1 token-channel 17×20 after 1',
  ]);
});

it('puts every place of a map where it is in the image', async () => {
  const { bytes, structure } = goldenModel('axes/hiera.onnx');
  const taps = listLayers(structure).map((layer) => ({
    layer,
    form: { kind: 'grid', rows: 4, columns: 4 } as const,
    output: layer.name,
  }));
  const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
  // Pixel (9, 21) lies in row 2 and column 5 of 8 patches, in row 1 and column 2 of 4 × 4 places.
  const plain = patterned([1, 3, 32, 32]);
  const changed = { ...plain, data: plain.data.slice() };
  changed.data[9 * 32 + 21]! += 3;
  const [before, after] = [
    await runOnnx(tapped, { x: plain }),
    await runOnnx(tapped, { x: changed }),
  ];
  for (const { output } of taps) {
    const [a, b] = [before[output]!, after[output]!];
    const channels = a.shape[2]!;
    const moved = Array.from({ length: 16 }, (_, place) => place).filter((place) =>
      a.data
        .subarray(place * channels, (place + 1) * channels)
        .some((value, channel) => value !== b.data[place * channels + channel]),
    );
    expect(moved, output).toEqual([6]);
  }
});

it('knows nothing of a pool over axes that its input does not have', () => {
  const structure = readModel(
    encodeModel({
      name: 'net',
      opset: 17,
      inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 4, 4] }],
      outputs: [{ name: 'y', type: 'float32', shape: null }],
      initialisers: [{ name: 'all', array: { data: BigInt64Array.of(-1n), shape: [1] } }],
      nodes: [
        { op: 'Reshape', inputs: ['x', 'all'], outputs: ['flat'] },
        { op: 'AveragePool', inputs: ['flat'], outputs: ['pool'] },
        { op: 'NonZero', inputs: ['x'], outputs: ['target'] },
        { op: 'Reshape', inputs: ['pool', 'target'], outputs: ['y'] },
      ],
    }),
    'net.onnx',
  );
  expect(everyTensor(structure).map(({ tensor }) => tensor)).toContain('y');
});
