// A recording and a network for test/metamorphic.test.ts: what is recorded is decided by the numbers of image, trial and site
// alone, so that it can be written in any order.

import { join } from 'node:path';
import { writeRecording } from '../src/formats/recording-write.ts';
import { encodeModel } from '../src/graph/encode.ts';
import type { OnnxNode } from '../src/graph/graph.ts';
import { createNodeImages } from '../src/node/images.ts';
import { createRandom } from '../src/numeric/random.ts';
import type { Pixels, Ports } from '../src/records/ports.ts';
import type { Dimension, FixationGrid } from '../src/records/recording.ts';
import { imageSide, temporaryFolder } from './small-study.ts';

export const [images, sites, trials] = [48, 5, 4];
/** Fixations of a grid recording, on its first images. */
export const [gridImages, gridSide] = [6, 3];
/** Blocks of images that are held out together: as many folds as blocks, so that the order of stimuli draws none of them. */
export const blocks = 8;

/** Two convolutions and a dense layer, all with weights of their own and rectified. */
export const networkOf = ({
  batch = 'batch',
  names = ['stem', 'middle', 'dense'],
}: {
  readonly batch?: number | 'batch';
  readonly names?: readonly [string, string, string] | readonly string[];
}): Uint8Array => {
  const random = createRandom('metamorphic network');
  const weights = (name: string, shape: readonly number[]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const scale = 1 / Math.sqrt(length / shape[0]!);
    return {
      name,
      array: { data: Float32Array.from({ length }, () => 2 * scale * random.normal()), shape },
    };
  };
  const step = (name: string, op: string, inputs: string[], k: number): OnnxNode[] => [
    {
      op,
      name: `/${name}/${op}`,
      inputs,
      outputs: [`${name}.out`],
      attributes:
        op === 'Conv' ? { strides: { ints: [k, k] }, kernel_shape: { ints: [3, 3] } } : {},
    },
    { op: 'Relu', name: `/${name}/Relu`, inputs: [`${name}.out`], outputs: [`${name}.act`] },
  ];
  const [first, second, third] = names as readonly [string, string, string];
  return encodeModel({
    name: 'metamorphic',
    opset: 13,
    inputs: [{ name: 'x', type: 'float32', shape: [batch, 3, imageSide, imageSide] }],
    outputs: [{ name: `${third}.act`, type: 'float32', shape: [batch, 40] }],
    initialisers: [
      weights('w1', [9, 3, 3, 3]),
      weights('w2', [10, 9, 3, 3]),
      weights('w3', [90, 40]),
    ],
    nodes: [
      ...step(first, 'Conv', ['x', 'w1'], 1),
      ...step(second, 'Conv', [`${first}.act`, 'w2'], 3),
      {
        op: 'Flatten',
        inputs: [`${second}.act`],
        outputs: ['flat'],
        attributes: { axis: { int: 1 } },
      },
      ...step(third, 'MatMul', ['flat', 'w3'], 0),
    ],
  });
};

const remembered = <T>(make: (index: number) => T): ((index: number) => T) => {
  const made = new Map<number, T>();
  return (index) => {
    const found = made.get(index) ?? make(index);
    made.set(index, found);
    return found;
  };
};

/** Picture `index`: random squares of 3×3 pixels. */
export const picture = remembered((index): Pixels => {
  const random = createRandom(`metamorphic ${index}`);
  const cells = Array.from({ length: 16 * 3 }, () => random.int(256));
  const data = Uint8Array.from({ length: imageSide * imageSide * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % imageSide, Math.floor(i / 3 / imageSide)];
    return cells[(4 * Math.floor(y / 3) + Math.floor(x / 3)) * 3 + (i % 3)]!;
  });
  return { width: imageSide, height: imageSide, channels: 3, data };
});
const png = remembered((index) => createNodeImages().encode(picture(index)));

