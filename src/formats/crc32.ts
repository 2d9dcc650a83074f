const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 of bytes that follow others, whose CRC-32 is `before`. */
export const crc32Of = (bytes: Uint8Array, before = 0): number => {
  let value = ~before;
  for (let i = 0; i < bytes.length; i++) value = (value >>> 8) ^ table[(value ^ bytes[i]!) & 255]!;
  return ~value >>> 0;
};

/** CRC-32 of the parts joined, as zip, gzip and PNG have it (polynomial 0x04c11db7, reflected). */
export const crc32 = (parts: readonly Uint8Array[]): number =>
  parts.reduce((before, part) => crc32Of(part, before), 0);
