import { describe, expect, it } from 'vitest';
import { foldsSchema } from '../../src/records/protocol.ts';
import type { Stimulus } from '../../src/records/recording.ts';
import { foldsOf } from '../../src/scoring/folds.ts';
import { inputLine } from '../formats/failure.ts';

const stimuli = (columns: (index: number) => Stimulus['columns']): Stimulus[] =>
  Array.from({ length: 24 }, (_, index) => ({
    id: `s${index}`,
    file: `s${index}.png`,
    columns: columns(index),
  }));
/** Three rows (fixations) per image. */
const imageOfRow = Int32Array.from({ length: 72 }, (_, row) => Math.floor(row / 3));
const settings = (groupBy?: string | null) =>
  foldsSchema.parse({
    ...{ kind: 'k-fold', count: 4, shuffle: true, stratifyBy: 'object_name' },
    ...(groupBy === undefined ? {} : { groupBy }),
  });

describe('foldsOf', () => {
  it('takes protocols that were written before there was groupBy', () => {
    expect(settings()).toMatchObject({ groupBy: null });
    const plain = stimuli(() => ({}));
    expect(foldsOf(settings(), imageOfRow, plain, 1)).toEqual(
      foldsOf(settings(null), imageOfRow, plain, 1),
    );
  });

  it('keeps groups of images, and the rows of each, in one fold', () => {
    const grouped = stimuli((index) => ({
      object_name: index % 2 === 0 ? 'cat' : 'dog',
      scene: `scene ${Math.floor(index / 2) % 8}`,
    }));
    const folds = foldsOf(settings('scene'), imageOfRow, grouped, 7);
    const scenes = folds.map(
      ({ test }) => new Set(Array.from(test, (row) => grouped[imageOfRow[row]!]!.columns.scene)),
    );
    expect(scenes.reduce((sum, { size }) => sum + size, 0)).toBe(8);
    for (const { test } of folds) {
      const cats = test.filter(
        (row) => grouped[imageOfRow[row]!]!.columns.object_name === 'cat',
      ).length;
      expect(cats / test.length).toBe(0.5);
    }
  });

  it('takes nothing to be alike where the import found nothing, and refuses other missing columns', async () => {
    const plain = stimuli(() => ({ object_name: 'cat' }));
    expect(foldsOf(settings('alike'), imageOfRow, plain, 1)).toEqual(
      foldsOf(settings(), imageOfRow, plain, 1),
    );
    expect(await inputLine(() => foldsOf(settings('scene'), imageOfRow, plain, 1))).toContain(
      'folds.groupBy: expected one of object_name, got "scene"',
    );
  });
});
