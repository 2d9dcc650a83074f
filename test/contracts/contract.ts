import { describe, expect, it } from 'vitest';
import { type FailureKind, VentralError } from '../../src/records/errors.ts';

/** One promise of a port, in words, and what shows that it is kept: `check` rejects where it is broken. */
export interface Clause<T> {
  readonly promise: string;
  readonly check: (at: T) => Promise<void>;
}

/** An implementation, and what ends it. */
export interface Opened<T> {
  readonly at: T;
  readonly close: () => Promise<void>;
}

/** Opens an implementation for one clause. */
export type Open<T> = () => Promise<Opened<T>>;

const checked = async <T>({ check }: Clause<T>, open: Open<T>): Promise<void> => {
  const { at, close } = await open();
  try {
    await check(at);
  } finally {
    await close();
  }
};

/** The tests of one implementation: a test for every clause. */
export const describeContract = <T>(
  name: string,
  clauses: readonly Clause<T>[],
  open: Open<T>,
): void => {
  describe(name, () => {
    for (const clause of clauses) it(clause.promise, () => checked(clause, open));
  });
};

/** The promises that an implementation breaks. */
export const brokenPromises = async <T>(
  clauses: readonly Clause<T>[],
  open: Open<T>,
): Promise<string[]> => {
  const broken: string[] = [];
  for (const clause of clauses) {
    const failed = await checked(clause, open).then(
      () => false,
      () => true,
    );
    if (failed) broken.push(clause.promise);
  }
  return broken;
};

/** What `doing` rejects with, which must be a VentralError of this kind, of one line. */
export const errorLine = async (kind: FailureKind, doing: Promise<unknown>): Promise<string> => {
  const thrown = await doing.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(VentralError);
  const { kind: found, message } = thrown as VentralError;
  expect(found).toBe(kind);
  expect(message).not.toContain('\n');
  return message;
};

/** A storage error's line. */
export const storageLine = (doing: Promise<unknown>): Promise<string> =>
  errorLine('storage', doing);

export const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content);
