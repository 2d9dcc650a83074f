// Recordings and features of cases whose values depend on random numbers: made anew by each test, the same by their seed.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npzParts } from '../../src/formats/npz.ts';
import { createNodePorts } from '../../src/node/index.ts';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import type { Float64Nd } from '../../src/records/array.ts';
import type { RecordingHeader } from '../../src/records/recording.ts';
import { writeStudy } from '../small-study.ts';

export interface Signal {
  /** `[images, width]` normal features. */
  readonly features: Float64Nd;
  /** `[images, sites]`: linear in the features, of variance 1. */
  readonly signal: Float64Nd;
}

/** Normal features, and sites that are driven by them alone. */
export const linearSites = (
  random: Random,
  {
    images,
    sites,
    width,
  }: { readonly images: number; readonly sites: number; readonly width: number },
): Signal => {
  const normals = (count: number) => Float64Array.from({ length: count }, random.normal);
  const x = normals(images * width);
  const w = normals(width * sites);
  const y = new Float64Array(images * sites);
  for (let i = 0; i < images; i++)
    for (let k = 0; k < width; k++)
      for (let s = 0; s < sites; s++) y[i * sites + s]! += x[i * width + k]! * w[k * sites + s]!;
  for (let s = 0; s < sites; s++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < images; i++) {
      sum += y[i * sites + s]!;
      squares += y[i * sites + s]! ** 2;
    }
    const spread = Math.sqrt(squares / images - (sum / images) ** 2);
    for (let i = 0; i < images; i++) y[i * sites + s] = (y[i * sites + s]! - sum / images) / spread;
  }
  return {
    features: { data: x, shape: [images, width] },
    signal: { data: y, shape: [images, sites] },
  };
};

/** Writes a recording of as many tiny pictures as `responses` has stimuli; returns its folder. */
export const writeMade = async (
  folder: string,
  responses: Float64Nd,
  header: Partial<RecordingHeader> & Pick<RecordingHeader, 'dims'>,
): Promise<string> => {
  const ports = await createNodePorts({ threads: 1 });
  const images = responses.shape[header.dims.indexOf('stimulus')]!;
  const path = await writeStudy(folder, ports, responses, header, images);
  await ports.engine.close();
  return path;
};

/** Writes layers as an npz archive for `--activations`; returns its path. */
export const writeFeatures = (
  folder: string,
  layers: Readonly<Record<string, Float64Nd>>,
): string => {
  const path = join(folder, 'features.npz');
  writeFileSync(path, Buffer.concat(npzParts(layers)));
  return path;
};

/** An array filled by place: `value(...indices)`. */
export const filled = (
  shape: readonly number[],
  value: (...indices: number[]) => number,
): Float64Nd => {
  const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
  const indices = shape.map(() => 0);
  for (let at = 0; at < data.length; at++) {
    data[at] = value(...indices);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      indices[axis]! += 1;
      if (indices[axis]! < shape[axis]!) break;
      indices[axis] = 0;
    }
  }
  return { data, shape };
};

export { createRandom };
