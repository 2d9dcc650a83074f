import { describe, expect, it } from 'vitest';
import {
  addDots,
  addRows,
  dot,
  getColumn,
  putColumn,
  transposedMatrix,
} from '../../src/numeric/vectors.ts';

const wave = (length: number, shift: number) =>
  Float64Array.from({ length }, (_, k) => Math.sin(k * 1.7 + shift));

describe('loops over vectors that lie end to end', () => {
  // Below, at and past the four that are taken at a time.
  it.each([0, 1, 3, 4, 5, 9])('%s rows', (count) => {
    const n = 13;
    const rows = wave(count * n, 0);
    const weights = wave(count, 1);
    const vector = wave(n, 2);
    const combined = vector.slice();
    addRows(combined, rows, count, weights);
    const dots = new Float64Array(count).fill(1);
    addDots(dots, rows, count, vector, 2, 11);
    for (let k = 0; k < n; k++) {
      let sum = vector[k]!;
      for (let b = 0; b < count; b++) sum += weights[b]! * rows[b * n + k]!;
      expect(combined[k]).toBeCloseTo(sum, 13);
    }
    for (let b = 0; b < count; b++) {
      let sum = 1;
      for (let k = 2; k < 11; k++) sum += rows[b * n + k]! * vector[k]!;
      expect(dots[b]).toBeCloseTo(sum, 13);
    }
  });

  it('dot takes offsets', () => {
    const a = wave(20, 0);
    const b = wave(20, 5);
    let sum = 0;
    for (let k = 0; k < 7; k++) sum += a[3 + k]! * b[9 + k]!;
    expect(dot(a, 3, b, 9, 7)).toBeCloseTo(sum, 14);
  });
});

describe('columns', () => {
  it('are put and got', () => {
    const matrix = new Float64Array(6);
    putColumn(matrix, 3, 1, Float64Array.of(5, 6));
    expect([...matrix]).toEqual([0, 5, 0, 0, 6, 0]);
    const vector = new Float64Array(2);
    getColumn(matrix, 3, 1, vector);
    expect([...vector]).toEqual([5, 6]);
  });

  it('become rows in the transpose, also where tiles are cut', () => {
    const [rows, columns] = [37, 70];
    const matrix = wave(rows * columns, 0);
    const turned = transposedMatrix(matrix, rows, columns);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) expect(turned[j * rows + i]).toBe(matrix[i * columns + j]);
  });
});
