import { beforeAll, describe, expect, it } from 'vitest';
import type { Presentation } from '../../src/models/open-network.ts';
import { openPixels } from '../../src/models/pixels.ts';
import { presetNamed } from '../../src/models/presets.ts';
import type { Pixels, Ports } from '../../src/records/ports.ts';
import type { Sampling } from '../../src/records/protocol.ts';
import type { FixationGrid } from '../../src/records/recording.ts';
import { testPorts } from '../small-study.ts';

const side = 8;
const images = 3;
const value = (image: number, row: number, column: number, channel: number): number =>
  (image * 31 + row * 17 + column * 7 + channel * 53) % 256;

const pixelsOf = async (image: number): Promise<Pixels> => ({
  width: side,
  height: side,
  channels: 3,
  data: Uint8Array.from({ length: side * side * 3 }, (_, i) =>
    value(image, Math.floor(i / 3 / side), Math.floor(i / 3) % side, i % 3),
  ),
});

const grid: FixationGrid = {
  rows: 4,
  columns: 4,
  extent: null,
  patchSize: null,
  pixelsPerDegree: null,
};

let ports: Ports;
beforeAll(async () => {
  ports = await testPorts();
});

/** Rows of features, `[rows][features]`, and the number of slices they came in. */
const featuresOf = async (sampling: Sampling, budget = 1e9) => {
  const presentation: Presentation = {
    ...{ sampling, images, pixelsOf, budget, stimuli: '' },
    grid: sampling.kind === 'image' ? null : grid,
  };
  const { features } = await openPixels(presentation, presetNamed('raw')!, ports);
  const [pass] = features.passes;
  const [source] = await features.gather(pass!, () => true, {
    progress: () => undefined,
    checkStop: () => undefined,
  });
  const rows = Array.from({ length: source!.rows }, (): number[] => []);
  for await (const { data, shape } of source!.blocks())
    for (let row = 0; row < shape[0]!; row++)
      rows[row]!.push(...data.subarray(row * shape[1]!, (row + 1) * shape[1]!));
  return { layer: features.layers[0]!, slices: pass!.slices, rows };
};

const all = (image: number, from: readonly [number, number], size: number): number[] =>
  [0, 1, 2].flatMap((channel) =>
    Array.from({ length: size * size }, (_, i) =>
      value(image, from[0] + Math.floor(i / size), from[1] + (i % size), channel),
    ),
  );

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / values.length;

describe('pixels in place of a layer', () => {
  it('are the whole input flattened, whole or in slices', async () => {
    const expected = Array.from({ length: images }, (_, image) => all(image, [0, 0], side));
    const whole = await featuresOf({ kind: 'image', features: 'flatten' });
    expect(whole.layer).toMatchObject({ name: 'pixels', features: 192 });
    expect(whole.rows).toEqual(expected);
    const sliced = await featuresOf({ kind: 'image', features: 'flatten' }, 1000);
    expect(sliced.slices).toBe(3);
    expect(sliced.rows).toEqual(expected);
  });

  it('are the mean colour where layers are pooled', async () => {
    const { rows } = await featuresOf({ kind: 'image', features: 'pool' });
    rows.forEach((row, image) => {
      const values = all(image, [0, 0], side);
      expect(row).toHaveLength(3);
      row.forEach((each, channel) => {
        expect(each).toBeCloseTo(meanOf(values.slice(channel * 64, (channel + 1) * 64)), 3);
      });
    });
  });

  it('are the colour around each fixation where maps are resampled', async () => {
    const { rows } = await featuresOf({
      kind: 'feature-map',
      normalise: 'none',
      averageChannelsAbove: null,
    });
    expect(rows).toHaveLength(images * 16);
    rows.forEach((row, index) => {
      const [image, position] = [Math.floor(index / 16), index % 16];
      const values = all(image, [2 * Math.floor(position / 4), 2 * (position % 4)], 2);
      row.forEach((each, channel) => {
        expect(each).toBeCloseTo(meanOf(values.slice(channel * 4, (channel + 1) * 4)), 3);
      });
    });
  });

  it('are the patch at each fixation where patches are shown', async () => {
    const { rows } = await featuresOf({ kind: 'patches' });
    rows.forEach((row, index) => {
      const [image, position] = [Math.floor(index / 16), index % 16];
      expect(row).toEqual(all(image, [2 * Math.floor(position / 4), 2 * (position % 4)], 2));
    });
  });
});
