import { describe, expect, it } from 'vitest';
import { permuteAxes, permuteRows, sizeOf, stridesOf, takeRows } from '../../src/numeric/array.ts';

describe('permuteAxes', () => {
  it('moves axes as numpy.transpose does', () => {
    const array = { data: Float32Array.from({ length: 24 }, (_, i) => i), shape: [2, 3, 4] };
    const moved = permuteAxes(array, [2, 0, 1]);
    expect(moved.shape).toEqual([4, 2, 3]);
    const strides = stridesOf(array.shape);
    for (let a = 0; a < 4; a++)
      for (let b = 0; b < 2; b++)
        for (let c = 0; c < 3; c++)
          expect(moved.data[(a * 2 + b) * 3 + c]).toBe(b * strides[0]! + c * strides[1]! + a);
  });

  it('is undone by the inverse order, also with axes of size one', () => {
    const array = { data: Int16Array.from({ length: 30 }, (_, i) => i), shape: [5, 1, 3, 2] };
    const order = [3, 1, 0, 2];
    const inverse = order.map((_, axis) => order.indexOf(axis));
    expect(permuteAxes(permuteAxes(array, order), inverse)).toEqual(array);
  });

  it('keeps scalars and empty arrays', () => {
    expect(permuteAxes({ data: Float64Array.of(2), shape: [] }, []).data[0]).toBe(2);
    expect(permuteAxes({ data: new Float64Array(0), shape: [0, 3] }, [1, 0]).shape).toEqual([3, 0]);
  });
});

describe('takeRows', () => {
  it('copies rows in the order asked for', () => {
    const array = { data: Float32Array.of(0, 1, 10, 11, 20, 21), shape: [3, 2] };
    const taken = takeRows(array, [2, 0, 2]);
    expect(taken.shape).toEqual([3, 2]);
    expect([...taken.data]).toEqual([20, 21, 0, 1, 20, 21]);
    expect(sizeOf([2, 3, 4])).toBe(24);
  });
});

describe('permuteRows', () => {
  it('does in place what takeRows copies', () => {
    const array = { data: Float32Array.from({ length: 14 }, (_, i) => i), shape: [7, 2] };
    const order = [3, 0, 2, 6, 5, 1, 4];
    const copy = takeRows(array, order);
    permuteRows(array, order);
    expect(array).toEqual(copy);
  });
});
