import { sizeOf } from '../numeric/array.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { reshaped, shapeOf } from '../sketch/terms.ts';

// Padding by reflection and resampling are linear along each axis: y = A x, with a matrix that depends on sizes alone.
// Their adjoint is the product with Aᵀ, and products have rules.

/** A matrix [rows, columns] of weights, row by row: pairs of column and weight, which add up. */
export interface AxisMap {
  readonly columns: number;
  readonly rows: readonly (readonly (readonly [column: number, weight: number])[])[];
}

/** Every row takes one element. */
export const picking = (sources: readonly number[], columns: number): AxisMap => ({
  columns,
  rows: sources.map((source) => [[source, 1]]),
});

const isIdentity = ({ columns, rows }: AxisMap): boolean =>
  rows.length === columns &&
  rows.every((row, index) => row.length === 1 && row[0]![0] === index && row[0]![1] === 1);

const matrixOf = ({ columns, rows }: AxisMap, isTransposed: boolean): Float32Array => {
  const matrix = new Float32Array(rows.length * columns);
  rows.forEach((row, at) => {
    for (const [column, weight] of row) {
      matrix[isTransposed ? column * rows.length + at : at * columns + column]! += weight;
    }
  });
  return matrix;
};

/** Aᵀ y along one axis of `y`, whose size there is the number of rows of A. */
export const adjointAlong = (sketch: Sketch, y: string, axis: number, map: AxisMap): string => {
  if (isIdentity(map)) return y;
  const shape = shapeOf(sketch, y);
  const [before, behind] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const [rows, columns] = [map.rows.length, map.columns];
  const whole = [...shape.slice(0, axis), columns, ...shape.slice(axis + 1)];
  if (behind === 1) {
    const matrix = sketch.constant({ data: matrixOf(map, false), shape: [rows, columns] });
    const product = sketch.apply('MatMul', [reshaped(sketch, y, [before, rows]), matrix]);
    return reshaped(sketch, product, whole);
  }
  const matrix = sketch.constant({ data: matrixOf(map, true), shape: [columns, rows] });
  const product = sketch.apply('MatMul', [matrix, reshaped(sketch, y, [before, rows, behind])]);
  return reshaped(sketch, product, whole);
};
