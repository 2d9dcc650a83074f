import type { NdArray } from './array.ts';

// A port has one or two jobs; Node and the browser differ only behind these interfaces.

/** A model as the engine takes it: the protobuf bytes, and the folder of its external data, if any. */
export interface EngineModel {
  readonly bytes: Uint8Array;
  readonly externalDataFolder: string | null;
  /** The bytes are moved, not copied, and empty afterwards: for models that were made to be opened once. */
  readonly given?: boolean;
  /** False: every operation runs as the model has it, none merged or moved. Default: as the runtime optimises. */
  readonly optimised?: boolean;
}

/** An input or output; symbolic dimensions are strings. */
export interface TensorInfo {
  readonly name: string;
  /** `float32`, `float64`, `int64`, … */
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** An array that stays with the engine between runs, so that it crosses to the worker only once. */
export interface Held {
  readonly id: number;
  readonly shape: readonly number[];
}

/** A held array, or its rows `[from, to)` along the first dimension. */
export interface HeldRows {
  readonly held: Held;
  readonly rows?: readonly [from: number, to: number];
}

export type Feed = NdArray | HeldRows;

export interface EngineSession {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /**
   * Runs the model; returns the named outputs (default: all). Fed arrays are copied to the engine and stay
   * valid. Rejects with a VentralError of kind `engine`.
   */
  run(
    feeds: Readonly<Record<string, Feed>>,
    fetch?: readonly string[],
  ): Promise<Record<string, NdArray>>;
  release(): Promise<void>;
}

/** onnxruntime, outside the caller's thread. */
export interface Engine {
  readonly device: 'cpu' | 'webgpu' | 'cuda';
  readonly threads: number;
  /** Name and version of the runtime, for provenance: `onnxruntime-node 1.30.0`. */
  readonly version: string;
  open(model: EngineModel): Promise<EngineSession>;
  /** Moves an array to the engine: `array.data` is detached (length 0) afterwards. */
  hold(array: NdArray): Promise<Held>;
  /** Moves a held array back; the handle is spent. */
  take(held: Held): Promise<NdArray>;
  close(): Promise<void>;
}

export interface FileInfo {
  readonly kind: 'file' | 'folder';
  readonly size: number;
}

/** Paths are strings with `/`; missing files and full disks reject with a VentralError of kind `storage`. */
export interface Files {
  read(path: string): Promise<Uint8Array>;
  /** Bytes `[from, to)`; fewer where the file ends. */
  readRange(path: string, from: number, to: number): Promise<Uint8Array>;
  /** `null` where nothing is there. */
  info(path: string): Promise<FileInfo | null>;
  /** Names in a folder, sorted by code unit. */
  list(path: string): Promise<string[]>;
  /** Writes all parts to a temporary name beside `path`, then renames: all or nothing. Makes the folder. */
  write(path: string, parts: readonly Uint8Array[]): Promise<void>;
  /** Adds bytes to the end of a file, which is made where it is missing, with its folder. */
  append(path: string, bytes: Uint8Array): Promise<void>;
  /** Renames a file or folder, replacing what is there. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file or a folder with its contents; nothing happens where there is none. */
  remove(path: string): Promise<void>;
}

/** 8-bit pixels, interleaved by row: `[height, width, channels]`, channels 3 (RGB). */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 3;
  readonly data: Uint8Array;
}

export interface Images {
  /** Name and version of the decoder, for provenance: `sharp 0.35.5`. */
  readonly version: string;
  /**
   * Decodes JPEG, PNG, WebP, GIF, TIFF or BMP-like bytes to RGB without EXIF rotation, bit-equal to PIL's
   * `Image.open(…).convert('RGB')` for 8-bit RGB and grey images. `name` is for messages.
   */
  decode(bytes: Uint8Array, name: string): Promise<Pixels>;
  /** PNG bytes. */
  encode(pixels: Pixels): Promise<Uint8Array>;
}

export interface Hash {
  /** SHA-256 in lower-case hexadecimal of the parts joined. */
  sha256(parts: readonly Uint8Array[]): Promise<string>;
  /** SHA-256 of a file, read in pieces. */
  sha256File(path: string): Promise<string>;
  /** SHA-1 of a file, in lower-case hexadecimal: some owners publish no other. */
  sha1File(path: string): Promise<string>;
}

/** What a server answered to a GET, its body still to come. */
export interface HttpReply {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where redirects led. */
  readonly address: string;
  /**
   * The bytes as they come, once; rejects with a VentralError of kind `storage` where the connection is cut or falls
   * silent. A consumer that stops early cuts it.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface Http {
  /**
   * GET, following redirects, from byte `from` of the resource on where that is above 0 (a range; with `validator` only
   * of the same version, `If-Range`). Every status resolves; a connection that cannot be had rejects with a
   * VentralError of kind `storage`.
   */
  get(
    address: string,
    range?: { readonly from: number; readonly validator: string | null },
  ): Promise<HttpReply>;
  /** Waits, before another try; at once after `close`. */
  pause(milliseconds: number): Promise<void>;
  /** Cuts everything that is under way. */
  close(): void;
}

/** Work that one process at a time may do. */
export interface Locks {
  /**
   * Holds a lock file until what it resolves with is called. Rejects with a VentralError of kind `storage` while another
   * running process (or another call of this one) holds it; what a killed process left behind is taken over.
   */
  take(path: string): Promise<() => Promise<void>>;
}

/** Finished work, keyed by the hashes of everything that it depends on. */
export interface Cache {
  get(key: string): Promise<Uint8Array | null>;
  put(key: string, value: Uint8Array): Promise<void>;
}

/** `done` of `total` units of `task`; the receiver works out rate and time left. Nobody may know the total: null. */
export interface ProgressEvent {
  readonly task: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: string;
}

export type Progress = (event: ProgressEvent) => void;

/** Asked between steps; throws the `stopped` error after an interrupt. */
export type CheckStop = () => void;

export interface Ports {
  readonly engine: Engine;
  readonly files: Files;
  readonly images: Images;
  readonly hash: Hash;
  readonly cache: Cache;
  readonly progress: Progress;
  readonly checkStop: CheckStop;
  /** Milliseconds, for `seconds` in a score. */
  readonly now: () => number;
}
