// Scores of areas whose layers predict them by a known correlation, without a network.

import type { AreaScores } from '../../src/analysis/resample-layers.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { median, pearson } from '../../src/numeric/statistics.ts';
import type { LayerScore, Score } from '../../src/records/score.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { madeProvenance } from '../made-score.ts';

export interface MadeArea {
  readonly area: string;
  /** True correlation of each layer's predictions with the responses. */
  readonly levels: readonly number[];
  readonly images?: number;
  readonly sites?: number;
  readonly stimuli?: string;
  readonly keep?: boolean;
}

/** An image-cv score with ceilings of 0.8, its fields that a profile reads, and its layers' predictions. */
export const madeArea = ({
  area,
  levels,
  images = 200,
  sites = 12,
  stimuli = 'one set',
  keep = true,
}: MadeArea): AreaScores => {
  const random = createRandom(`made ${area}`);
  const recorded = Float64Array.from({ length: images * sites }, () => random.normal());
  const predicted = levels.map((r) =>
    recorded.map((value) => r * value + Math.sqrt(1 - r * r) * random.normal()),
  );
  const column = (table: Float64Array, site: number): Float64Array =>
    table.filter((_, index) => index % sites === site);
  const layers = levels.map((_, layer) => {
    const values = Array.from(
      { length: sites },
      (_, s) => pearson(column(recorded, s), column(predicted[layer]!, s)) / 0.8,
    );
    return {
      layer: `layer${layer + 1}`,
      features: 10,
      place: { index: layer, of: levels.length } as LayerScore['place'],
      value: median(values),
      folds: [],
      sites: values.map((value, s) => ({ site: `s${s}`, value })),
    };
  });
  const score = {
    area,
    layers,
    timeBin: { start: 70, end: 170 },
    protocol: protocolNamed('image-cv', 'image')!,
    provenance: madeProvenance([
      { role: 'model', name: 'net.onnx', sha256: 'network' },
      { role: 'recording', name: `recording of ${area}`, sha256: area },
      { role: 'stimuli', name: `recording of ${area}`, sha256: stimuli, count: images },
      { role: 'protocol', name: 'image-cv', sha256: 'protocol' },
    ]),
  } as unknown as Score;
  const all = new Float64Array(levels.length * images * sites);
  predicted.forEach((table, layer) => {
    all.set(table, layer * images * sites);
  });
  return {
    file: `${area}.json`,
    score,
    predictions: keep
      ? {
          layers: layers.map(({ layer }) => layer),
          recorded: { data: recorded, shape: [images, sites] },
          predicted: { data: all, shape: [levels.length, images, sites] },
          groups: new Int32Array(images),
          folds: new Int32Array(images),
          ceiling: { data: new Float64Array(sites).fill(0.8), shape: [1, sites] },
          stimulusIds: Array.from({ length: images }, (_, i) => `i${i}`),
          siteIds: Array.from({ length: sites }, (_, s) => `s${s}`),
        }
      : null,
  };
};
