import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { drawScenes } from '../../src/world/scene.ts';
import { objectClasses, surfaces } from '../../src/world/shapes.ts';

const settings = { seed: 1, count: 3, size: 168, objects: 4 };
const digest = (seed: number): string => {
  const hash = createHash('sha256');
  for (const { pixels } of drawScenes({ ...settings, seed })) hash.update(pixels.data);
  return hash.digest('hex').slice(0, 16);
};

describe('scenes', () => {
  it('are decided by the seed, to the byte', () => {
    expect(digest(1)).toBe('fa2ed468c010e585');
    expect(digest(2)).not.toBe(digest(1));
  });

  it('differ from one another and use the range of brightness', () => {
    const [first, second] = drawScenes(settings);
    expect(Buffer.compare(first!.pixels.data, second!.pixels.data)).not.toBe(0);
    for (const { pixels } of drawScenes(settings)) {
      const sorted = pixels.data.slice().sort();
      expect(sorted[Math.floor(sorted.length * 0.05)]).toBeLessThan(70);
      expect(sorted[Math.floor(sorted.length * 0.95)]).toBeGreaterThan(150);
    }
  });

  it('keep the placed objects, their mask and the label of the largest', () => {
    for (const { objects, objectOfPixel, label, pixels } of drawScenes(settings)) {
      expect(objects).toHaveLength(4);
      expect(label).toBe([...objects].sort((a, b) => b.radius - a.radius)[0]!.category);
      objectOfPixel.forEach((object, at) => {
        if (object === 0) return;
        const { x, y, radius } = objects[object - 1]!;
        const [column, row] = [at % pixels.width, Math.floor(at / pixels.width)];
        expect(Math.hypot(column + 0.5 - x, row + 0.5 - y)).toBeLessThan(1.25 * radius);
      });
      // The front object is hidden by none.
      const front = objects.length;
      const visible = objectOfPixel.filter((object) => object === front).length;
      expect(visible).toBeGreaterThan(0.2 * objects[front - 1]!.radius ** 2);
    }
  });
});

describe('surfaces', () => {
  it.each(
    objectClasses,
  )('%s lies within its reach and has unit normals that face the eye', (name) => {
    let covered = 0;
    for (let v = -1.5; v <= 1.5; v += 0.05)
      for (let u = -1.5; u <= 1.5; u += 0.05) {
        const normal = surfaces[name](u, v);
        if (normal === null) continue;
        covered++;
        expect(Math.hypot(u, v)).toBeLessThan(1.25);
        expect(Math.hypot(...normal)).toBeCloseTo(1, 9);
        expect(normal[2]).toBeGreaterThanOrEqual(0);
      }
    expect(covered * 0.05 ** 2).toBeGreaterThan(0.8);
  });
});
