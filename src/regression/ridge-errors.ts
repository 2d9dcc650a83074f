import type { RidgeSettings } from '../records/protocol.ts';

/** Sums over training rows from which the error of an alpha is known for every target. */
export interface RowSums {
  /** Σ a² and Σ (a/d)² of each target, with a = α⁻¹(y − ŷ) and d = α⁻¹(1 − h). */
  readonly squares: Float64Array;
  readonly leaveOneOut: Float64Array;
  /** Σ d. */
  readonly freedom: number;
  readonly rows: number;
}

/**
 * Sums of the dual coefficients `a` [n, q] and the diagonal `d` [n] of (I − H)/α over the rows that `training` marks.
 *
 * With the hat matrix H (intercept included), the residual of row i when it is left out of the fit is
 * (yᵢ − ŷᵢ)/(1 − hᵢᵢ) = aᵢ/dᵢ.
 */
export const rowSums = (a: Float64Array, d: Float64Array, training: Uint8Array): RowSums => {
  const q = a.length / d.length;
  const squares = new Float64Array(q);
  const leaveOneOut = new Float64Array(q);
  let freedom = 0;
  let rows = 0;
  for (let i = 0; i < d.length; i++) {
    if (training[i] === 0) continue;
    rows++;
    freedom += d[i]!;
    for (let j = 0; j < q; j++) {
      const value = a[i * q + j]!;
      squares[j] = squares[j]! + value * value;
      leaveOneOut[j] = leaveOneOut[j]! + (value / d[i]!) ** 2;
    }
  }
  return { squares, leaveOneOut, freedom, rows };
};

/**
 * Mean squared error of each target as the criterion has it: leave-one-out, or generalised cross-validation
 * m Σ (y − ŷ)² / (tr(I − H))² (Golub, Heath & Wahba 1979, Technometrics 21, equation 1.4).
 */
export const criterion = (
  { squares, leaveOneOut, freedom, rows }: RowSums,
  choose: RidgeSettings['choose'],
): Float64Array =>
  choose === 'gcv'
    ? squares.map((sum) => (rows * sum) / (freedom * freedom))
    : leaveOneOut.map((sum) => sum / rows);

/** Which targets share an alpha: [from, to) of all targets, for each choice to be made. */
export const choicesOf = (
  sites: readonly number[],
  perTarget: boolean,
): readonly (readonly [from: number, to: number])[] => {
  let offset = 0;
  return sites.flatMap((count) => {
    const from = offset;
    offset += count;
    return perTarget
      ? Array.from({ length: count }, (_, j): [number, number] => [from + j, from + j + 1])
      : [[from, offset] as const];
  });
};
