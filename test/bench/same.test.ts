// The comparison that says whether a change of the code changed a number.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { compareJson, compareTexts, numbersOf, type SameTable } from '../../bench/compare-json.ts';
import { compareFiles } from '../../bench/same-files.ts';
import { chosen, jobs } from '../../bench/same-jobs.ts';

const table: SameTable = {
  renamed: {
    'layers.strengths': 'alphas',
    curve: 'learningCurve',
    images: 'n.images',
    sites: 'n.sites',
  },
  added: ['kind'],
  ignored: ['seconds', 'format', 'warnings'],
  shapeless: ['provenance'],
};
const hash = 'c'.repeat(64);
const before = {
  value: 0.3474331299697524,
  warnings: ['36 of 1368 features are constant'],
  layers: [
    { layer: 'conv', alphas: [1, 10], interval: { low: 0.2, images: 14, sites: 24 } },
    { layer: 'last', alphas: null, interval: null },
  ],
  curve: [{ trials: 2, value: 0.1 }],
  provenance: { recording: { name: 'r', sha256: hash }, seconds: 3 },
};
const after = {
  kind: 'score',
  format: 2,
  value: 0.3474331299697524,
  warnings: [],
  layers: [
    { layer: 'conv', alphas: [1, 10], interval: { low: 0.2, n: { images: 14, sites: 24 } } },
    { layer: 'last', alphas: null, interval: null },
  ],
  learningCurve: [{ trials: 2, value: 0.1 }],
  provenance: { run: {}, inputs: [{ role: 'recording', name: 'r', sha256: hash }] },
};
const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('two JSON files', () => {
  it('are the same under new names, with another provenance and other words', () => {
    expect(compareJson(before, after, table)).toEqual([]);
    expect(compareJson(before, before, table)).toEqual([]);
  });

  it('need not have hashes that are not looked at', () => {
    const other = { protocol: { name: 'p', sha256: 'd'.repeat(64) } };
    const old = { ...before, provenance: { ...before.provenance, ...other } };
    expect(compareJson(old, after, table)).toHaveLength(1);
    const looser = { ...table, ignored: [...table.ignored, 'protocol.sha256'] };
    expect(compareJson(old, after, looser)).toEqual([]);
  });

  it.each([1e-12, -1e-12, 2 ** -54])('differ where one number is changed by %d', (change) => {
    const value = after.value + change;
    expect(compareFiles('score.json', bytes(before), bytes({ ...after, value }), table)).toEqual([
      { path: 'value', before: String(before.value), after: String(value) },
    ]);
    const learningCurve = [{ trials: 2, value: 0.1 + change }];
    expect(compareJson(before, { ...after, learningCurve }, table)).toMatchObject([
      { path: 'learningCurve[0].value', before: '0.1' },
    ]);
  });

  it('differ where a field, an element or a hash is gone, or a field is new that need not be', () => {
    const { value: _, ...without } = after;
    const [first] = after.layers;
    const paths = (changed: unknown): string[] =>
      compareJson(before, changed, table).map(({ path }) => path);
    expect(paths(without)).toEqual(['value']);
    expect(paths({ ...after, layers: [first] })).toEqual(['layers']);
    expect(paths({ ...after, more: null })).toEqual(['more']);
    expect(paths({ ...after, provenance: {} })).toEqual(['provenance']);
    expect(paths({ ...after, layers: [{ ...first, n: { images: 14 } }, after.layers[1]] })).toEqual(
      ['layers[0].n'],
    );
  });

  it('differ where 0 became −0 or null, and null 0', () => {
    for (const [a, b] of [
      [0, -0],
      [0, null],
      [null, 0],
      [null, undefined],
    ])
      expect(compareJson({ a: [a] }, { a: [b] }, table)).toHaveLength(1);
  });
});

describe('two arrays', () => {
  const path = join(import.meta.dirname, '../cases/base/features.npy');
  const array = new Uint8Array(readFileSync(path));
  const changed = array.slice();
  changed[changed.length - 4]! ^= 1;

  it('differ in one bit', () => {
    expect(compareFiles('a.npy', array, array, table)).toEqual([]);
    expect(compareFiles('a.npy', array, changed, table)).toMatchObject([
      { path: 'data[2879] (and 0 more)' },
    ]);
  });

  it('are compared by name within an archive', () => {
    const archive = (a: Uint8Array, name: string) => zipSync({ [`${name}.npy`]: a });
    const names = compareFiles(
      'a.npz',
      archive(array, 'curve'),
      archive(array, 'learningCurve'),
      table,
    );
    expect(names).toEqual([]);
    expect(
      compareFiles('a.npz', archive(array, 'x'), archive(changed, 'x'), table).map((it) => it.path),
    ).toEqual(['x.data[2879] (and 0 more)']);
  });
});

describe('what is printed', () => {
  const line = 'best layer conv3: 0.636 [0.595, 0.690] (V4-01, 90–130 ms, −0.5, 1e-7)';

  it('is compared in its numbers, not in its words and names', () => {
    expect(numbersOf(line)).toEqual(['0.636', '0.595', '0.690', '90', '130', '−0.5', '1e-7']);
    expect(compareTexts(line, line.replace('best layer conv3', 'the best is conv4'))).toEqual([]);
    expect(compareTexts(line, line.replace('0.690', '0.691'))).toMatchObject([
      { path: 'number 3' },
    ]);
  });

  it('is compared without its notes and the seconds that it took', () => {
    const printed = (seconds: number, note: string): string =>
      `score: 0.629\nnote: ${note}\n1 threads on cpu, seed 1, ${seconds} s\n`;
    expect(compareTexts(printed(7, '2 warnings'), printed(12, '3 warnings'))).toEqual([]);
  });

  it('is compared as JSON where it is JSON', () => {
    const change = compareFiles('stdout.txt', bytes({ a: 1 }), bytes({ a: 1 + 1e-12 }), table);
    expect(change).toMatchObject([{ path: 'a' }]);
  });
});

describe('the jobs', () => {
  it('have a name each, and need others that come before them', () => {
    const ids = jobs.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    jobs.forEach(({ needs }, k) => {
      for (const need of needs) expect(ids.indexOf(need)).toBeLessThan(k);
      for (const need of needs) expect(ids).toContain(need);
    });
  });

  it('are chosen by a pattern, with those that they need', () => {
    const ids = chosen('grid-profile').map(({ id }) => id);
    expect(ids).toContain('grid/grid-trials/ventral');
    expect(ids).toContain('grid-profile');
    expect(ids.length).toBeLessThan(5);
  });
});
