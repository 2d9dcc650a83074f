import { describe, expect, it } from 'vitest';
import { groupAlike, thumbnailOf } from '../../src/data/alike.ts';
import { markAlike } from '../../src/data/mark-alike.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { pearson } from '../../src/numeric/statistics.ts';
import type { Pixels } from '../../src/records/ports.ts';

/** A smooth random scene, of any size, changed point by point. */
const scene = (
  seed: string,
  [width, height]: readonly [number, number] = [64, 48],
  change: (level: number, at: number) => number = (level) => level,
): Pixels => {
  const random = createRandom(seed);
  const waves = Array.from({ length: 8 }, () => [
    random.normal() * 3,
    random.normal() * 3,
    random.next() * 6,
  ]);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const level = waves.reduce(
        (sum, [u, v, phase]) => sum + 14 * Math.sin((u! * x) / width + (v! * y) / height + phase!),
        128,
      );
      const at = (y * width + x) * 3;
      for (let c = 0; c < 3; c++)
        data[at + c] = Math.max(0, Math.min(255, Math.round(change(level, at + c))));
    }
  }
  return { width, height, channels: 3, data };
};

const noise = createRandom('pixel noise');

describe('groupAlike', () => {
  it('finds what was recompressed, resized, dimmed, or a copy, and nothing else', () => {
    const images = [
      scene('a'),
      scene('b'),
      scene('a', [64, 48], (level) => level + 6 * noise.normal()),
      scene('c'),
      scene('a', [160, 120]),
      scene('b', [64, 48], (level) => 0.8 * level + 5),
      ...Array.from({ length: 40 }, (_, index) => scene(`other ${index}`)),
    ];
    const first = groupAlike(images.map(thumbnailOf));
    expect([...first.slice(0, 6)]).toEqual([0, 1, 0, 3, 0, 1]);
    expect([...first.slice(6)]).toEqual(Array.from({ length: 40 }, (_, index) => index + 6));
  });

  it('compares by the correlation of the thumbnails', () => {
    const random = createRandom('thumbnails');
    const source = Array.from({ length: 60 }, (_, index) =>
      thumbnailOf(
        scene(`${index % 12}`, [32, 32], (level) => level + 3 * (index % 5) * random.normal()),
      ),
    );
    const first = groupAlike(source, 0.97);
    for (let i = 0; i < 60; i++) {
      const linked = source.findIndex(
        (other, j) => j !== i && pearson([...other!], [...source[i]!]) > 0.97,
      );
      if (linked >= 0) expect(first[i]).toBe(first[linked]);
      else expect(first[i]).toBe(i);
    }
    expect(new Set(first).size).toBeLessThan(60);
  });

  it('leaves images of one level alone', () => {
    const blank = thumbnailOf(scene('x', [20, 20], () => 100));
    expect(blank).toBeNull();
    expect([...groupAlike([blank, blank, thumbnailOf(scene('a', [5, 3]))])]).toEqual([0, 1, 2]);
  });
});

describe('markAlike', () => {
  const stimuli = ['x', 'y', 'z'].map((id) => ({ id, file: `${id}.png`, columns: {} }));
  const [a, b] = [thumbnailOf(scene('a')), thumbnailOf(scene('b'))];

  it('names the first of each group, and says how to keep them together', () => {
    const marked = markAlike(stimuli, [a, b, a]);
    expect(marked.stimuli.map(({ columns }) => columns.alike)).toEqual(['x', 'y', 'x']);
    expect(marked.notes[0]).toContain('2 stimuli are nearly equal to others, in 1 group (x ≈ z)');
    expect(marked.notes[0]).toContain('"groupBy": "alike"');
  });

  it('adds nothing where there is nothing to say, or the column is there', () => {
    const third = thumbnailOf(scene('c'));
    expect(markAlike(stimuli, [a, b, third])).toEqual({ stimuli, notes: [] });
    const own = stimuli.map((stimulus) => ({ ...stimulus, columns: { alike: 'mine' } }));
    expect(markAlike(own, [a, b, a])).toEqual({ stimuli: own, notes: [] });
  });
});
