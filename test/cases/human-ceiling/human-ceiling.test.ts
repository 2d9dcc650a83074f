// People: one half against the other is not the ceiling of a comparison with all of them. The network's logit is
// sum(mask · x), so that its saliency is the mask, the true map; each person's map is the mask and smooth noise of the
// person's own. Nobody can be better than the truth: the root of the reliability of everybody's map is the ceiling.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { npyParts } from '../../../src/formats/npy.ts';
import { encodeModel } from '../../../src/graph/encode.ts';
import { createNodeImages } from '../../../src/node/images.ts';
import { createRandom } from '../../../src/numeric/random.ts';
import { mean, standardDeviation } from '../../../src/numeric/statistics.ts';
import type { Alignment } from '../../../src/records/alignment.ts';
import { cliDone, openCase, preprocess } from '../run-case.ts';

const { work } = openCase();
const random = createRandom('human ceiling');
const [side, knots] = [32, 7];

/** Random values at 7 × 7 knots, bilinear between them, mean 0 and standard deviation 1: `[32, 32]`. */
const smooth = (): Float64Array => {
  const coarse = Float64Array.from({ length: knots * knots }, random.normal);
  const at = (i: number) => {
    const position = (i * (knots - 1)) / (side - 1);
    const low = Math.min(Math.floor(position), knots - 2);
    return { low, part: position - low };
  };
  const values = Float64Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [at(Math.floor(i / side)), at(i % side)];
    const row = (v: number): number =>
      coarse[v * knots + x.low]! * (1 - x.part) + coarse[v * knots + x.low + 1]! * x.part;
    return row(y.low) * (1 - y.part) + row(y.low + 1) * y.part;
  });
  const [centre, spread] = [mean(values), standardDeviation(values)];
  return values.map((value) => (value - centre) / spread);
};

const shifted = smooth();
const lowest = Math.min(...shifted);
const mask = shifted.map((value) => value - lowest + 0.1);

const writeNetwork = (): string => {
  const weights = new Float32Array(3 * side * side * 2);
  for (let i = 0; i < 3 * side * side; i++) weights[2 * i] = mask[i % (side * side)]! / 3;
  const path = join(work, 'net.onnx');
  const bytes = encodeModel({
    name: 'masked',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32', shape: ['batch', 3, side, side] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['batch', 2] }],
    initialisers: [
      { name: 'w', array: { data: weights, shape: [3 * side * side, 2] } },
      { name: 'b', array: { data: Float32Array.of(1e4, 0), shape: [2] } },
    ],
    nodes: [
      { op: 'Flatten', inputs: ['x'], outputs: ['flat'], attributes: { axis: { int: 1 } } },
      { op: 'MatMul', inputs: ['flat', 'w'], outputs: ['z'] },
      { op: 'Add', inputs: ['z', 'b'], outputs: ['y'] },
    ],
  });
  writeFileSync(path, bytes);
  return path;
};

/** A folder of twelve pictures, each with the maps of as many people as `peopleOf` says. */
const writeMaps = async (name: string, peopleOf: (image: number) => number): Promise<string> => {
  const folder = join(work, name);
  for (const part of ['images', 'maps']) mkdirSync(join(folder, part), { recursive: true });
  for (let image = 0; image < 12; image++) {
    const colours = [smooth(), smooth(), smooth()];
    const data = Uint8Array.from({ length: side * side * 3 }, (_, i) => {
      const level = 128 + 40 * colours[i % 3]![Math.floor(i / 3)]!;
      return Math.min(255, Math.max(0, level));
    });
    const png = await createNodeImages().encode({ width: side, height: side, channels: 3, data });
    const id = `p${String(image).padStart(2, '0')}`;
    writeFileSync(join(folder, 'images', `${id}.png`), png);
    const people = Array.from({ length: peopleOf(image) }, smooth);
    const maps = Float32Array.from(
      people.flatMap((noise) => Array.from(mask, (value, i) => value + 1.2 * noise[i]! + 5)),
    );
    const parts = npyParts({ data: maps, shape: [people.length, side, side] });
    writeFileSync(join(folder, 'maps', `${id}.npy`), Buffer.concat(parts));
  }
  return folder;
};

const network = writeNetwork();
const align = async (name: string, peopleOf: (image: number) => number, ...rest: string[]) => {
  const maps = await writeMaps(name, peopleOf);
  const out = join(work, `${name}.json`);
  const { stdout } = await cliDone(
    ...['align', network, '--maps', maps, '--preprocess', preprocess, '--out', out, '--quiet'],
    ...rest,
  );
  return { stdout, found: JSON.parse(readFileSync(out, 'utf8')) as Alignment };
};

// 12 images of some 36 independent places: the score of the truth scatters by .03 from one set of noise to another.
it.each([2, 3, 6])('the truth scores about 1 against %i people', async (people) => {
  const { found } = await align(`people-${people}`, () => people);
  const { spearman, dice, iou } = found.metrics;
  // The mean of 1/n_a and 1/n_b is 3/4 of three people.
  const lambda = people === 3 ? 4 / 9 : 1 / 2;
  const expected = Math.sqrt(1 / (1 + (1 / spearman.halves! - 1) * lambda));
  expect(found.ceiling).toBeCloseTo(expected, 12);
  expect(found.value).toBeCloseTo(spearman.raw / expected, 12);
  expect(found.value).toBeGreaterThan(0.93);
  expect(found.value).toBeLessThan(1.05);
  // Truth against the mean of k people, of noise 1.2² and signal 1: √(1 / (1 + 1.44 / k)), for Spearman a little less.
  expect(Math.abs(found.ceiling! - Math.sqrt(1 / (1 + 1.44 / people)))).toBeLessThan(0.04);
  expect(spearman.halves).toBeLessThan(found.ceiling! - 0.15);
  for (const overlap of [dice, iou]) {
    expect(overlap).toMatchObject({ ceiling: null, value: null, interval: null });
    expect(overlap.halves).toBeLessThan(overlap.raw);
  }
});

it('and against people who differ in number from image to image, nobody left out', async () => {
  const { found, stdout } = await align('unequal', (image) => [1, 2, 5, 8][image % 4]!);
  expect(found.images.map(({ split }) => split!.people).slice(0, 4)).toEqual([1, 2, 5, 8]);
  expect(found.value).toBeGreaterThan(0.93);
  expect(found.value).toBeLessThan(1.05);
  expect(stdout).toContain('what the true map would reach with 1 to 8 people');
});

it('a ceiling that is given stays as given', async () => {
  const { found } = await align('given', () => 4, '--ceiling', '0.65753');
  expect(found.value).toBeCloseTo(found.raw / 0.65753, 12);
  expect(found.metrics.spearman).toMatchObject({ halves: null, ceiling: 0.65753 });
});
