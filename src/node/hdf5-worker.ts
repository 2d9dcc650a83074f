import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Attribute, Dataset, Metadata, Reference } from 'h5wasm';
import type { ArrayData } from '../records/array.ts';
import { reasonOf } from '../records/errors.ts';
import type { Hdf5Item, Hdf5Type } from '../records/hdf5.ts';
import type { Hdf5Answers, Hdf5Command, Hdf5Reply, Hdf5Request, Signs } from './hdf5-protocol.ts';

// The thread of h5wasm: what the C library does with a harmful file (traps, endless loops, gigabytes) ends with it.
// Files are seen through a file system of its own with nothing else in it, so that links and external storage in a file
// lead nowhere.

const mebibyte = 2 ** 20;
const pageBytes = 65_536;
/** Deflate makes a byte of at most this many: a dataset that claims more of its file lies. */
const deflateRatio = 1032;
/** What the library may take before a file is open, and for its caches and one chunk. */
const baseBytes = 512 * mebibyte;

/** What we use of WebAssembly, which Node has and its types lack. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: { prototype: WasmMemory } } })
  .WebAssembly;

let memoryLimit = baseBytes;
const growBefore = Memory.prototype.grow;
// Else a header that lies is believed up to 2 GiB.
Memory.prototype.grow = function (this: WasmMemory, pages: number): number {
  if (this.buffer.byteLength + pages * pageBytes > memoryLimit) {
    throw new RangeError('more memory than such a file needs');
  }
  return growBefore.call(this, pages);
};

const h5wasm = await import('h5wasm');
const library = await h5wasm.ready;
const port = parentPort!;
const signs = workerData as Signs;
Atomics.add(signs, 0, 1);

/** What h5wasm needs of Emscripten's files in memory, to let one read from elsewhere. */
interface MemoryNode {
  stream_ops: Record<string, unknown>;
}
interface MemoryFileSystem {
  createFile(
    parent: string,
    name: string,
    properties: object,
    read: boolean,
    write: boolean,
  ): MemoryNode;
  unlink(path: string): void;
}
const memory = library.FS as unknown as MemoryFileSystem;

interface OpenFile {
  readonly file: InstanceType<typeof h5wasm.File>;
  readonly size: number;
  readonly release: () => void;
}
const files = new Map<number, OpenFile>();
let lastId = 0;

type ReadInto = (target: Uint8Array, position: number) => number;

const fromDisk = (path: string): { size: number; read: ReadInto; close: () => void } => {
  const descriptor = openSync(path, 'r');
  return {
    size: fstatSync(descriptor).size,
    read: (target, position) => readSync(descriptor, target, 0, target.length, position),
    close: () => closeSync(descriptor),
  };
};

const fromBytes = (bytes: Uint8Array): { size: number; read: ReadInto; close: () => void } => ({
  size: bytes.length,
  read: (target, position) => {
    const piece = bytes.subarray(position, position + target.length);
    target.set(piece);
    return piece.length;
  },
  close: () => undefined,
});

const open = (source: string | Uint8Array): Hdf5Answers['open'] => {
  const { size, read, close } = typeof source === 'string' ? fromDisk(source) : fromBytes(source);
  const id = ++lastId;
  const node = memory.createFile('/', `${id}.h5`, {}, true, false);
  const release = (): void => {
    memory.unlink(`/${id}.h5`);
    close();
  };
  node.stream_ops = {
    ...node.stream_ops,
    read: (_: unknown, heap: Uint8Array, offset: number, length: number, position: number) => {
      Atomics.add(signs, 0, 1);
      const wanted = Math.max(0, Math.min(length, size - position));
      return read(heap.subarray(offset, offset + wanted), position);
    },
  };
  Object.defineProperty(node, 'usedBytes', { get: () => size });
  memoryLimit = Math.max(memoryLimit, baseBytes + 4 * Math.min(size, 256 * mebibyte));
  try {
    const file = new h5wasm.File(`/${id}.h5`, 'r');
    if (file.file_id < 0n) throw new Error('not an HDF5 file');
    files.set(id, { file, size, release });
  } catch (thrown) {
    release();
    throw thrown;
  }
  return { file: id, size };
};

