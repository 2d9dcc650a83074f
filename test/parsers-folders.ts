import { posix } from 'node:path';
import { unzipSync } from 'fflate';
import { resolveAlignmentProtocol } from '../src/alignment/protocols.ts';
import { openHumanMaps } from '../src/data/human-maps.ts';
import { importNpy } from '../src/data/import.ts';
import { inspectRecording } from '../src/data/inspect.ts';
import { npyParts } from '../src/formats/npy.ts';
import { npzParts } from '../src/formats/npz.ts';
import { readRecording } from '../src/formats/recording.ts';
import { openActivations } from '../src/models/activation-file.ts';
import { resolvePreprocessing } from '../src/models/preprocess.ts';
import { inputError, VentralError } from '../src/records/errors.ts';
import type { Recording } from '../src/records/recording.ts';
import { checkProtocol } from '../src/scoring/check-protocol.ts';
import { protocols, resolveProtocol } from '../src/scoring/protocols.ts';
import { changedFiles, changedZip, zipOf } from './changed-archives.ts';
import { renamedText } from './changed-names.ts';
import { createMemoryFiles, createMemoryHash } from './memory-files.ts';
import { patterned } from './onnx.ts';
import type { Parser } from './parser.ts';

// Folders go through the same changes as archives: their files are those of a zip archive, which is unpacked before.

const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const packed = (contents: Readonly<Record<string, Uint8Array | string>>): Uint8Array =>
  zipOf(
    Object.entries(contents).map(([name, content]) => ({
      names: [bytesOf(name), bytesOf(name)],
      content: typeof content === 'string' ? bytesOf(content) : content,
      isPacked: false,
    })),
  );

const pixels = { width: 2, height: 2, channels: 3, data: new Uint8Array(12).fill(90) } as const;

/** The files of a zip archive, and the archive itself, on ports that decode no images. */
const portsOf = (bytes: Uint8Array) => {
  const contents: [string, Uint8Array][] = [];
  // What a file system would not take is no file of a folder.
  for (const [name, content] of Object.entries(unzipSync(bytes))) {
    const path = posix.normalize(`in/${name}`);
    const isPlain = path.startsWith('in/') && !path.endsWith('/') && !path.includes('\0');
    if (isPlain) contents.push([path, content]);
  }
  const isFree = ([name]: [string, Uint8Array]): boolean =>
    !contents.some(([other]) => other !== name && other.startsWith(`${name}/`));
  const files = createMemoryFiles(
    Object.fromEntries([['in.zip', bytes] as const, ...contents.filter(isFree)]),
  );
  return {
    files,
    images: { version: '', decode: async () => pixels, encode: async () => new Uint8Array() },
    hash: createMemoryHash(files),
    hdf5: {
      open: async () => {
        throw new Error('no HDF5');
      },
    },
    progress: () => undefined,
    checkStop: () => undefined,
    now: () => 0,
  };
};

const header = {
  ...{ kind: 'recording', format: 2, name: 'rec', species: 'simulated' },
  ...{ dims: ['stimulus', 'trial', 'site'], timeBins: [{ start: 70, end: 170 }], grid: null },
  sites: [
    { id: 's0', area: 'IT', animal: 'm' },
    { id: 's1', area: 'V4', reliability: 0.5 },
  ],
  ...{ unit: 'a.u.', licence: null, citation: null, notes: ['made up'] },
};

const stimuli =
  'stimulus_id,file,alike,category\na,x/a.png,a,cat\nb,b.png,a,dog\n"c, 3",c.png,c,""\n';

const recording = {
  'recording.json': JSON.stringify(header),
  'stimuli.csv': stimuli,
  'responses.npy': joined(npyParts(patterned([3, 2, 2]))),
  ...{ 'stimuli/x/a.png': 'A', 'stimuli/b.png': 'B', 'stimuli/c.png': 'C' },
};

const folders: readonly string[] = ['in', 'in.zip'];

const readMaps = async (bytes: Uint8Array, maps: string, images: string | null): Promise<void> => {
  const ports = portsOf(bytes);
  const request = { maps, images, root: 'cache', fixationSigma: 1 };
  for await (const _ of (await openHumanMaps(request, ports)).read());
};

/** A file that is missing, or a folder in its place, is refused where files are read: not for what is in it. */
const refusedByFiles = (thrown: unknown): boolean =>
  thrown instanceof VentralError && thrown.kind === 'storage';

const refusingMissing =
  (parse: Parser['parse']): Parser['parse'] =>
  async (bytes) => {
    try {
      await parse(bytes);
    } catch (thrown) {
      if (!refusedByFiles(thrown)) throw thrown;
      const [where, expected, got] = ['a folder', 'its files', 'others'];
      throw inputError({ where, expected, got, mend: 'give all of them' }, thrown);
    }
  };

/** Tries all; throws the first refusal where all are refused. */
const each = async <T>(ways: readonly T[], read: (way: T) => Promise<unknown>): Promise<void> => {
  const refusals: unknown[] = [];
  for (const way of ways) {
    try {
      await read(way);
    } catch (thrown) {
      refusals.push(thrown);
    }
  }
  const defect = refusals.find(
    (thrown) =>
      !(thrown instanceof VentralError && (thrown.kind === 'input' || refusedByFiles(thrown))),
  );
  if (defect !== undefined) throw defect;
  if (refusals.length === ways.length) throw refusals[0];
};

