import { inputError } from '../records/errors.ts';
import type { Engine } from '../records/ports.ts';
import type { PlsSettings } from '../records/protocol.ts';
import type { Fold } from './folds.ts';
import { type PlsForm, plsForm } from './forms.ts';
import { CHUNK_BYTES, PANEL_ROWS } from './gram.ts';
import { matrix, openProducts } from './products.ts';

/**
 * Throws an input error where a fold trains on too few rows: `c` components need `c + 1` rows, since centring takes one
 * direction away. (scikit-learn goes on with rounding noise.)
 */
export const checkFit = (rows: number, folds: readonly Fold[], { components }: PlsSettings) => {
  for (const { name, test } of folds) {
    const training = rows - test.length;
    if (training <= components) {
      throw inputError({
        where: `regression: ${name}`,
        expected: `at least ${components + 1} training rows for ${components} components`,
        got: `${training}`,
        mend: 'give more stimuli or use a protocol with fewer components',
      });
    }
  }
};

/** Throws an input error where a layer has fewer features than components, as scikit-learn does. */
export const checkFeatures = (name: string, columns: number, { components }: PlsSettings) => {
  if (columns < components) {
    throw inputError({
      where: `features of ${name}`,
      expected: `at least ${components} features for ${components} components`,
      got: `${columns}`,
      mend: 'leave the layer out or use a protocol with fewer components',
    });
  }
};

/** Multiplications from which on rounding the Gram product to float32 is worth trying. */
export const FLOAT32_PAYS = 4e12;

/** Bytes of working state of the tasks that go through the components together. */
export const GROUP_BYTES = 256 * 2 ** 20;

/** Bytes that one fold of one target set takes on its way. */
export const taskBytes = (
  form: PlsForm,
  { rows, columns, sites, components }: Pick<FitSize, 'rows' | 'columns' | 'sites' | 'components'>,
): number => {
  const square = Math.min(sites, form === 'covariance' || form === 'fused' ? columns : sites) ** 2;
  const held = {
    rows: rows * (components + 12) + sites * (components + 6),
    gram: rows * (sites + 3 * components) + square,
    features: columns * (sites + 2 * components) + rows * components + square,
    covariance: columns * (sites + 2 * components) + sites * components + square,
    fused: columns * (sites + 2 * components) + sites * components + square + 5 * rows,
  };
  return 8 * held[form];
};

/** What lies about between two collections of garbage. */
const GARBAGE_BYTES = 32 * 2 ** 20;

export interface FitSize {
  readonly rows: number;
  readonly columns: number;
  readonly folds: number;
  readonly sets: number;
  readonly sites: number;
  readonly components: number;
  readonly stopping: PlsSettings['stopping'];
}

/**
 * Peak bytes of `predictHeldOut` on a source in one block, that block (4 bytes a feature) included; for a source in
 * several blocks put in the columns of its widest block. Without the rerun on the features of a layer that turns out
 * rank-deficient, which may take 0.5 GB more.
 */
export const fitBytes = (size: FitSize): number => {
  const { rows, columns, folds, sets, sites } = size;
  const form = formOf(size);
  const task = taskBytes(form, size);
  const state = Math.min(folds * sets * task, GROUP_BYTES + task);
  const targets = 8 * rows * (sites + 1) * (2 * sets + 3);
  const panels = 4 * PANEL_ROWS * 8 * rows;
  // Covariances are made of those of blocks, which are there beside them.
  const working = {
    covariance: 8 * rows * columns + 8 * columns * columns * (2 * folds + 2),
    features: 16 * rows * columns,
    fused: 16 * rows * columns,
    gram: 8 * rows * rows + CHUNK_BYTES + panels,
    // XXᵀ, YYᵀ, and a copy of the targets.
    rows: 16 * rows * rows + Math.max(CHUNK_BYTES + panels, 16 * rows * sites),
  }[form];
  return 1.1 * (4 * rows * columns + working + state + targets) + GARBAGE_BYTES;
};

const formOf = ({ folds, sets, ...rest }: FitSize): PlsForm =>
  plsForm({ ...rest, splits: folds, fits: folds * sets });

/** What a multiplication outside the engine, and one in a thin product that waits for memory, costs beside one inside. */
const OUTSIDE = 16;
const THIN = 4;
/** Steps that the power iteration takes as a rule. */
const USUAL_STEPS = 40;

/** Multiplications of `predictHeldOut`, in units of those of a large product: divide by `measureSpeed` for seconds. */
export const fitOperations = (size: FitSize): number => {
  const { rows, columns, folds, sets, sites, components } = size;
  const parts = folds * sets * components;
  const vectors = sets * sites + parts;
  const form = formOf(size);
  const length = {
    covariance: columns,
    fused: columns,
    features: rows + columns,
    gram: 2 * rows,
    rows: 0,
  }[form];
  const side = {
    covariance: Math.min(sites, columns),
    fused: Math.min(sites, columns),
    features: sites,
    gram: sites,
    rows: 0,
  }[form];
  const outside = parts * (length * (2 * sites + 2 * components) + USUAL_STEPS * side * side);
  const inside = {
    covariance: rows * columns * (columns + 2 * vectors) + THIN * parts * columns * columns,
    fused: THIN * 2 * rows * columns * vectors,
    features: THIN * 2 * rows * columns * vectors,
    gram: (rows * rows * columns) / 2 + THIN * rows * rows * vectors,
    rows:
      (rows * rows * columns) / 2 +
      sets * rows * rows * sites +
      THIN * parts * rows * (2 * USUAL_STEPS * (rows + components) + 2 * sites),
  }[form];
  return OUTSIDE * outside + inside;
};

/** Multiplications per second that the engine manages on a float64 product of middling size. */
export const measureSpeed = async (engine: Engine, now: () => number): Promise<number> => {
  const products = openProducts(engine);
  const size = 512;
  const operand = matrix(new Float64Array(size * size).fill(1), size);
  await products.multiply('a·bᵀ', operand, operand);
  const from = now();
  const runs = 3;
  for (let i = 0; i < runs; i++) await products.multiply('a·bᵀ', operand, operand);
  const seconds = Math.max(now() - from, 1) / 1000;
  await products.release();
  return (runs * size ** 3) / seconds;
};
