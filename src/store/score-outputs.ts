import type { Float64Nd } from '../records/array.ts';
import type { LayerPredictions } from '../records/layer-predictions.ts';
import type { HeldOut, Score } from '../records/score.ts';
import { readoutPath } from './readout-files.ts';
import {
  encodeScore,
  layerPredictionParts,
  layerPredictionsPath,
  predictionParts,
  predictionsPath,
  readoutParts,
} from './score-files.ts';
import { encodeScoreCsv, encodeScoreParquet } from './score-table.ts';
import type { Output } from './write-together.ts';

/** What of a run is kept beside its score file, if it is asked for. */
export const keepable = ['predictions', 'layer-predictions', 'readout'] as const;
export type Keep = (typeof keepable)[number];

/** Paths of what is written of a score; what is kept lies beside `out`. */
export interface ScoreFiles {
  readonly out?: string;
  readonly csv?: string;
  readonly parquet?: string;
  readonly keep?: readonly Keep[];
}

/** A score, and what its run knows beside it. */
interface Kept {
  readonly score: Score;
  readonly predictions: HeldOut;
  readonly layerPredictions: () => LayerPredictions;
  readonly readout: () => Promise<{ readonly weights: Float64Nd; readonly offset: Float64Array }>;
}

const paths: Readonly<Record<Keep, (scorePath: string) => string>> = {
  predictions: predictionsPath,
  'layer-predictions': layerPredictionsPath,
  readout: readoutPath,
};

/** Where something that is kept lies, beside the score file. */
export const keptPath = (scorePath: string, what: Keep): string => paths[what](scorePath);

/** The files of a score. The score file comes last: where it is, everything else is. */
export const scoreOutputs = async (
  { score, predictions, layerPredictions, readout }: Kept,
  { out, csv, parquet, keep = [] }: ScoreFiles,
): Promise<Output[]> => {
  const partsOf = async (what: Keep): Promise<readonly Uint8Array[]> => {
    switch (what) {
      case 'predictions':
        return predictionParts(predictions);
      case 'layer-predictions':
        return layerPredictionParts(layerPredictions());
      case 'readout':
        return readoutParts(await readout(), score.layer, predictions.siteIds);
    }
  };
  const kept: Output[] = [];
  if (out !== undefined)
    for (const what of keep) kept.push({ path: keptPath(out, what), parts: await partsOf(what) });
  return [
    ...kept,
    ...(csv === undefined ? [] : [{ path: csv, parts: [encodeScoreCsv(score)] }]),
    ...(parquet === undefined ? [] : [{ path: parquet, parts: [encodeScoreParquet(score)] }]),
    ...(out === undefined ? [] : [{ path: out, parts: [encodeScore(score)] }]),
  ];
};
