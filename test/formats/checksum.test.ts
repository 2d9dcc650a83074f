import { describe, expect, it } from 'vitest';
import { createAdler32, createCrc32 } from '../../src/formats/checksum.ts';

const text = new TextEncoder().encode('Wikipedia');

describe('checksums of bytes in pieces', () => {
  it('agree with zlib on a text', () => {
    const [adler, crc] = [createAdler32(), createCrc32()];
    for (const sum of [adler, crc]) {
      sum.add(text.subarray(0, 4));
      sum.add(text.subarray(4));
    }
    // Python: zlib.adler32(b'Wikipedia'), zlib.crc32(b'Wikipedia').
    expect([adler.value(), crc.value()]).toEqual([0x11e60398, 0xadaac02e]);
  });

  it('do not overflow on the largest bytes', () => {
    const adler = createAdler32();
    adler.add(new Uint8Array(1_000_003).fill(255));
    // Python: zlib.adler32(b'\xff' * 1000003).
    expect(adler.value()).toBe(3818251451);
  });
});