const fileOf = (id: number): OpenFile => {
  const found = files.get(id);
  if (found === undefined) throw new Error('the file was closed');
  return found;
};

const typeOf = ({ type, size, vlen_type: inner, ref_type: reference }: Metadata): Hdf5Type => {
  const { H5T_class_t: classes } = library;
  switch (type) {
    case classes.H5T_INTEGER.value:
    case classes.H5T_ENUM.value:
      return [1, 2, 4, 8].includes(size) ? 'integer' : 'other';
    case classes.H5T_FLOAT.value:
      return size === 4 || size === 8 ? 'float' : 'other';
    case classes.H5T_STRING.value:
      return 'text';
    case classes.H5T_REFERENCE.value:
      return reference === 'object' && inner === undefined ? 'reference' : 'other';
    default:
      return 'other';
  }
};

/** Whether the groups on the way name the path: the library calls a missing one damage. */
const isNamed = (file: OpenFile['file'], path: string): boolean => {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.every((part, depth) => {
    const folder = depth === 0 ? file : file.get(`/${parts.slice(0, depth).join('/')}`);
    return folder instanceof h5wasm.Group && folder.keys().includes(part);
  });
};

const itemOf = ({ file }: OpenFile, path: string): Hdf5Item | null => {
  let entity: ReturnType<typeof file.get> = file;
  try {
    if (path !== '/') entity = file.get(path);
  } catch (thrown) {
    if (isNamed(file, path)) throw thrown;
    return null;
  }
  if (entity === null) return null;
  if (entity instanceof h5wasm.Group) return { kind: 'group', names: entity.keys() };
  if (!(entity instanceof h5wasm.Dataset)) {
    return { kind: 'stranger', what: entity.constructor.name };
  }
  const { metadata } = entity;
  const shape = metadata.shape === null ? null : metadata.shape.map(Number);
  return {
    kind: 'dataset',
    type: typeOf(metadata),
    shape,
    itemSize: metadata.size,
    chunks: metadata.chunks?.map(Number) ?? null,
    dimensions: (shape ?? []).map((_, axis) => {
      const [scale] = entity.get_attached_scales(axis);
      return scale?.split('/').at(-1) ?? null;
    }),
  };
};

const count = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** A file cannot hold more than deflate can make of all its bytes. */
const checkClaim = (elements: number, { size }: Metadata, fileSize: number): void => {
  const most = deflateRatio * fileSize + mebibyte;
  if (elements * size > most) throw new Error(`${elements} elements claimed by ${fileSize} bytes`);
};

/** What h5wasm gives: numbers, texts or references, alone or in a list. */
const plain = (value: unknown, file: OpenFile['file']): ArrayData | string[] => {
  if (ArrayBuffer.isView(value)) return value as ArrayData;
  const list = Array.isArray(value) ? value : [value];
  if (list.every((each) => typeof each === 'string')) return list;
  if (list.every((each) => typeof each === 'number')) return Float64Array.from(list);
  if (list.every((each) => typeof each === 'bigint')) return BigInt64Array.from(list);
  if (list.every((each) => each instanceof h5wasm.Reference)) {
    return list.map((each: Reference) =>
      library.get_referenced_name(file.file_id, each.ref_data, true),
    );
  }
  throw new Error('a type that cannot be read');
};

const attributeOf = (
  { file, size }: OpenFile,
  path: string,
  name: string,
): Hdf5Answers['attribute'] => {
  if (!library.get_attribute_names(file.file_id, path).includes(name)) return null;
  const attribute: Attribute = new h5wasm.Attribute(file.file_id, path, name);
  if (attribute.shape === null || typeOf(attribute.metadata) === 'other') return null;
  checkClaim(count(attribute.shape.map(Number)), attribute.metadata, size);
  return plain(attribute.value, file);
};

