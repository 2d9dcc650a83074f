import type { EngineModel } from '../records/ports.ts';
import { encodeModel } from './encode.ts';

export type ProductForm = 'a·b' | 'a·bᵀ' | 'aᵀ·b';

/**
 * Inputs `a`, `b`, output `c`: the product of two matrices.
 * Shapes by form: [i, k]·[k, j], [i, k]·[j, k]ᵀ, [k, i]ᵀ·[k, j]; `c` is [i, j].
 */
export const productModel = (form: ProductForm, type: 'float32' | 'float64'): EngineModel => {
  const a = form === 'aᵀ·b' ? ['k', 'i'] : ['i', 'k'];
  const b = form === 'a·bᵀ' ? ['j', 'k'] : ['k', 'j'];
  const bytes = encodeModel({
    name: 'product',
    opset: 17,
    inputs: [
      { name: 'a', type, shape: a },
      { name: 'b', type, shape: b },
    ],
    outputs: [{ name: 'c', type, shape: ['i', 'j'] }],
    initialisers: [],
    nodes: [
      form === 'a·b'
        ? { op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }
        : {
            op: 'Gemm',
            inputs: ['a', 'b'],
            outputs: ['c'],
            attributes: {
              transA: { int: form === 'aᵀ·b' ? 1 : 0 },
              transB: { int: form === 'a·bᵀ' ? 1 : 0 },
            },
          },
    ],
  });
  return { bytes };
};

/** Inputs `a` [f, i, k], `b` [f, k, j], output `c` [f, i, j], float64: the products of f pairs of matrices. */
export const stackedProductModel = (): EngineModel => {
  const type = 'float64';
  const bytes = encodeModel({
    name: 'products',
    opset: 17,
    inputs: [
      { name: 'a', type, shape: ['f', 'i', 'k'] },
      { name: 'b', type, shape: ['f', 'k', 'j'] },
    ],
    outputs: [{ name: 'c', type, shape: ['f', 'i', 'j'] }],
    initialisers: [],
    nodes: [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  });
  return { bytes };
};

/**
 * A model of the product of a float32 matrix `x` less its column means, centred in float64 on the way, with `b`.
 * Inputs `x` [n, p] float32, `mean` [p] float64, `b` float64 ([p, j] or, for 'aᵀ·b', [n, j]); output `c` float64.
 */
export const centredProductModel = (form: 'a·b' | 'aᵀ·b'): EngineModel => {
  const type = 'float64';
  const bytes = encodeModel({
    name: 'centred-product',
    opset: 17,
    inputs: [
      { name: 'x', type: 'float32', shape: ['n', 'p'] },
      { name: 'mean', type, shape: ['p'] },
      { name: 'b', type, shape: [form === 'a·b' ? 'p' : 'n', 'j'] },
    ],
    outputs: [{ name: 'c', type, shape: [form === 'a·b' ? 'n' : 'p', 'j'] }],
    initialisers: [],
    nodes: [
      // 11 is DOUBLE among ONNX's element types.
      { op: 'Cast', inputs: ['x'], outputs: ['wide'], attributes: { to: { int: 11 } } },
      { op: 'Sub', inputs: ['wide', 'mean'], outputs: ['centred'] },
      {
        op: 'Gemm',
        inputs: ['centred', 'b'],
        outputs: ['c'],
        attributes: { transA: { int: form === 'a·b' ? 0 : 1 } },
      },
    ],
  });
  return { bytes };
};

/**
 * Xᵀ of the scores X·r of m tasks, each over its training rows less their mean there: inputs, all float64, `x` [n, p], the
 * `r` as rows [m, p], `mask` [n, m] 1 on training rows, `share` [m] 1 over their number; output `c` [m, p].
 */
export const trainingImagesModel = (): EngineModel => {
  const type = 'float64';
  const bytes = encodeModel({
    name: 'training-images',
    opset: 17,
    inputs: [
      { name: 'x', type, shape: ['n', 'p'] },
      { name: 'r', type, shape: ['m', 'p'] },
      { name: 'mask', type, shape: ['n', 'm'] },
      { name: 'share', type, shape: ['m'] },
    ],
    outputs: [{ name: 'c', type, shape: ['m', 'p'] }],
    initialisers: [{ name: 'rows', array: { data: BigInt64Array.of(0n), shape: [1] } }],
    nodes: [
      { op: 'Gemm', inputs: ['x', 'r'], outputs: ['t'], attributes: { transB: { int: 1 } } },
      { op: 'Mul', inputs: ['t', 'mask'], outputs: ['masked'] },
      { op: 'ReduceSum', inputs: ['masked', 'rows'], outputs: ['sums'] },
      { op: 'Mul', inputs: ['sums', 'share'], outputs: ['means'] },
      { op: 'Sub', inputs: ['t', 'means'], outputs: ['shifted'] },
      { op: 'Mul', inputs: ['shifted', 'mask'], outputs: ['centred'] },
      { op: 'Gemm', inputs: ['centred', 'x'], outputs: ['c'], attributes: { transA: { int: 1 } } },
    ],
  });
  return { bytes };
};

/**
 * All that a component of kernel partial least squares asks of the Gram matrix, in one run: for m vectors, the rows of
 * `t`, the images K·tᵀ, and the products of both with the rows of `y`, those of the images where `mask` is 1.
 * Inputs, all float64, `k` [n, n], `t` [m, n], `mask` [n, m], `y` [r, n]; outputs `h` [n, m], `yt` and `yh` [r, m].
 */
export const gramScoresModel = (): EngineModel => {
  const type = 'float64';
  const bytes = encodeModel({
    name: 'images',
    opset: 17,
    inputs: [
      { name: 'k', type, shape: ['n', 'n'] },
      { name: 't', type, shape: ['m', 'n'] },
      { name: 'mask', type, shape: ['n', 'm'] },
      { name: 'y', type, shape: ['r', 'n'] },
    ],
    outputs: [
      { name: 'h', type, shape: ['n', 'm'] },
      { name: 'yt', type, shape: ['r', 'm'] },
      { name: 'yh', type, shape: ['r', 'm'] },
    ],
    initialisers: [],
    nodes: [
      // A right operand is copied into blocks first: with K there, a few vectors take twice as long.
      { op: 'Gemm', inputs: ['k', 't'], outputs: ['h'], attributes: { transB: { int: 1 } } },
      { op: 'Mul', inputs: ['h', 'mask'], outputs: ['masked'] },
      { op: 'Gemm', inputs: ['y', 't'], outputs: ['yt'], attributes: { transB: { int: 1 } } },
      { op: 'MatMul', inputs: ['y', 'masked'], outputs: ['yh'] },
    ],
  });
  return { bytes };
};
