// A whole small study on disk: a network, a recording with repeated trials, and ways to damage copies of it.

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll } from 'vitest';
import { npyParts, readNpy } from '../../src/formats/npy.ts';
import { writeRecording } from '../../src/formats/recording-write.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { Float64Nd, NdArray } from '../../src/records/array.ts';
import type { Pixels } from '../../src/records/ports.ts';
import type { Protocol } from '../../src/records/protocol.ts';
import type { RecordingHeader } from '../../src/records/recording.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { imageSide, smallNetwork, temporaryFolder, writeModel } from '../small-study.ts';

export const images = 60;
export const sites = 4;
export const trials = 3;

export interface Study {
  readonly folder: string;
  /** `conv1` (400 features), `conv2` (384), `conv3` (32). */
  readonly model: string;
  readonly recording: string;
}

const factors = 6;

/** What varies over the images, `[image][factor]`; the sites are linear functions of it. */
const loadings = ((): number[][] => {
  const random = createRandom('loadings');
  return Array.from({ length: images }, () => Array.from({ length: factors }, random.normal));
})();

/** Six waves across the image in the strengths of its factors, and noise. */
const picture = (image: number): Pixels => {
  const random = createRandom(`picture ${image}`);
  const data = Uint8Array.from({ length: imageSide * imageSide * 3 }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % imageSide, Math.floor(i / 3 / imageSide), i % 3];
    const waves = loadings[image]!.map(
      (alpha, k) => alpha * Math.sin((x * (k + 1) + y * (factors - k)) / 4 + channel),
    );
    const value = 128 + 20 * waves.reduce((sum, each) => sum + each, 0) + 8 * random.normal();
    return Math.max(0, Math.min(255, Math.round(value)));
  });
  return { width: imageSide, height: imageSide, channels: 3, data };
};

/** Sites that weigh the factors, with noise in every trial: `[stimulus, trial, site]`. */
export const responsesToPictures = (): Float64Nd => {
  const random = createRandom('trials');
  const weights = Array.from({ length: sites * factors }, random.normal);
  const data = Float64Array.from({ length: images * trials * sites }, (_, i) => {
    const [image, site] = [Math.floor(i / (trials * sites)), i % sites];
    const drive = loadings[image]!.reduce(
      (sum, each, k) => sum + each * weights[site * factors + k]!,
      0,
    );
    return drive + 0.5 * random.normal();
  });
  return { data, shape: [images, trials, sites] };
};

const header: RecordingHeader = {
  kind: 'recording',
  format: 2,
  name: 'pictures',
  species: 'none',
  dims: ['stimulus', 'trial', 'site'],
  sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
  timeBins: [{ start: 70, end: 170 }],
  grid: null,
  unit: 'none',
  licence: null,
  citation: null,
  notes: ['simulated'],
};

const idOf = (image: number): string => `i${String(image).padStart(3, '0')}`;

/** Writes a recording of the pictures below `folder`. */
export const writePictures = async (
  folder: string,
  name: string,
  responses: NdArray<Float64Array> = responsesToPictures(),
  change: Partial<RecordingHeader> = {},
): Promise<string> => {
  const path = join(folder, name);
  const codec = createNodeImages();
  await writeRecording(
    path,
    {
      header: { ...header, ...change },
      responses,
      stimuli: Array.from({ length: images }, (_, i) => ({
        id: idOf(i),
        file: `${idOf(i)}.png`,
        columns: {},
      })),
      image: (_, index) => codec.encode(picture(index)),
    },
    { files: createNodeFiles() },
  );
  return path;
};

/** Makes the study before the tests of a file, with a cache of its own. */
export const useStudy = (): (() => Study) => {
  let study: Study | null = null;
  beforeAll(async () => {
    process.env.VENTRAL_CACHE = temporaryFolder();
    const folder = temporaryFolder();
    study = {
      folder,
      model: writeModel(folder, smallNetwork('batch')),
      recording: await writePictures(folder, 'recording'),
    };
  });
  return () => study!;
};

/** A copy of the recording under another name, for a test to change. */
export const copyRecording = ({ folder, recording }: Study, name: string): string => {
  const path = join(folder, name);
  cpSync(recording, path, { recursive: true });
  return path;
};

export const changeHeader = (
  recording: string,
  change: Partial<RecordingHeader> | object,
): void => {
  const path = join(recording, 'recording.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
};

export const npy = (array: NdArray): Buffer => Buffer.concat(npyParts(array));

/** An npy file with a header of the caller's. */
export const npyOf = (header: string, body: Uint8Array = new Uint8Array()): Buffer => {
  const text = Buffer.from(`${header}\n`);
  const lead = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0]);
  return Buffer.concat([lead, text, body]);
};

export const changeResponses = (
  recording: string,
  change: (responses: Float64Nd) => NdArray,
): void => {
  const path = join(recording, 'responses.npy');
  writeFileSync(path, npy(change(readNpy(readFileSync(path), path) as Float64Nd)));
};

export const changeText = (path: string, change: (text: string) => string): void =>
  writeFileSync(path, change(readFileSync(path, 'utf8')));

/** Cuts a file off after a share of its bytes. */
export const truncate = (path: string, share = 0.5): void => {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
};

/** A protocol file: `image-cv` with a few components, and what the caller changes. */
export const writeProtocol = (
  { folder }: Study,
  name: string,
  change: Partial<Protocol> | object = {},
): string => {
  const base = protocolNamed('image-cv', 'image')!;
  const path = join(folder, name);
  const protocol = {
    ...base,
    name: 'small',
    regression: { ...base.regression, components: 5 },
    interval: { level: 0.95, replicates: 50 },
    ...change,
  };
  writeFileSync(path, JSON.stringify(protocol));
  return path;
};
