import type { CurvePoint, Score } from '../records/score.ts';
import { bytesText, type Column, durationText, figure, tableLines } from './table.ts';

const columns = (of: string): Column[] => [
  { head: of, align: 'right' },
  { head: 'draws', align: 'right' },
  { head: 'raw', align: 'right' },
  { head: '±', align: 'right' },
  { head: 'ceiling', align: 'right' },
  { head: 'score', align: 'right' },
  { head: '±', align: 'right' },
];

const rows = (points: readonly CurvePoint[], uncorrected: boolean): string[][] =>
  points.map(({ count, draws, raw, rawSpread, ceiling, value, valueSpread }) => [
    String(count),
    String(draws),
    figure(raw),
    figure(rawSpread),
    uncorrected ? 'none' : figure(ceiling),
    figure(value),
    figure(valueSpread),
  ]);

/** What the plan of a curve shows; `CurveEffort` is one. */
export interface ShownCurve {
  readonly tables: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** What a curve adds to a plan. */
export const curvePlanLine = ({ tables, bytes, seconds }: ShownCurve): string =>
  `curve: the best layer once more, for ${tables} draws of trials and sites; about ${bytesText(bytes)} of memory and ${durationText(seconds)} more`;

/** Score by the number of trials, and by the number of sites, where it was asked for. */
export const curveLines = ({ curve, protocol }: Score): string[] => {
  if (curve === null) return [];
  const { layer, trials, sites } = curve;
  const uncorrected = protocol.ceiling.kind === 'none';
  return [
    '',
    `${layer}, had there been fewer trials or sites (mean ± standard deviation over draws from this recording)`,
    '',
    ...(trials.length > 0
      ? [...tableLines(columns('trials'), rows(trials, uncorrected)), '']
      : ['no curve over trials: nothing was repeated', '']),
    ...tableLines(columns('sites'), rows(sites, uncorrected)),
    '',
  ];
};