const readOf = (
  { file, size }: OpenFile,
  { path, ranges }: Hdf5Command & { kind: 'read' },
): Hdf5Answers['read'] => {
  const dataset = file.get(path);
  if (!(dataset instanceof h5wasm.Dataset)) throw new Error(`no dataset at ${path}`);
  const { metadata } = dataset as Dataset;
  if (metadata.shape === null) return new Float64Array(0);
  const type = typeOf(metadata);
  if (type === 'other') throw new Error(`a type of numbers at ${path} that cannot be read`);
  const shape = metadata.shape.map(Number);
  const spans = shape.map((extent, axis) => ranges[axis] ?? ([0, extent] as const));
  const elements = count(spans.map(([from, to], axis) => Math.min(to, shape[axis]!) - from));
  checkClaim(elements, metadata, size);
  if (elements === 0) return type === 'text' || type === 'reference' ? [] : new Float64Array(0);
  const value =
    shape.length === 0 ? dataset.value : dataset.slice(spans.map(([from, to]) => [from, to]));
  return plain(value, file);
};

const close = (id: number): null => {
  const { file, release } = fileOf(id);
  files.delete(id);
  file.close();
  release();
  return null;
};

const obey = (command: Hdf5Command): Hdf5Answers[keyof Hdf5Answers] => {
  switch (command.kind) {
    case 'open':
      return open(command.source);
    case 'item':
      return itemOf(fileOf(command.file), command.path);
    case 'attribute':
      return attributeOf(fileOf(command.file), command.path, command.name);
    case 'read':
      return readOf(fileOf(command.file), command);
    case 'close':
      return close(command.file);
  }
};

/** The innermost cause, in words, of the library's list of what went wrong. */
const failureOf = (thrown: unknown): string => {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const causes = [...text.matchAll(/ in H5\w+\(\): (.+)/g)];
  return causes.at(-1)?.[1] ?? reasonOf(thrown);
};

/** Filters by their registered numbers (The HDF Group, registered filter plugins), and those that the library itself has. */
const filterNames: Readonly<Record<number, string>> = {
  4: 'SZIP',
  305: 'LZO',
  307: 'bzip2',
  32000: 'LZF',
  32001: 'Blosc',
  32004: 'LZ4',
  32008: 'bitshuffle',
  32013: 'ZFP',
  32015: 'Zstandard',
  32017: 'SZ',
  32026: 'Blosc2',
};
const ownFilters: ReadonlySet<number> = new Set([1, 2, 3, 5, 6]);

/** The filter of a dataset that could not be read, where that is one that the library lacks. */
const lackingFilter = (command: Hdf5Command): { path: string; name: string } | null => {
  if (command.kind !== 'read') return null;
  const dataset = fileOf(command.file).file.get(command.path);
  if (!(dataset instanceof h5wasm.Dataset)) return null;
  const found = dataset.filters.find(({ id }) => !ownFilters.has(id));
  if (found === undefined) return null;
  const known = filterNames[found.id];
  return {
    path: command.path,
    name: known === undefined ? `the filter ${found.id}` : `${known} (filter ${found.id})`,
  };
};

port.on('message', ({ call, command }: Hdf5Request) => {
  try {
    // An error that is thrown where the library had set errors aside for a moment leaves them aside: it would then read
    // on in damaged files. So for each command anew.
    library.activate_throwing_error_handler();
    const answer = obey(command);
    const transfer = ArrayBuffer.isView(answer) ? [answer.buffer as ArrayBuffer] : [];
    port.postMessage({ call, answer } satisfies Hdf5Reply, transfer);
  } catch (thrown) {
    const failure = failureOf(thrown);
    const isTrap = thrown instanceof Error && thrown.name === 'RuntimeError';
    const fatal = isTrap || /abort/i.test(failure);
    const filter = fatal ? null : lackingFilter(command);
    port.postMessage({ call, failure, fatal, filter } satisfies Hdf5Reply);
  }
});
