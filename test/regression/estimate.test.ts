import { describe, expect, it } from 'vitest';
import { fitBytes, fitOperations } from '../../src/regression/estimate.ts';
import { isNarrow, plsForm } from '../../src/regression/forms.ts';

const size = { rows: 4046, columns: 16_384, folds: 14, sets: 1, sites: 32, components: 25 };

describe('the plan of a fit', () => {
  it('holds the features, the Gram matrix and the folds on their way', () => {
    const { rows, columns, folds, sites, components } = size;
    const least = 4 * rows * columns + 8 * rows * rows + 8 * folds * rows * (sites + components);
    expect(fitBytes(size)).toBeGreaterThan(least);
    expect(fitBytes(size)).toBeLessThan(2 * least);
  });

  it('keeps the state of many target sets within a bound', () => {
    const many = { ...size, sets: 200 };
    const targets = 2 * 200 * 8 * size.rows * (size.sites + 1);
    expect(fitBytes(many) - fitBytes(size)).toBeLessThan(1.2 * (targets + 256 * 2 ** 20));
  });

  it('grows with the square of the rows where there are many features, not where there are few', () => {
    expect(isNarrow(4046, 2048)).toBe(true);
    expect(isNarrow(4046, 4046)).toBe(false);
    const few = { ...size, columns: 100 };
    const ratio = (each: typeof size) =>
      fitOperations({ ...each, rows: 2 * each.rows }) / fitOperations(each);
    expect(ratio(size)).toBeGreaterThan(3);
    expect(ratio(few)).toBeLessThan(2.1);
  });

  it('takes covariances where fits are many beside features, and the covariances of all splits are small', () => {
    const form = (columns: number, fits: number, splits = 14) =>
      plsForm({ rows: 4046, columns, splits, fits, components: 25 });
    expect(form(400, 14)).toBe('covariance');
    expect(form(600, 14)).toBe('features');
    expect(form(600, 70)).toBe('covariance');
    expect(form(600, 105, 105)).toBe('features');
    expect(form(2048, 70)).toBe('features');
    expect(form(4000, 70)).toBe('gram');
  });
});
