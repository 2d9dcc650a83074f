import { unitOf } from '../numeric/unit.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { TargetSet } from './task.ts';

/** Targets less their means over all rows, in units of `unit`, and those means as they were. */
export interface CentredTargets extends TargetSet {
  readonly centre: Float64Array;
  /** 1, or a power of two where the targets' own size would be lost in what counts as nothing, or overflow in squares. */
  readonly unit: number;
}

/**
 * A target set [rows, sites] brought into fold order and laid out target after target. A constant target becomes
 * exactly 0. Volts or electrons a second make no difference: targets that are very small or very large are divided by a
 * `unit`. Throws an input error for NaN or infinite targets, or another number of rows.
 */
export const centreTargets = ({ data, shape }: Float64Nd, order: Int32Array): CentredTargets => {
  const [rows = 0, sites = 0] = shape;
  if (rows !== order.length) {
    throw inputError({
      where: 'regression targets',
      expected: `${order.length} rows, as in the features`,
      got: `${rows}`,
      mend: 'give one response per stimulus',
    });
  }
  const values = new Float64Array(sites * rows);
  const centre = new Float64Array(sites);
  for (let j = 0; j < sites; j++) {
    let sum = 0;
    let varies = false;
    for (let i = 0; i < rows; i++) {
      const value = data[order[i]! * sites + j]!;
      if (!Number.isFinite(value)) throw notFinite(order[i]!, j, value);
      sum += value;
      varies ||= value !== data[order[0]! * sites + j];
    }
    const mean = varies ? sum / rows : data[j]!;
    if (!Number.isFinite(mean)) throw tooLarge(j);
    centre[j] = mean;
    for (let i = 0; i < rows; i++) values[j * rows + i] = data[order[i]! * sites + j]! - mean;
  }
  const unit = unitOf(values);
  if (unit !== 1) for (let k = 0; k < values.length; k++) values[k] = values[k]! / unit;
  return { sites, rows, values, centre, unit };
};

const tooLarge = (site: number) =>
  inputError({
    where: `regression targets: site ${site}`,
    expected: 'responses that can be added up in double precision',
    got: 'a sum that overflows',
    mend: 'give the responses in a larger unit',
  });

const notFinite = (row: number, site: number, value: number) =>
  inputError({
    where: `regression targets: [${row}, ${site}]`,
    expected: 'finite responses',
    got: String(value),
    mend: 'leave out sites and stimuli without responses',
  });