const processors: readonly string[] = [
  '{"do_resize":true,"resample":2,"do_rescale":true,"rescale_factor":0.0039,"do_normalize":true,"image_mean":[0.4,0.4,0.4],"image_std":[0.2,0.2,0.2],"image_processor_type":"EfficientNetImageProcessor","size":{"height":32,"width":32},"crop_size":null,"rescale_offset":false,"include_top":true}',
  '{"do_resize":true,"size":{"shortest_edge":28},"do_center_crop":true,"crop_size":28,"image_processor_type":"CLIPImageProcessor"}',
  '{"architecture":"x","pretrained_cfg":{"input_size":[3,32,32],"interpolation":"bicubic","mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5],"crop_pct":0.875,"crop_mode":"center"}}',
  '{"name":"own","resize":{"kind":"shorter-side","size":36},"crop":{"height":32,"width":32,"rounding":"floor"},"interpolation":"bilinear","library":"pil","scale":0.0039,"mean":[0,0,0],"std":[1,1,1],"channels":"RGB"}',
];

const plainRecording = async (): Promise<Recording> =>
  readRecording('in', portsOf(packed(recording)));

/** Parsers of what a user writes or keeps in folders: recordings, activations, maps, preprocessing, protocols. */
export const folderParsers: Readonly<Record<string, Parser>> = {
  recording: {
    seeds: () => [packed(recording)],
    parse: async (bytes) => inspectRecording(await readRecording('in', portsOf(bytes))),
    seconds: 5,
    changes: { bytes: changedFiles, names: changedZip },
  },
  'import-npy': {
    seeds: () => [
      packed({
        'a.npy': joined(npyParts(patterned([3, 2, 2]))),
        'order.txt': 'im1.png\nim2\nim10.png\n',
        'more.csv': 'stimulus_id,category\nim1,cat\nim2,dog\nim10,owl\n',
        ...{ 'set/im1.png': 'A', 'set/im2.png': 'B', 'set/im10.png': 'C' },
      }),
    ],
    parse: refusingMissing((bytes) =>
      each(['number', 'in/order.txt'], (order) =>
        importNpy(
          {
            ...{ responses: 'in/a.npy', dims: ['stimulus', 'trial', 'site'], stimuli: 'in/set' },
            ...{ order, area: 'IT', species: 'macaque', window: { start: 70, end: 170 } },
            ...{ time: null, columns: 'in/more.csv', out: 'out' },
          },
          portsOf(bytes),
        ),
      ),
    ),
    seconds: 5,
    changes: { bytes: changedFiles, names: changedZip },
  },
  activations: {
    seeds: () => [
      joined(
        npzParts({
          stimulus_id: { strings: ['a', 'b', 'c, 3'], shape: [3] },
          'layer1.0': patterned([3, 4]),
          fc: patterned([3, 2, 2, 3]),
        }),
      ),
      joined(npzParts({ 'layer1.0': patterned([3, 4]), fc: patterned([3, 5]) })),
    ],
    parse: async (bytes) => {
      const files = createMemoryFiles({ 'x.npz': bytes });
      const { features } = await openActivations(
        {
          ...{ activations: 'x.npz', layers: null, order: null, grid: null, minimumFeatures: 2 },
          stimuli: ['a', 'b', 'c, 3'].map((id) => ({ id, file: `${id}.png` })),
          used: Int32Array.of(0, 1, 2),
        },
        { files, hash: createMemoryHash(files) },
      );
      const run = { checkStop: () => undefined, progress: () => undefined };
      for (const pass of features.passes) await features.gather(pass, () => true, run as never);
    },
    seconds: 5,
    changes: { bytes: changedFiles, names: changedZip, sums: changedZip },
  },
  maps: {
    seeds: () => [
      packed({
        ...{
          'images/x/a.png': 'A',
          'images/b.jpg': 'B',
          'labels.csv': 'image,class\na.png,3\nb.jpg,0\n',
        },
        'maps/a.npy': joined(npyParts(patterned([2, 2]))),
        'maps/b.npy': joined(npyParts(patterned([3, 2, 2]))),
      }),
    ],
    parse: refusingMissing((bytes) => each(folders, (maps) => readMaps(bytes, maps, null))),
    seconds: 5,
    changes: { bytes: changedFiles, names: changedZip },
  },
  fixations: {
    seeds: () => [
      packed({
        'f.csv': 'image,subject,x,y\na.png,1,0.5,1.5\na.png,2,3,1\n"dir/b.png",1,1,1\n',
        ...{ 'set/a.png': 'A', 'set/b.png': 'B' },
      }),
    ],
    parse: refusingMissing((bytes) => readMaps(bytes, 'in/f.csv', 'in/set')),
    seconds: 5,
    changes: { bytes: changedFiles, names: changedZip },
  },
  preprocess: {
    seeds: () => processors.map(bytesOf),
    parse: async (bytes) => {
      const files = createMemoryFiles({ 'p.json': bytes, 'config.json': '{"model_type":"vit"}' });
      const input = { name: 'x', layout: 'NCHW', batch: null, height: 32, width: 32, channels: 3 };
      const request = { named: 'p.json', modelPath: 'm.onnx', input: input as never };
      await resolvePreprocessing(request, { files });
    },
    seconds: 5,
    changes: { names: renamedText },
  },
  protocol: {
    seeds: () =>
      protocols
        .filter(({ layout }) => layout === 'image')
        .map((protocol) => bytesOf(JSON.stringify(protocol))),
    parse: async (bytes) => {
      const files = createMemoryFiles({ 'p.json': bytes });
      const own = await plainRecording();
      await each([0, 1], async (way) =>
        way === 0
          ? checkProtocol(await resolveProtocol('p.json', own, files), own)
          : resolveAlignmentProtocol('p.json', files),
      );
    },
    seconds: 5,
    changes: { names: renamedText },
  },
};
