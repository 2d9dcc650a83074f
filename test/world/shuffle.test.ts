import { expect, it } from 'vitest';
import { createRandom } from '../../src/numeric/random.ts';
import { exchangeMaps } from '../../src/world/shuffle.ts';

it('moves every map to another image, the same way for all sites', () => {
  const [sites, images, size] = [3, 6, 4];
  const data = Float32Array.from({ length: sites * images * size }, (_, i) => i);
  for (let seed = 0; seed < 20; seed++) {
    const moved = exchangeMaps({ data, shape: [sites, images, 2, 2] }, createRandom(seed));
    const sources = Array.from({ length: sites }, (_, site) =>
      Array.from({ length: images }, (_, image) => {
        const map = Array.from(
          moved.data.subarray((site * images + image) * size).subarray(0, size),
        );
        expect(map.map((value) => value % size)).toEqual([0, 1, 2, 3]);
        expect(Math.floor(map[0]! / (images * size))).toBe(site);
        return Math.floor(map[0]! / size) % images;
      }),
    );
    for (const source of sources) {
      expect(source).toEqual(sources[0]);
      expect([...source].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      source.forEach((from, to) => {
        expect(from).not.toBe(to);
      });
    }
  }
});
