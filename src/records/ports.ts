import type { NdArray } from './array.ts';

// A port has one or two jobs; Node and the browser differ only behind these interfaces.

/** A file of weights beside a model. */
export interface WeightsFile {
  /** As the model names it, relative to its own place: `weights.bin`, `parts/1.bin`. */
  readonly name: string;
  /** Where `files` has it. */
  readonly path: string;
  readonly files: Files;
}

/** A model as the engine takes it: the protobuf bytes, and the files that hold the rest of its weights. */
export interface EngineModel {
  readonly bytes: Uint8Array;
  /** Every file that the model names; the engine reads no other. Default: none. */
  readonly externalData?: readonly WeightsFile[];
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

/**
 * An array that stays with its engine between runs, so that it crosses to the worker once or never. Any other engine
 * refuses it, and its own does after `take` or `drop`.
 */
export interface Held {
  readonly id: number;
  /** Element type: of a kept output as the model has it, of a held array that of its class. */
  readonly type: string;
  readonly shape: readonly number[];
}

/** A held array, or its rows `[from, to)` along the first dimension. */
export interface HeldRows {
  readonly held: Held;
  readonly rows?: readonly [from: number, to: number];
}

export type Feed = NdArray | HeldRows;

/** What becomes of the outputs of a run; none is both fetched and kept. */
export interface RunOptions {
  /** Outputs that come back as arrays. Default: all that are not kept. */
  readonly fetch?: readonly string[];
  /** Outputs that stay with the engine until they are taken or dropped. Default: none. */
  readonly keep?: readonly string[];
}

/** Outputs of a run by name. */
export interface RunOutputs {
  readonly fetched: Readonly<Record<string, NdArray>>;
  readonly kept: Readonly<Record<string, Held>>;
}

export interface EngineSession {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /**
   * Runs the model. Fed arrays are copied at the call and stay valid, held ones stay held. Rejects with a VentralError of
   * kind `engine`; nothing is kept then.
   */
  run(feeds: Readonly<Record<string, Feed>>, options?: RunOptions): Promise<RunOutputs>;
  /** Later runs reject with an `engine` error. Held arrays stay. */
  release(): Promise<void>;
}

/**
 * onnxruntime, outside the caller's thread. Runs and what is asked of held arrays are answered in their order. What is wrong
 * with a model, a run or a held array rejects with a VentralError of kind `engine`; after `close`, everything rejects with
 * one of kind `stopped`, also what was waiting.
 */
export interface Engine {
  /** The execution provider by the runtime's name for it: `cpu`, `webgpu`, `cuda`, `wasm`, … */
  readonly device: string;
  readonly threads: number;
  /** Name and version of the runtime, for provenance: `onnxruntime-node 1.30.0`. */
  readonly version: string;
  /** Rejects as `Files` does where a file of weights cannot be read. */
  open(model: EngineModel): Promise<EngineSession>;
  /** Moves an array to the engine: `array.data` is detached (length 0) afterwards, unless its buffer is larger or shared. */
  hold(array: NdArray): Promise<Held>;
  /** A copy of a held array, which stays. */
  read(held: Held): Promise<NdArray>;
  /** Moves a held array back; the handle is spent. */
  take(held: Held): Promise<NdArray>;
  /** Gives the memory of a held array back; the handle is spent. */
  drop(held: Held): Promise<void>;
  close(): Promise<void>;
}

export interface FileInfo {
  readonly kind: 'file' | 'folder';
  readonly size: number;
}

/**
 * Paths are strings with `/`; missing files and full disks reject with a VentralError of kind `storage`, whose one line names
 * the path. Bytes that are handed out or taken are nobody else's afterwards: changing them changes no file.
 */
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
   * `Image.open(…).convert('RGB')` for 8-bit RGB and grey images. Rejects with a VentralError of kind `input`, whose one
   * line begins with `name`, for a truncated image or anything else.
   */
  decode(bytes: Uint8Array, name: string): Promise<Pixels>;
  /** PNG bytes, without loss. */
  encode(pixels: Pixels): Promise<Uint8Array>;
}

/** Files that cannot be read reject as those of `Files`. */
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

/** Finished work, keyed by the hashes of everything that it depends on. A key is any text. */
export interface Cache {
  /** What was put last under this very key, as bytes of the reader's own; null where there is nothing, or it is damaged. */
  get(key: string): Promise<Uint8Array | null>;
  /** Keeps a copy. Rejects with a VentralError of kind `storage` where there is no room. */
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

/** Who looks on at long work: what is done so far, and whether it is to stop. */
export interface Watch {
  readonly progress: Progress;
  readonly checkStop: CheckStop;
}

export interface Ports extends Watch {
  readonly engine: Engine;
  readonly files: Files;
  readonly images: Images;
  readonly hash: Hash;
  readonly cache: Cache;
  /** Folder below which recordings that were fetched lie, to be named without a path. */
  readonly library?: string;
  /** Milliseconds, for `seconds` in a score. */
  readonly now: () => number;
}
