// Inner loops over float64 vectors that lie end to end in one array. Four vectors are taken at a time: one pass over
// the shared one, and four sums that do not wait for each other.

/** a[i + …] · b[j + …] over `length` elements. */
export const dot = (
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  length: number,
): number => {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s0 += a[i + k]! * b[j + k]!;
    s1 += a[i + k + 1]! * b[j + k + 1]!;
    s2 += a[i + k + 2]! * b[j + k + 2]!;
    s3 += a[i + k + 3]! * b[j + k + 3]!;
  }
  for (; k < length; k++) s0 += a[i + k]! * b[j + k]!;
  return s0 + s1 + (s2 + s3);
};

/** Sum of vector[from … to). */
export const sumOf = (vector: Float64Array, from: number, to: number): number => {
  let sum = 0;
  for (let k = from; k < to; k++) sum += vector[k]!;
  return sum;
};

/** vector += scale · rows[row], for a matrix `rows` [·, vector.length]. */
export const addRow = (
  vector: Float64Array,
  rows: Float64Array,
  row: number,
  scale: number,
): void => {
  const offset = row * vector.length;
  for (let k = 0; k < vector.length; k++) vector[k] = vector[k]! + scale * rows[offset + k]!;
};

/** vector += Σ_b weights[b] · rows[b], for the first `count` rows of a matrix [·, vector.length]. */
export const addRows = (
  vector: Float64Array,
  rows: Float64Array,
  count: number,
  weights: Float64Array,
): void => {
  let b = 0;
  for (; b + 7 < count; b += 8) addEight(vector, rows, b, weights);
  if (b + 3 < count) {
    addFour(vector, rows, b, weights);
    b += 4;
  }
  for (; b < count; b++) addRow(vector, rows, b, weights[b]!);
};

/** addRows for the four rows from `b` on. */
const addFour = (
  vector: Float64Array,
  rows: Float64Array,
  b: number,
  weights: Float64Array,
): void => {
  const n = vector.length;
  const r0 = b * n;
  const r1 = r0 + n;
  const r2 = r1 + n;
  const r3 = r2 + n;
  const w0 = weights[b]!;
  const w1 = weights[b + 1]!;
  const w2 = weights[b + 2]!;
  const w3 = weights[b + 3]!;
  for (let k = 0; k < n; k++)
    vector[k] =
      vector[k]! +
      (w0 * rows[r0 + k]! + w1 * rows[r1 + k]! + (w2 * rows[r2 + k]! + w3 * rows[r3 + k]!));
};

/** addRows for the eight rows from `b` on: the vector is loaded and stored half as often. */
const addEight = (
  vector: Float64Array,
  rows: Float64Array,
  b: number,
  weights: Float64Array,
): void => {
  const n = vector.length;
  const r0 = b * n;
  const r1 = r0 + n;
  const r2 = r1 + n;
  const r3 = r2 + n;
  const r4 = r3 + n;
  const r5 = r4 + n;
  const r6 = r5 + n;
  const r7 = r6 + n;
  const w0 = weights[b]!;
  const w1 = weights[b + 1]!;
  const w2 = weights[b + 2]!;
  const w3 = weights[b + 3]!;
  const w4 = weights[b + 4]!;
  const w5 = weights[b + 5]!;
  const w6 = weights[b + 6]!;
  const w7 = weights[b + 7]!;
  for (let k = 0; k < n; k++)
    vector[k] =
      vector[k]! +
      (w0 * rows[r0 + k]! +
        w1 * rows[r1 + k]! +
        (w2 * rows[r2 + k]! + w3 * rows[r3 + k]!) +
        (w4 * rows[r4 + k]! + w5 * rows[r5 + k]! + (w6 * rows[r6 + k]! + w7 * rows[r7 + k]!)));
};

/**
 * result[b] += rows[b] · vector over the elements [from, to), for the first `count` rows of a matrix
 * [·, vector.length].
 */
export const addDots = (
  result: Float64Array,
  rows: Float64Array,
  count: number,
  vector: Float64Array,
  [from, to]: readonly [from: number, to: number],
): void => {
  const n = vector.length;
  let b = 0;
  for (; b + 3 < count; b += 4) {
    const r0 = b * n;
    const r1 = r0 + n;
    const r2 = r1 + n;
    const r3 = r2 + n;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = from; k < to; k++) {
      const v = vector[k]!;
      s0 += rows[r0 + k]! * v;
      s1 += rows[r1 + k]! * v;
      s2 += rows[r2 + k]! * v;
      s3 += rows[r3 + k]! * v;
    }
    result[b] = result[b]! + s0;
    result[b + 1] = result[b + 1]! + s1;
    result[b + 2] = result[b + 2]! + s2;
    result[b + 3] = result[b + 3]! + s3;
  }
  for (; b < count; b++) result[b] = result[b]! + dot(rows, b * n + from, vector, from, to - from);
};

/** −rows[b] · vector [count], for the first `count` rows of a matrix [·, vector.length]: what `addRows` takes away with. */
export const lessDots = (rows: Float64Array, count: number, vector: Float64Array): Float64Array => {
  const dots = new Float64Array(count);
  addDots(dots, rows, count, vector, [0, vector.length]);
  for (let b = 0; b < count; b++) dots[b] = -dots[b]!;
  return dots;
};

/** Column `column` of a matrix [vector.length, columns] := vector. */
export const putColumn = (
  matrix: Float64Array,
  columns: number,
  column: number,
  vector: Float64Array,
): void => {
  for (let i = 0, k = column; i < vector.length; i++, k += columns) matrix[k] = vector[i]!;
};

/** vector := column `column` of a matrix [vector.length, columns]. */
export const getColumn = (
  matrix: Float64Array,
  columns: number,
  column: number,
  vector: Float64Array,
): void => {
  for (let i = 0, k = column; i < vector.length; i++, k += columns) vector[i] = matrix[k]!;
};

/** The transpose [columns, rows] of a matrix [rows, columns], in square tiles that fit the cache. */
export const transposedMatrix = (
  matrix: Float64Array,
  rows: number,
  columns: number,
): Float64Array => {
  const tile = 32;
  const result = new Float64Array(matrix.length);
  for (let i0 = 0; i0 < rows; i0 += tile)
    for (let j0 = 0; j0 < columns; j0 += tile) {
      const i1 = Math.min(i0 + tile, rows);
      const j1 = Math.min(j0 + tile, columns);
      for (let j = j0; j < j1; j++) {
        const target = j * rows;
        for (let i = i0, source = i0 * columns + j; i < i1; i++, source += columns)
          result[target + i] = matrix[source]!;
      }
    }
  return result;
};
