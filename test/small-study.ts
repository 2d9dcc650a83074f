// A study small enough for a test: a three-layer network, 60 noise images, sites made by the caller.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writeRecording } from '../src/formats/recording-write.ts';
import { encodeModel } from '../src/graph/encode.ts';
import type { Initialiser, OnnxNode } from '../src/graph/graph.ts';
import { nodePorts } from '../src/node/index.ts';
import { createRandom } from '../src/numeric/random.ts';
import type { NdArray } from '../src/records/array.ts';
import type { Ports } from '../src/records/ports.ts';
import type { RecordingHeader } from '../src/records/recording.ts';

export const imageSide = 12;

/** A fresh folder, removed by the operating system's own habits. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'ventral-test-'));

const random = createRandom('small study');

const normal = (name: string, shape: readonly number[], scale: number): Initialiser => ({
  name,
  array: {
    data: Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => scale * random.normal(),
    ),
    shape,
  },
});

const convolutions: readonly (readonly [number, number])[] = [
  [4, 3],
  [6, 4],
  [8, 6],
];

// Biases keep most units above 0, so that features are well-conditioned.
const initialisers: readonly Initialiser[] = convolutions.flatMap(([outputs, inputs], index) => [
  normal(`w${index + 1}`, [outputs, inputs, 3, 3], 0.25),
  { name: `b${index + 1}`, array: { data: new Float32Array(outputs).fill(3), shape: [outputs] } },
]);

/** Three convolutions with rectification: layers `conv1` (400 features), `conv2` (384), `conv3` (32). */
export const smallNetwork = (batch: number | 'batch', scale = 1): Uint8Array => {
  const conv = (index: number, input: string, stride: number): OnnxNode[] => [
    {
      op: 'Conv',
      name: `/conv${index}/Conv`,
      inputs: [input, `w${index}`, `b${index}`],
      outputs: [`/conv${index}/Conv_output_0`],
      attributes: { strides: { ints: [stride, stride] }, kernel_shape: { ints: [3, 3] } },
    },
    {
      op: 'Relu',
      name: `/relu${index}/Relu`,
      inputs: [`/conv${index}/Conv_output_0`],
      outputs: [`/relu${index}/Relu_output_0`],
    },
  ];
  return encodeModel({
    name: 'small',
    opset: 13,
    inputs: [{ name: 'image', type: 'float32', shape: [batch, 3, imageSide, imageSide] }],
    outputs: [{ name: '/relu3/Relu_output_0', type: 'float32', shape: [batch, 8, 2, 2] }],
    initialisers: initialisers.map(({ name, array }) => ({
      name,
      array: { ...array, data: (array.data as Float32Array).map((value) => value * scale) },
    })),
    nodes: [
      ...conv(1, 'image', 1),
      ...conv(2, '/relu1/Relu_output_0', 1),
      ...conv(3, '/relu2/Relu_output_0', 3),
    ],
  });
};

export const writeModel = (folder: string, bytes: Uint8Array, name = 'small.onnx'): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

/** Noise images as PNG, and a recording of the given responses to them. */
export const writeStudy = async (
  folder: string,
  ports: Ports,
  responses: NdArray<Float64Array>,
  header: Partial<RecordingHeader> & Pick<RecordingHeader, 'dims'>,
  images: number,
  columns: (image: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<string> => {
  const sites = responses.shape[header.dims.indexOf('site')]!;
  const pixels = (index: number) => {
    const stream = createRandom(`image ${index}`);
    return {
      width: imageSide,
      height: imageSide,
      channels: 3 as const,
      data: Uint8Array.from({ length: imageSide * imageSide * 3 }, () => stream.int(256)),
    };
  };
  const path = join(folder, 'recording');
  await writeRecording(
    path,
    {
      header: {
        kind: 'recording',
        format: 2,
        name: 'small',
        species: 'none',
        sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'IT' })),
        timeBins: [{ start: 70, end: 170 }],
        grid: null,
        unit: 'none',
        licence: null,
        citation: null,
        notes: [],
        ...header,
      },
      responses,
      stimuli: Array.from({ length: images }, (_, i) => ({
        id: `i${String(i).padStart(3, '0')}`,
        file: `i${String(i).padStart(3, '0')}.png`,
        columns: columns(i),
      })),
      image: (_, index) => ports.images.encode(pixels(index)),
    },
    ports,
    { replace: true },
  );
  return path;
};

/** Ports with a cache of their own, closed after the file's tests. */
export const testPorts = async (overrides: Partial<Ports> = {}, threads = 1): Promise<Ports> => {
  const ports = await nodePorts({ threads, cache: temporaryFolder() });
  afterAll(() => ports.engine.close());
  return { ...ports, ...overrides };
};
