import { describe, expect, it } from 'vitest';
import { bfloat16Bits, float16Bits } from '../../src/numeric/convert.ts';

/** The number that 16 bits stand for: IEEE 754 binary16. */
const halfOf = (bits: number): number => {
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
  const size =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent === 31
        ? Number.POSITIVE_INFINITY
        : (1 + mantissa / 1024) * 2 ** (exponent - 15);
  return bits >= 0x8000 ? -size : size;
};

describe('16-bit floats', () => {
  it('are the bits of the nearest half', () => {
    // numpy.float16(x).view('u2')
    for (const [value, bits] of [
      [0, 0],
      [1, 0x3c00],
      [-2, 0xc000],
      [0.1, 0x2e66],
      [1 / 3, 0x3555],
      [65504, 0x7bff],
      [65520, 0x7c00],
      [-1e9, 0xfc00],
      [2 ** -14, 0x0400],
      [2 ** -24, 1],
      [1e-6, 17],
      [1e-9, 0],
    ] as const)
      expect([value, float16Bits(value)]).toEqual([value, bits]);
    const finite = Array.from({ length: 0x7bff }, (_, bits) => bits);
    expect(finite.filter((bits) => float16Bits(halfOf(bits)) !== bits)).toEqual([]);
    const between = (bits: number, share: number): number =>
      halfOf(bits) + share * (halfOf(bits + 1) - halfOf(bits));
    const astray = finite.filter(
      (bits) =>
        float16Bits(-between(bits, 0.4)) !== (0x8000 | bits) ||
        float16Bits(between(bits, 0.6)) !== bits + 1,
    );
    expect(astray).toEqual([]);
  });

  it('are the upper bits of a float32, rounded, as bfloat16', () => {
    for (const [value, bits] of [
      [1, 0x3f80],
      [-1, 0xbf80],
      [0.1, 0x3dcd],
      [1 / 3, 0x3eab],
      [1e-30, 0x0da2],
    ] as const)
      expect([value, bfloat16Bits(value)]).toEqual([value, bits]);
  });
});
