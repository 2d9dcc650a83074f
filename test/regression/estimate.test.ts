import { describe, expect, it } from 'vitest';
import { fitBytes, fitOperations } from '../../src/regression/estimate.ts';
import { isNarrow, plsForm } from '../../src/regression/forms.ts';

const stopping = 'scikit-learn' as const;
const size = {
  ...{ rows: 4046, columns: 16_384, folds: 14, sets: 1, sites: 32, components: 25 },
  stopping,
};

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
      plsForm({ rows: 4046, columns, splits, fits, sites: 32, components: 25, stopping });
    expect(form(256, 14)).toBe('covariance');
    expect(form(512, 14)).toBe('fused');
    expect(form(256, 105, 105)).toBe('fused');
    expect(form(64, 1, 1)).toBe('fused');
    expect(form(2048, 70)).toBe('fused');
    expect(form(4000, 70)).toBe('gram');
  });

  it('iterates where a step is shortest when there are many sites', () => {
    const form = (columns: number, sites: number, rows = 1000) =>
      plsForm({ rows, columns, splits: 10, fits: 10, sites, components: 25, stopping });
    expect(form(700, 1000)).toBe('rows');
    expect(form(512, 1000)).toBe('fused');
    expect(form(50_176, 21_059)).toBe('rows');
    expect(form(50_176, 500)).toBe('gram');
    expect(form(50_176, 1000, 4046)).toBe('gram');
    expect(form(50_176, 60, 100)).toBe('gram');
  });

  it('of 21,059 sites holds nothing of sites × sites', () => {
    const many = { ...size, rows: 1000, columns: 50_176, folds: 10, sites: 21_059 };
    expect(fitBytes(many)).toBeLessThan(2.5e9);
  });
});
