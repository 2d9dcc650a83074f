import { importBrainio } from '../src/data/brainio.ts';
import { importNwb } from '../src/data/nwb.ts';
import { readCsv } from '../src/formats/csv.ts';
import { openMatlab } from '../src/formats/matlab.ts';
import { openMatlab73 } from '../src/formats/matlab73.ts';
import { readNpy } from '../src/formats/npy.ts';
import { npzParts, openNpz } from '../src/formats/npz.ts';
import { bytesSource } from '../src/formats/source.ts';
import { sourceStream } from '../src/formats/stream.ts';
import { decodeText } from '../src/formats/text.ts';
import { readTfExample } from '../src/formats/tf-example.ts';
import { tfRecords } from '../src/formats/tfrecord.ts';
import { openZip } from '../src/formats/zip.ts';
import { createNodeHdf5 } from '../src/node/hdf5.ts';
import { createRandom } from '../src/numeric/random.ts';
import { VentralError } from '../src/records/errors.ts';
import type { Hdf5, Hdf5File } from '../src/records/hdf5.ts';
import { changedMatlab, changedTfRecords, changedZip } from './changed-archives.ts';
import { changedHdf5 } from './changed-hdf5.ts';
import { renamedInPlace, renamedText } from './changed-names.ts';
import {
  changedRecord,
  type Hdf5Record,
  hdf5OfRecord,
  recordOf,
  renamedRecord,
} from './hdf5-record.ts';
import { createMemoryFiles, createMemoryHash } from './memory-files.ts';
import type { Change } from './mutations.ts';
import { embedded, golden, type Parser } from './parser.ts';
import { folderParsers } from './parsers-folders.ts';
import { networkParsers } from './parsers-networks.ts';

/** Small files: one on which the library is silent for so long is in an endless loop, of which there are many. */
const hdf5 = createNodeHdf5({ seconds: 0.25 });

/** The file whose every part has a checksum. */
const latest = JSON.parse(new TextDecoder().decode(golden('hdf5-latest.json'))) as {
  readonly chunks: readonly (readonly [number, number])[];
};

/** Ports for the import of a file, with images that need no decoding. */
const importPorts = (source: Hdf5, names: readonly string[], more: string) => {
  const files = createMemoryFiles({
    ...{ 's.csv': more },
    ...Object.fromEntries(names.map((name) => [`set/${name}`, name])),
  });
  const pixels = { width: 2, height: 2, channels: 3, data: new Uint8Array(12) } as const;
  return {
    files,
    images: { version: '', decode: async () => pixels, encode: async () => new Uint8Array() },
    hash: createMemoryHash(files),
    hdf5: source,
    progress: () => undefined,
    checkStop: () => undefined,
  };
};

/** What `importNwb` makes of the only file of an HDF5 port. */
export const readNwb = (source: Hdf5) =>
  importNwb(
    {
      ...{ file: 'x', intervals: 'trials', stimulusColumn: 'image', stimuli: 'set' },
      ...{ bins: [{ start: 50, end: 150 }], area: { column: 'location' } },
      ...{ species: 'mouse', out: 'out' },
    },
    importPorts(source, ['x.png', 'y.png'], ''),
  );

/** The same of `importBrainio`, with the stimulus set of the golden assembly. */
export const readBrainio = (source: Hdf5) =>
  importBrainio(
    { assembly: 'x', stimuli: 's.csv', images: 'set', species: 'macaque', out: 'out' },
    importPorts(
      source,
      ['a1.png', 'b7.png', 'c9.png'],
      'image_id,filename\nc9,c9.png\na1,a1.png\nb7,b7.png\n',
    ),
  );

/** Reads every variable of a MATLAB 7.3 file; throws the first refusal once all have been read. */
export const readMatlab73 = async (source: Hdf5File): Promise<void> => {
  const refusals: unknown[] = [];
  const file = await openMatlab73(source);
  try {
    for (const { name } of file.variables) {
      try {
        await file.read(name);
      } catch (thrown) {
        if (!(thrown instanceof VentralError)) throw thrown;
        refusals.push(thrown);
      }
    }
  } finally {
    await file.close();
  }
  if (refusals.length > 0) throw refusals[0];
};

const smallNpz = (): Uint8Array =>
  new Uint8Array(
    Buffer.concat(
      npzParts({
        ids: { strings: ['a', 'b', 'c'], shape: [3] },
        floats: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] },
        whole: { data: BigInt64Array.of(1n, -1n), shape: [2, 1] },
      }),
    ),
  );

