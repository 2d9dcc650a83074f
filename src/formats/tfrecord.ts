import { inputError } from '../records/errors.ts';
import { crc32c } from './crc32.ts';
import type { ByteSource } from './source.ts';
import { sourceStream } from './stream.ts';

// TFRecord (tensorflow/core/lib/io/record_writer.h), little-endian, one record after the other:
// uint64 length, uint32 masked CRC-32C of the length, the bytes, uint32 masked CRC-32C of the bytes.

const headBytes = 12;
const tailBytes = 4;

/** A CRC of data that holds CRCs is rotated and shifted, so that the two are not alike (`crc32c::Mask`). */
const maskedCrc = (bytes: Uint8Array): number => {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
};

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const mend = 'copy or fetch the file again';

const truncatedAt = (where: string, missing: number) =>
  inputError({ where, expected: 'a whole record', got: `${missing} bytes too few`, mend });

const wrongSum = (where: string, of: string) =>
  inputError({ where, expected: `${of} that matches its CRC-32C`, got: 'another', mend });

/**
 * The records of a TFRecord file in order, read ahead in pieces; each is a copy of its own. Nothing is allocated on the
 * word of a header whose checksum is wrong, or that says more than is there.
 * Input error, naming the file and the record (from 1): a record that is cut off, a wrong checksum.
 */
export async function* tfRecords(source: ByteSource, name: string): AsyncGenerator<Uint8Array> {
  const stream = sourceStream(source);
  let at = 0;
  for (let number = 1; at < source.size; number++) {
    const where = `${name}: record ${number}`;
    const head = await stream.take(headBytes);
    if (head.length < headBytes) throw truncatedAt(where, headBytes - head.length);
    const view = viewOf(head);
    if (view.getUint32(8, true) !== maskedCrc(head.subarray(0, 8))) {
      throw wrongSum(where, 'a length');
    }
    const length = Number(view.getBigUint64(0, true));
    const end = at + headBytes + length + tailBytes;
    if (end > source.size) throw truncatedAt(where, end - source.size);
    const bytes = await stream.take(length + tailBytes);
    if (bytes.length < length + tailBytes) {
      throw truncatedAt(where, length + tailBytes - bytes.length);
    }
    const record = bytes.slice(0, length);
    if (viewOf(bytes).getUint32(length, true) !== maskedCrc(record)) {
      throw wrongSum(where, 'content');
    }
    yield record;
    at = end;
  }
}
