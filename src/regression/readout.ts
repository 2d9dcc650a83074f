import type { Float64Nd } from '../records/array.ts';
import { runFeaturePls } from './feature-pls.ts';
import { columnMeans, writeCentred } from './features.ts';
import { type Arithmetic, type PlsContext, precisionsFor, withGram } from './fit.ts';
import { isNarrow } from './forms.ts';
import { chunkColumns, type LayerContext } from './gram.ts';
import { runDualPls } from './kernel-pls.ts';
import { denseOperator, type FeatureOperator, readDense, streamedOperator } from './operators.ts';
import { matrix } from './products.ts';
import type { Task } from './task.ts';
import type { FitOutcome } from './warnings.ts';

/** Weights [columns, sites] of the centred features, and how they were found. */
export interface FittedWeights {
  readonly weights: Float64Nd;
  readonly means: Float64Array;
  readonly constantColumns: number;
  readonly arithmetic: Arithmetic;
  readonly outcome: FitOutcome;
}

const outcomeOf = ({ components, ending, unsettled }: Task, deflated: boolean): FitOutcome => ({
  components,
  ending,
  unsettled,
  deflated,
});

/** Σ_a r_a q_aᵀ with t_a = X·r_a. */
const onFeatures = async (
  context: PlsContext,
  operator: FeatureOperator,
  task: Task,
): Promise<Float64Nd> => {
  const { products, settings, steps } = context;
  steps.expect(settings.components);
  const [rotations] = await runFeaturePls(context, operator, [task], true);
  const { loadings, scoreNorms, targets } = task;
  // Components that were given up are left out.
  loadings.fill(0, task.components * targets.sites);
  const a = scoreNorms.length;
  const data = await products.multiply('aᵀ·b', matrix(rotations!, a), matrix(loadings, a));
  return { data, shape: [operator.columns, targets.sites] };
};

/** Xᵀ·dual of the centred features [p, sites] for `dual` [n, sites] in fold order, some columns at a time. */
export const weightsFromDual = async (
  { engine, products, features, order, steps }: LayerContext,
  dual: Float64Array,
): Promise<Float64Nd> => {
  const { rows: n, columns: p, name } = features;
  const sites = dual.length / n;
  const data = new Float64Array(p * sites);
  const width = chunkColumns(n, p);
  let offset = 0;
  for await (const block of features.blocks()) {
    const columns = block.shape[1]!;
    for (let from = 0; from < columns; from += width) {
      const to = Math.min(from + width, columns);
      const { means } = columnMeans(block, from, to, name, offset + from);
      const chunk = new Float64Array(n * (to - from));
      writeCentred(block, { from, order, means }, { out: chunk, stride: to - from, at: 0 });
      const held = await engine.hold({ data: chunk, shape: [n, to - from] });
      try {
        const some = await products.multiply('aᵀ·b', { held }, matrix(dual, n));
        data.set(some, (offset + from) * sites);
      } finally {
        await engine.drop(held);
      }
      steps.checkStop();
    }
    offset += columns;
  }
  return { data, shape: [p, sites] };
};

const fitNarrow = async (context: PlsContext, start: () => Task): Promise<FittedWeights> => {
  const { engine, products, features, order } = context;
  const operator = await denseOperator(engine, products, await readDense(features, order));
  features.drop();
  try {
    const task = start();
    const weights = await onFeatures(context, operator, task);
    const { means, constantColumns } = operator;
    const outcome = outcomeOf(task, false);
    return { weights, means, constantColumns, arithmetic: 'features', outcome };
  } finally {
    await operator.release();
  }
};

const fitWide = async (context: PlsContext, start: () => Task): Promise<FittedWeights> => {
  const { engine, products, features, order, settings, steps } = context;
  for (const precision of precisionsFor(features, settings)) {
    const { task, dual, means, constantColumns } = await withGram(
      context,
      precision,
      async (gram) => {
        const fresh = start();
        steps.expect(settings.components);
        return {
          ...gram,
          task: fresh,
          dual: await runDualPls(context, gram, fresh),
        };
      },
    );
    const imprecise = task.ending === 'imprecise';
    if (imprecise && precision === 'float32') continue;
    const block = imprecise ? await features.resident() : null;
    if (block === null) {
      const weights = await weightsFromDual(context, dual);
      const outcome = outcomeOf(task, false);
      return { weights, means, constantColumns, arithmetic: `${precision} gram`, outcome };
    }
    features.drop();
    const operator = await streamedOperator(engine, products, block, order, means);
    try {
      const again = start();
      const weights = await onFeatures(context, operator, again);
      const outcome = outcomeOf(again, true);
      return { weights, means, constantColumns, arithmetic: 'deflated', outcome };
    } finally {
      await operator.release();
    }
  }
  throw new Error('the last arithmetic is never given up');
};

/** One regression on all rows, in float32 where that is accurate enough, as `runPls` decides it for folds. */
export const fitWeights = (context: PlsContext, start: () => Task): Promise<FittedWeights> =>
  isNarrow(context.features.rows, context.features.columns)
    ? fitNarrow(context, start)
    : fitWide(context, start);