/** As a file: the seed by which a record of `file` is changed, so that the C library is asked once. */
const recordParser = (file: string, read: (source: Hdf5) => Promise<unknown>): Parser => {
  let record: Promise<Hdf5Record> | null = null;
  const change: Change = (_, random) => Uint8Array.from({ length: 8 }, () => random.int(256));
  return {
    seeds: () => [new Uint8Array(8)],
    parse: async (bytes) => {
      record ??= hdf5.open(golden(`hdf5/${file}`), file).then(recordOf);
      const random = createRandom(bytes.join());
      if (bytes.every((byte) => byte === 0)) return read(hdf5OfRecord(await record));
      const renamed = renamedRecord(await record, random);
      return read(hdf5OfRecord(random.int(3) === 0 ? changedRecord(renamed, random) : renamed));
    },
    // The first asks the C library for the whole record.
    seconds: 30,
    changes: { names: change },
  };
};

/** Parsers of what an HDF5 file holds, its names changed. */
export const recordParsers: Readonly<Record<string, Parser>> = {
  'nwb-record': recordParser('units.nwb', readNwb),
  'brainio-record': recordParser('assembly.nc', readBrainio),
  'matlab73-record': recordParser('matlab73.mat', async (source) =>
    readMatlab73(await source.open('x', 'x.mat')),
  ),
};

/** Every parser of a format, by name. */
export const parsers: Readonly<Record<string, Parser>> = {
  ...networkParsers,
  ...folderParsers,
  ...recordParsers,
  matlab: {
    seeds: () => embedded('matlab.json'),
    parse: async (bytes) => {
      const open = async () => sourceStream(bytesSource(bytes));
      const file = await openMatlab({ size: bytes.length, open }, 'x.mat');
      for (const { name } of file.variables) await file.read(name);
    },
    seconds: 5,
    changes: { names: renamedInPlace, sums: changedMatlab },
  },
  hdf5: {
    seeds: () =>
      ['matlab73.mat', 'cyclic.mat', 'assembly.nc', 'latest.nwb'].map((name) =>
        golden(`hdf5/${name}`),
      ),
    parse: async (bytes) => readMatlab73(await hdf5.open(bytes, 'x.mat')),
    seconds: 30,
    changes: { names: renamedInPlace, sums: changedHdf5(latest.chunks) },
  },
  tfrecord: {
    seeds: () => embedded('human-maps.json').slice(-1),
    parse: async (bytes) => {
      for await (const record of tfRecords(bytesSource(bytes), 'x.tfrecords'))
        readTfExample(record, 'x');
    },
    seconds: 5,
    changes: { sums: changedTfRecords },
  },
  'tf-example': {
    seeds: () => {
      const [shard] = embedded('human-maps.json').slice(-1);
      const length = Number(new DataView(shard!.buffer).getBigUint64(0, true));
      return [shard!.slice(12, 12 + length)];
    },
    parse: async (bytes) => readTfExample(bytes, 'x'),
    seconds: 5,
    changes: { names: renamedInPlace },
  },
  nwb: {
    seeds: () => [golden('hdf5/units.nwb'), golden('hdf5/latest.nwb')],
    parse: (bytes) => readNwb({ open: () => hdf5.open(bytes, 'x') }),
    seconds: 30,
    changes: { names: renamedInPlace, sums: changedHdf5(latest.chunks) },
  },
  brainio: {
    seeds: () => [golden('hdf5/assembly.nc')],
    parse: (bytes) => readBrainio({ open: () => hdf5.open(bytes, 'x') }),
    seconds: 30,
    changes: { names: renamedInPlace },
  },
  npy: {
    seeds: () => embedded('npy.json'),
    parse: async (bytes) => readNpy(bytes, 'x.npy'),
    seconds: 5,
    changes: { names: renamedInPlace },
  },
  npz: {
    seeds: () => [...Array.from({ length: 7 }, smallNpz), golden('pls.npz')],
    parse: async (bytes) => {
      const npz = await openNpz(bytesSource(bytes), 'x.npz');
      for (const name of npz.names) await npz.read(name);
    },
    seconds: 5,
    changes: { names: changedZip, sums: changedZip },
  },
  zip: {
    seeds: () => embedded('zip.json'),
    parse: async (bytes) => {
      const zip = await openZip(bytesSource(bytes), 'x.zip');
      for (const entry of zip.entries) {
        await zip.read(entry);
        await (await zip.stream(entry)).skip(Number.MAX_SAFE_INTEGER);
      }
    },
    seconds: 5,
    changes: { names: changedZip, sums: changedZip },
  },
  csv: {
    seeds: () => [new TextEncoder().encode('stimulus_id,file\na,a.png\n"b, c",b.png\n')],
    parse: async (bytes) => readCsv(decodeText(bytes, 'x.csv'), 'x.csv'),
    seconds: 5,
    changes: { names: renamedText },
  },
};
