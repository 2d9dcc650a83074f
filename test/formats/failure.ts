import { expect } from 'vitest';
import { VentralError } from '../../src/records/errors.ts';

/** The one line of the input error that `doing` throws or rejects with. */
export const inputLine = async (doing: () => unknown): Promise<string> => {
  let thrown: unknown = null;
  try {
    await doing();
  } catch (reason) {
    thrown = reason;
  }
  expect(thrown).toBeInstanceOf(VentralError);
  const { kind, message } = thrown as VentralError;
  expect(kind).toBe('input');
  expect(message).not.toContain('\n');
  return message;
};
