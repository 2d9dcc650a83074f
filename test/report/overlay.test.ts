import { describe, expect, it } from 'vitest';
import type { Float32Nd } from '../../src/records/array.ts';
import { viridis } from '../../src/report/colours.ts';
import { colourRange, overlay } from '../../src/report/overlay.ts';

const map = (...values: number[]): Float32Nd => ({
  data: Float32Array.from(values),
  shape: [1, values.length],
});
const grey = (pixels: number, level: number): Float32Nd => ({
  data: new Float32Array(pixels * 3).fill(level),
  shape: [1, pixels, 3],
});

describe('overlays', () => {
  it('begin at 0, or have 0 in the middle where there are negative values', () => {
    expect(colourRange(map(0, 1, 1, 1))).toEqual({ low: 0, high: 1 });
    expect(colourRange(map(-2, 1, 2, 2))).toEqual({ low: -2, high: 2 });
  });

  it('do not let one pixel dim the rest', () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i === 5 ? 1e6 : i / 1000));
    expect(colourRange(map(...values)).high).toBeLessThan(1.001);
    // Where almost nothing is above 0, what is there is shown.
    expect(colourRange(map(...values.map((value) => (value > 1 ? 7 : 0)))).high).toBe(7);
  });

  it('mix the colour of the map with the grey of the image', () => {
    const { data, width, height } = overlay(grey(2, 100), map(0, 1));
    expect([width, height]).toEqual([2, 1]);
    const mixed = (share: number) =>
      viridis(share).map((level) => Math.round(0.65 * level + 0.35 * 100));
    const expected = [...mixed(0), ...mixed(1)];
    data.forEach((level, i) => {
      expect(Math.abs(level - expected[i]!)).toBeLessThanOrEqual(1);
    });
  });

  it('of a map that is 0 everywhere have one colour', () => {
    const { data } = overlay(grey(3, 50), map(0, 0, 0));
    expect(new Set([data[0], data[3], data[6]]).size).toBe(1);
    expect(colourRange(map(0, 0, 0))).toEqual({ low: 0, high: 0 });
  });
});
