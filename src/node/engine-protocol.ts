import type { NdArray } from '../records/array.ts';
import type { Engine, TensorInfo } from '../records/ports.ts';

// What the caller's thread and the engine's thread say to each other.

export type Device = Engine['device'];

/** An array, or a held one by its id, with the rows to take. */
export type SentFeed = NdArray | { readonly id: number; readonly rows: readonly [number, number] };

export type Command =
  | { readonly kind: 'start'; readonly threads: number; readonly device: Device }
  | {
      readonly kind: 'open';
      readonly bytes: Uint8Array;
      readonly externalDataFolder: string | null;
      readonly optimised: boolean;
    }
  | {
      readonly kind: 'run';
      readonly session: number;
      readonly feeds: Readonly<Record<string, SentFeed>>;
      readonly fetch: readonly string[] | null;
    }
  | { readonly kind: 'release'; readonly session: number }
  | { readonly kind: 'hold'; readonly array: NdArray }
  | { readonly kind: 'take'; readonly id: number };

export interface Started {
  readonly version: string;
}

export interface Opened {
  readonly session: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** What each command answers. */
export interface Answers {
  start: Started;
  open: Opened;
  run: Record<string, NdArray>;
  release: null;
  hold: number;
  take: NdArray;
}

/**
 * Shared flags. Ending a thread while onnxruntime runs aborts the whole process, so the caller raises `closing` and
 * waits for `busy` to fall; the worker raises `busy` first and then looks at `closing`, so that one of them notices.
 */
export const FLAG = { closing: 0, busy: 1, count: 2 } as const;

/** `null` asks the worker to end. */
export type Request = { readonly call: number; readonly command: Command } | null;

export type Reply =
  | { readonly call: number; readonly answer: Answers[keyof Answers] }
  | { readonly call: number; readonly failure: string };
