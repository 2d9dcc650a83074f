import { inputError } from '../records/errors.ts';
import type { Engine } from '../records/ports.ts';
import type { PlsSettings } from '../records/protocol.ts';
import type { Fold } from './folds.ts';
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

/** Whether a layer is small enough to work on its features instead of on a Gram matrix. */
export const isNarrow = (rows: number, columns: number): boolean => columns <= 0.75 * rows;

/** Multiplications from which on rounding the Gram product to float32 is worth trying. */
export const FLOAT32_PAYS = 4e12;

/** Bytes of working state of the tasks that go through the components together. */
export const GROUP_BYTES = 256 * 2 ** 20;

/** Bytes that one fold of one target set takes on its way. */
export const taskBytes = (
  form: 'gram' | 'features',
  { rows, columns, sites, components }: Omit<FitSize, 'folds' | 'sets'>,
): number =>
  form === 'features'
    ? 8 * (columns * (sites + 2 * components) + rows * components)
    : 8 * rows * (sites + 3 * components);

/** What lies about between two collections of garbage. */
const GARBAGE_BYTES = 32 * 2 ** 20;

export interface FitSize {
  readonly rows: number;
  readonly columns: number;
  readonly folds: number;
  readonly sets: number;
  readonly sites: number;
  readonly components: number;
}

/**
 * Peak bytes of `predictHeldOut` on a source in one block, that block (4 bytes a feature) included; for a source in
 * several blocks put in the columns of its widest block. Without the rerun on the features of a layer that turns out
 * rank-deficient, which may take 0.5 GB more.
 */
export const fitBytes = (size: FitSize): number => {
  const { rows, columns, folds, sets, sites } = size;
  const task = taskBytes(isNarrow(rows, columns) ? 'features' : 'gram', size);
  const state = Math.min(folds * sets * task, GROUP_BYTES + task);
  const targets = 8 * rows * (sites + 1) * (2 * sets + 3);
  const panels = 4 * PANEL_ROWS * 8 * rows;
  const working = isNarrow(rows, columns)
    ? 16 * rows * columns
    : 8 * rows * rows + CHUNK_BYTES + panels;
  return 1.1 * (4 * rows * columns + working + state + targets) + GARBAGE_BYTES;
};

/** What a multiplication outside the engine, and one in a thin product that waits for memory, costs beside one inside. */
const OUTSIDE = 16;
const THIN = 4;
/** Steps that the power iteration takes as a rule. */
const USUAL_STEPS = 40;

/** Multiplications of `predictHeldOut`, in units of those of a large product: divide by `measureSpeed` for seconds. */
export const fitOperations = ({
  rows,
  columns,
  folds,
  sets,
  sites,
  components,
}: FitSize): number => {
  const parts = folds * sets * components;
  const vectors = sets * sites + parts;
  const narrow = isNarrow(rows, columns);
  const length = rows + (narrow ? columns : rows);
  const outside = parts * (length * (2 * sites + 2 * components) + USUAL_STEPS * sites * sites);
  return (
    OUTSIDE * outside +
    (narrow
      ? THIN * 2 * rows * columns * vectors
      : (rows * rows * columns) / 2 + THIN * rows * rows * vectors)
  );
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
