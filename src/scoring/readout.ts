// A regression on all rows, for maps and saliency: sites that lack responses are fitted without the rows of these.

import { takeRows } from '../numeric/array.ts';
import type { FeatureSource } from '../records/activations.ts';
import type { Float64Nd, FloatNd } from '../records/array.ts';
import type { ReadoutJob } from '../regression/job.ts';
import { fitOnAllRows } from '../regression/regress.ts';
import { patternsOf } from './missing.ts';
import { filledWithMeans } from './regressions.ts';

/** `weights [features, sites]` and `offset [sites]`, with what a reader should know of them. */
export interface SiteReadouts {
  readonly weights: Float64Nd;
  readonly offset: Float64Array;
  readonly arithmetic: string;
  readonly warnings: readonly string[];
}

/** Fits responses `[rows, sites]` (NaN: missing) on a layer. Throws as `fitOnAllRows` does. */
export const fitReadouts = async (job: ReadoutJob, responses: Float64Nd): Promise<SiteReadouts> => {
  const { source } = job;
  const patterns = patternsOf(responses);
  if (patterns.length === 1 && patterns[0]!.rows.length === 0) return fitOnAllRows(job, responses);
  const [all = 0, sites = 0] = responses.shape;
  const rowsOf = await rereadable(source);
  const weights: Float64Nd = {
    data: new Float64Array(source.columns * sites),
    shape: [source.columns, sites],
  };
  const offset = new Float64Array(sites);
  const arithmetic = new Set<string>();
  const warnings = new Set<string>();
  const filled = filledWithMeans(responses);
  for (const { columns, rows } of patterns) {
    const lacking = new Set(rows);
    const there = Int32Array.from({ length: all }, (_, row) => row).filter(
      (row) => !lacking.has(row),
    );
    const fit = await fitOnAllRows({ ...job, source: rowsOf(there) }, takeRows(filled, there));
    for (const column of columns) {
      offset[column] = fit.offset[column]!;
      for (let k = 0; k < source.columns; k++)
        weights.data[k * sites + column] = fit.weights.data[k * sites + column]!;
    }
    arithmetic.add(fit.arithmetic);
    for (const warning of fit.warnings) warnings.add(warning);
  }
  return { weights, offset, arithmetic: [...arithmetic].join(', '), warnings: [...warnings] };
};

/** Sources of some rows of a layer, as often as they are asked for: a single block, which is given once, is kept. */
const rereadable = async (source: FeatureSource): Promise<(rows: Int32Array) => FeatureSource> => {
  const kept: FloatNd[] = [];
  if (source.blockCount === 1) for await (const block of source.blocks()) kept.push(block);
  return (rows) => ({
    ...source,
    rows: rows.length,
    async *blocks() {
      if (source.blockCount === 1) for (const block of kept) yield takeRows(block, rows);
      else for await (const block of source.blocks()) yield takeRows(block, rows);
    },
  });
};
