import { inputError } from '../records/errors.ts';

/** UTF-8 text without its byte order mark. Input error where the bytes are something else. */
export const decodeText = (bytes: Uint8Array, name: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (thrown) {
    throw inputError(
      { where: name, expected: 'UTF-8 text', got: 'other bytes', mend: 'save it as UTF-8' },
      thrown,
    );
  }
};

export const encodeText = (text: string): Uint8Array => new TextEncoder().encode(text);
