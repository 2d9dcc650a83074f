/** The 256 remainders of a reflected polynomial. */
const tableOf = (polynomial: number): Int32Array =>
  Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });

const ieee = tableOf(0xedb88320);
const castagnoli = tableOf(0x82f63b78);

const follow = (table: Int32Array, bytes: Uint8Array, before: number): number => {
  let value = ~before;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ table[(value ^ bytes[i]!) & 255]!;
  return ~value >>> 0;
};

/** CRC-32 of bytes that follow others, whose CRC-32 is `before`. */
export const crc32Of = (bytes: Uint8Array, before = 0): number => follow(ieee, bytes, before);

/** CRC-32 of the parts joined, as zip, gzip and PNG have it (polynomial 0x04c11db7, reflected). */
export const crc32 = (parts: readonly Uint8Array[]): number =>
  parts.reduce((before, part) => crc32Of(part, before), 0);

/** CRC-32C (Castagnoli: polynomial 0x1edc6f41, reflected), as TFRecord has it; RFC 3720, B.4 gives examples. */
export const crc32c = (bytes: Uint8Array): number => follow(castagnoli, bytes, 0);
