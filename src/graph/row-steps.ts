import type { EngineModel } from '../records/ports.ts';
import { encodeModel } from './encode.ts';
import type { OnnxNode } from './graph.ts';

/** Steps of the power iteration in one run of the engine. */
export const ROW_STEPS = 4;

const int64 = (...values: number[]) => ({
  data: BigInt64Array.from(values, BigInt),
  shape: [values.length],
});

/** `out` := v of some tasks as rows [m, n] less what lies outside their training rows and along their basis. */
const project = (v: string, out: string): OnnxNode[] => [
  { op: 'Mul', inputs: [v, 'mask'], outputs: [`${v}_masked`] },
  { op: 'Unsqueeze', inputs: [`${v}_masked`, 'two'], outputs: [`${v}_column`] },
  { op: 'MatMul', inputs: ['basis', `${v}_column`], outputs: [`${v}_along`] },
  {
    op: 'Transpose',
    inputs: [`${v}_along`],
    outputs: [`${v}_weights`],
    attributes: { perm: { ints: [0, 2, 1] } },
  },
  { op: 'MatMul', inputs: [`${v}_weights`, 'basis'], outputs: [`${v}_part`] },
  { op: 'Squeeze', inputs: [`${v}_part`, 'one'], outputs: [`${v}_gone`] },
  { op: 'Sub', inputs: [`${v}_masked`, `${v}_gone`], outputs: [out] },
];

/** `out` := the rows of `v` times a symmetric matrix, which is the left operand: a right one is copied into blocks. */
const through = (square: string, v: string, out: string): OnnxNode[] => [
  {
    op: 'Gemm',
    inputs: [square, v],
    outputs: [`${out}_columns`],
    attributes: { transB: { int: 1 } },
  },
  {
    op: 'Transpose',
    inputs: [`${out}_columns`],
    outputs: [out],
    attributes: { perm: { ints: [1, 0] } },
  },
];

const step = (k: number): OnnxNode[] => [
  ...through('k', `u${k}`, `raw${k}`),
  { op: 'Mul', inputs: [`u${k}`, `raw${k}`], outputs: [`products${k}`] },
  { op: 'ReduceSum', inputs: [`products${k}`, 'one'], outputs: [`square${k}`] },
  { op: 'Sqrt', inputs: [`square${k}`], outputs: [`length${k}`] },
  { op: 'Div', inputs: [`u${k}`, `length${k}`], outputs: [`unit${k}`] },
  { op: 'Div', inputs: [`raw${k}`, `length${k}`], outputs: [`image${k}`] },
  { op: 'Sub', inputs: [`unit${k}`, k === 0 ? 'unit' : `unit${k - 1}`], outputs: [`du${k}`] },
  { op: 'Sub', inputs: [`image${k}`, k === 0 ? 'image' : `image${k - 1}`], outputs: [`di${k}`] },
  { op: 'Mul', inputs: [`du${k}`, `di${k}`], outputs: [`changes${k}`] },
  { op: 'ReduceSum', inputs: [`changes${k}`, 'one'], outputs: [`change${k}`] },
  ...project(`image${k}`, `sound${k}`),
  ...through('l', `sound${k}`, `next${k}`),
  ...project(`next${k}`, `u${k + 1}`),
];

/**
 * `ROW_STEPS` steps of the power iteration of partial least squares over rows, for the tasks `which` of all: with Π the
 * projection on a task's training rows, less its mean and earlier scores, u ← u / √(uᵀKu), u ← ΠLΠKu.
 * Inputs, float64 but for `which` (int64 [m]): `k`, `l` [n, n]; `masks` [T, n], `bases` [T, b, n] orthonormal rows; `u0`, and
 * the `unit` and `image` of the step before [m, n]. Outputs by step s: `unit{s}` u / √(uᵀKu), `image{s}` its K·u [m, n],
 * `square{s}` uᵀKu, `change{s}` (u − u_old)ᵀK(u − u_old) of the unit ones [m, 1]; and the u to go on with, `u{ROW_STEPS}`.
 */
export const rowStepsModel = (): EngineModel => {
  const type = 'float64';
  const steps = Array.from({ length: ROW_STEPS }, (_, k) => k);
  const bytes = encodeModel({
    name: 'row-steps',
    opset: 17,
    inputs: [
      { name: 'k', type, shape: ['n', 'n'] },
      { name: 'l', type, shape: ['n', 'n'] },
      { name: 'masks', type, shape: ['t', 'n'] },
      { name: 'bases', type, shape: ['t', 'b', 'n'] },
      { name: 'which', type: 'int64', shape: ['m'] },
      ...['u0', 'unit', 'image'].map((name) => ({ name, type, shape: ['m', 'n'] }) as const),
    ],
    outputs: [
      ...steps.flatMap((k) => [
        { name: `unit${k}`, type, shape: ['m', 'n'] } as const,
        { name: `image${k}`, type, shape: ['m', 'n'] } as const,
        { name: `square${k}`, type, shape: ['m', 1] } as const,
        { name: `change${k}`, type, shape: ['m', 1] } as const,
      ]),
      { name: `u${ROW_STEPS}`, type, shape: ['m', 'n'] },
    ],
    initialisers: [
      { name: 'one', array: int64(1) },
      { name: 'two', array: int64(2) },
    ],
    nodes: [
      { op: 'Gather', inputs: ['masks', 'which'], outputs: ['mask'] },
      { op: 'Gather', inputs: ['bases', 'which'], outputs: ['basis'] },
      ...steps.flatMap(step),
    ],
  });
  return { bytes };
};
