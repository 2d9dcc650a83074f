import type { Pixels } from '../../src/records/ports.ts';

const values = ((): Uint8Array => {
  const bytes = new Uint8Array(250 * 250 * 3);
  let state = 1;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
})();

/** The test image of `test/golden/make-resample.py`. */
export const noisePixels = (height: number, width: number, binary = false): Pixels => {
  const data = values.slice(0, height * width * 3);
  return { width, height, channels: 3, data: binary ? data.map((v) => (v > 127 ? 255 : 0)) : data };
};
