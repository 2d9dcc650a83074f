import { encodeCsv } from '../formats/csv.ts';
import { npzParts } from '../formats/npz.ts';
import type { Float64Nd } from '../records/array.ts';
import type { Score } from '../records/score.ts';

const encodeText = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The score file: indented JSON, fields in the order of the record. */
export const encodeScore = (score: Score): Uint8Array =>
  encodeText(`${JSON.stringify(score, null, 2)}\n`);

const cell = (value: number | null): string => (value === null ? '' : String(value));

/** One line per layer and site; an empty cell where a figure is not defined. */
export const encodeSites = (score: Score): Uint8Array => {
  const { model, activations } = score.provenance;
  const subject = model?.name ?? activations?.name ?? '';
  const bin = `${score.timeBin.start}-${score.timeBin.end}`;
  return encodeText(
    encodeCsv(
      ['model', 'area', 'time_bin', 'layer', 'site', 'raw', 'ceiling', 'value'],
      score.layers.flatMap(({ layer, sites }) =>
        sites.map(({ site, raw, ceiling, value }) => [
          subject,
          score.area,
          bin,
          layer,
          site,
          cell(raw),
          cell(ceiling),
          cell(value),
        ]),
      ),
    ),
  );
};

const strings = (values: readonly string[]) => ({ strings: values, shape: [values.length] });

/** `recorded` and `predicted` `[rows, sites]`, `stimulus_id` of each row, `site_id` of each column. */
export const predictionParts = (predictions: {
  readonly recorded: Float64Nd;
  readonly predicted: Float64Nd;
  readonly stimulusIds: readonly string[];
  readonly siteIds: readonly string[];
}): readonly Uint8Array[] =>
  npzParts({
    recorded: predictions.recorded,
    predicted: predictions.predicted,
    stimulus_id: strings(predictions.stimulusIds),
    site_id: strings(predictions.siteIds),
  });

/** `weights` `[features, sites]`, `offset` `[sites]`, `site_id`, `layer`: prediction = features · weights + offset. */
export const readoutParts = (
  readout: { readonly weights: Float64Nd; readonly offset: Float64Array },
  layer: string,
  siteIds: readonly string[],
): readonly Uint8Array[] =>
  npzParts({
    weights: readout.weights,
    offset: { data: readout.offset, shape: [readout.offset.length] },
    site_id: strings(siteIds),
    layer: strings([layer]),
  });
