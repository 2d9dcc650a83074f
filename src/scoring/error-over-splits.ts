import { mean } from '../numeric/statistics.ts';
import type { LayerScore, StandardErrorOverSplits } from '../records/score.ts';
import type { Ceiling } from './ceiling.ts';
import type { Layout } from './layout.ts';

/**
 * The error that Brain-Score gives, and what it is in the unit of the value: with σ_r and σ_c the population standard
 * deviations over splits / √splits, σ² = (σ_r/c)² + (r σ_c/c²)² for r/c, and (2r/c)² σ_r² + (r²/c²)² σ_c² for r²/c.
 * Null where folds do not overlap, or a split has no value.
 */
export const standardErrorOverSplitsOf = (
  { aggregation, protocol }: Layout,
  { overall: c, overallError }: Ceiling,
  { raw, folds }: LayerScore,
): StandardErrorOverSplits | null => {
  if (aggregation.over !== 'splits' || c === null || overallError === null || raw === null)
    return null;
  const values = folds.flatMap((fold) => (fold.raw === null ? [] : [fold.raw]));
  if (values.length < folds.length) return null;
  const centre = mean(values);
  const ofR = Math.sqrt(mean(values.map((r) => (r - centre) ** 2)) / values.length);
  const [byR, byC] =
    protocol.normalisation === 'r/c' ? [1 / c, raw / c ** 2] : [(2 * raw) / c, raw ** 2 / c ** 2];
  return { value: Math.hypot(byR * ofR, byC * overallError), unscaled: ofR };
};