/** Response of a site to a fixation (or image) of a picture: colours of where it looks, and noise of each trial. */
const responseTo = (image: number, place: number, trial: number, site: number): number => {
  const { data } = picture(image);
  const weights = createRandom(`site ${site}`);
  let signal = 0;
  for (let k = 0; k < 2; k++) {
    // A fixation sees its own cell of the grid; of an image a site sees two cells.
    const at = place < 0 ? (2 * site + k) % 9 : place;
    const [row, column] = [4 * Math.floor(at / 3) + 1, 4 * (at % 3) + 1];
    const pixel = (row * imageSide + column) * 3;
    for (let channel = 0; channel < 3; channel++)
      signal += ((data[pixel + channel]! - 128) / 60) * (1 + weights.normal());
  }
  const noise = createRandom(`trial ${image} ${place} ${trial} ${site}`).normal();
  return 10 + 3 * site + signal + 2 * noise;
};

/** The recording, written otherwise. */
export interface Study {
  /** Which image, trial and site comes where. */
  readonly images?: readonly number[];
  readonly sites?: readonly number[];
  readonly trials?: readonly number[];
  readonly dims?: readonly Dimension[];
  readonly idOf?: (image: number) => string;
  /** Of a response of a site, by its number. */
  readonly unit?: (response: number, site: number) => number;
  /** A further site that responds 4 to everything, in every trial. */
  readonly dead?: boolean;
  readonly isGrid?: boolean;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const grid: FixationGrid = {
  rows: gridSide,
  columns: gridSide,
  extent: null,
  patchSize: null,
  pixelsPerDegree: null,
};

/** The recording in a folder of its own, as the study says. */
export const writeOtherwise = async (study: Study, ports: Ports): Promise<string> => {
  const { isGrid = false, dead = false, unit = (r: number) => r } = study;
  const order = {
    images: study.images ?? upTo(isGrid ? gridImages : images),
    sites: study.sites ?? upTo(sites),
    trials: study.trials ?? upTo(trials),
  };
  const between: Dimension[] = isGrid ? ['row', 'column'] : [];
  const dims: readonly Dimension[] = study.dims ?? ['stimulus', ...between, 'trial', 'site'];
  const sizes: Record<Dimension, number> = {
    time: 1,
    stimulus: order.images.length,
    row: gridSide,
    column: gridSide,
    trial: trials,
    site: order.sites.length + (dead ? 1 : 0),
  };
  const shape = dims.map((dim) => sizes[dim]);
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, index) => {
    const at = {} as Record<Dimension, number>;
    let rest = index;
    for (const [axis, dim] of [...dims.entries()].reverse()) {
      at[dim] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    const site = order.sites[at.site];
    if (site === undefined) return 4;
    const place = isGrid ? gridSide * at.row + at.column : -1;
    const [image, trial] = [order.images[at.stimulus]!, order.trials[at.trial]!];
    return unit(responseTo(image, place, trial, site), site);
  });
  const idOf = study.idOf ?? ((image: number) => `im${String(image).padStart(2, '0')}`);
  const path = join(temporaryFolder(), 'recording');
  await writeRecording(
    path,
    {
      header: {
        kind: 'recording',
        format: 2,
        name: 'metamorphic',
        species: 'none',
        dims: [...dims],
        sites: [...order.sites.map((site) => `s${site}`), ...(dead ? ['dead'] : [])].map((id) => ({
          id,
          area: 'IT',
        })),
        timeBins: [{ start: 70, end: 170 }],
        grid: isGrid ? grid : null,
        unit: 'none',
        licence: null,
        citation: null,
        notes: [],
      },
      responses: { data, shape },
      stimuli: order.images.map((image) => ({
        id: idOf(image),
        file: `${idOf(image)}.png`,
        columns: { block: `block ${image % blocks}` },
      })),
      image: (_, index) => png(order.images[index]!),
    },
    ports,
    { replace: true },
  );
  return path;
};
