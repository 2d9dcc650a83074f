import type { NdArray } from '../records/array.ts';
import type { Held, RunOutputs, TensorInfo } from '../records/ports.ts';

// What the caller's thread and the engine's thread say to each other.

/** An array, or a held one by its id, with the rows to take; null: as it is. */
export type SentFeed =
  | NdArray
  | { readonly id: number; readonly rows: readonly [number, number] | null };

/** Where weights beside the model are: in a folder under the names that the model gives, or in these bytes. */
export type SentWeights =
  | { readonly folder: string }
  | { readonly files: readonly { readonly path: string; readonly data: Uint8Array }[] };

export type Command =
  | {
      readonly kind: 'start';
      readonly threads: number;
      readonly device: string;
      /** Ids of sessions and held arrays come after this. */
      readonly firstId: number;
    }
  | {
      readonly kind: 'open';
      readonly bytes: Uint8Array;
      readonly weights: SentWeights;
      readonly optimised: boolean;
    }
  | {
      readonly kind: 'run';
      readonly session: number;
      readonly feeds: Readonly<Record<string, SentFeed>>;
      readonly fetch: readonly string[] | null;
      readonly keep: readonly string[];
    }
  | { readonly kind: 'release'; readonly session: number }
  | { readonly kind: 'hold'; readonly array: NdArray }
  | { readonly kind: 'read' | 'take' | 'drop'; readonly id: number };

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
  run: RunOutputs;
  release: null;
  hold: Held;
  read: NdArray;
  take: NdArray;
  drop: null;
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
