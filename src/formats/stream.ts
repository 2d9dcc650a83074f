import { Inflate, inflateSync } from 'fflate';
import { inputError, reasonOf } from '../records/errors.ts';
import type { Checksum } from './checksum.ts';
import type { ByteSource } from './source.ts';

/** Bytes that are read once, from the first to the last. */
export interface ByteStream {
  /** The next `length` bytes, not to be written to; fewer only where the stream ends. */
  take(length: number): Promise<Uint8Array>;
  /** Passes over the next `length` bytes; resolves with how many there were. */
  skip(length: number): Promise<number>;
}

const bufferBytes = 2 ** 20;

/** The bytes `[from, to)` of a source, read ahead in pieces; skipping reads nothing. */
export const sourceStream = (source: ByteSource, from = 0, to = source.size): ByteStream => {
  const end = Math.min(to, source.size);
  let at = from;
  let buffer: Uint8Array = new Uint8Array(0);
  let bufferFrom = from;
  return {
    take: async (length) => {
      const until = Math.min(end, at + length);
      if (until > bufferFrom + buffer.length || at < bufferFrom) {
        buffer = await source.read(at, Math.min(end, Math.max(until, at + bufferBytes)));
        bufferFrom = at;
      }
      const taken = buffer.subarray(at - bufferFrom, until - bufferFrom);
      at += taken.length;
      return taken;
    },
    skip: async (length) => {
      const skipped = Math.max(0, Math.min(length, end - at));
      at += skipped;
      return skipped;
    },
  };
};

/** Deflated bytes in a stream of others. */
export interface Deflated {
  readonly input: ByteStream;
  /** Bytes of `input` that are deflated. */
  readonly packedSize: number;
  readonly checksum: Checksum;
  /** What the checksum must be in the end; asked for once all deflated bytes are taken. */
  readonly expected: () => Promise<number>;
  /** The place, for messages. */
  readonly where: string;
}

/** Deflate makes of one piece at most 1032 times as many bytes, and these are held at a time. */
const pieceBytes = 32_768;

const copyAgain = 'copy the file again';

/**
 * What a raw deflate stream (RFC 1951) unpacks to, in bounded memory: nothing is allocated on a header's word.
 * Input error on taking: damaged or truncated, or, at the end, another checksum.
 */
export const inflateStream = (deflated: Deflated): ByteStream => {
  const { input, checksum, expected, where } = deflated;
  const wrong = (want: string, got: string, cause?: unknown) =>
    inputError({ where, expected: want, got, mend: copyAgain }, cause);
  let left = deflated.packedSize;
  let ended = false;
  let pieces: Uint8Array[] = [];
  let ready = 0;
  const gather = (piece: Uint8Array): void => {
    if (piece.length === 0) return;
    checksum.add(piece);
    pieces.push(piece);
    ready += piece.length;
  };
  // The streaming inflater begins with buffers larger than most small variables.
  const inflate = left > pieceBytes ? new Inflate(gather) : null;
  const advance = async (): Promise<void> => {
    const packed = await input.take(Math.min(left, pieceBytes));
    left -= packed.length;
    if (packed.length === 0 && left > 0) throw wrong('a whole file', 'a truncated one');
    ended = left === 0;
    try {
      if (inflate === null) gather(inflateSync(packed));
      else inflate.push(packed, ended);
    } catch (thrown) {
      throw wrong('deflated bytes', `damaged ones (${reasonOf(thrown)})`, thrown);
    }
    if (ended && checksum.value() !== (await expected())) {
      throw wrong('bytes that match their checksum', 'others');
    }
  };
  const shift = (length: number): Uint8Array => {
    const first = pieces[0] ?? new Uint8Array(0);
    if (first.length > length) {
      pieces[0] = first.subarray(length);
      ready -= length;
      return first.subarray(0, length);
    }
    pieces.shift();
    ready -= first.length;
    return first;
  };
  return {
    take: async (length) => {
      while (ready < length && !ended) await advance();
      const wanted = Math.min(length, ready);
      if ((pieces[0]?.length ?? 0) >= wanted) return shift(wanted);
      const taken = new Uint8Array(wanted);
      for (let at = 0; at < wanted; ) {
        const piece = shift(wanted - at);
        taken.set(piece, at);
        at += piece.length;
      }
      return taken;
    },
    skip: async (length) => {
      let skipped = 0;
      while (skipped < length) {
        if (ready === 0) {
          if (ended) break;
          await advance();
          continue;
        }
        if (ready <= length - skipped) {
          skipped += ready;
          pieces = [];
          ready = 0;
        } else skipped += shift(length - skipped).length;
      }
      return skipped;
    },
  };
};
