import type { LearningCurvePoint, Score } from '../records/score.ts';
import { bytesText, type Column, durationText, numberText, tableLines } from './table.ts';

const columns = (of: string): Column[] => [
  { head: of, align: 'right' },
  { head: 'draws', align: 'right' },
  { head: 'raw', align: 'right' },
  { head: '±', align: 'right' },
  { head: 'ceiling', align: 'right' },
  { head: 'score', align: 'right' },
  { head: '±', align: 'right' },
];

const rows = (points: readonly LearningCurvePoint[], uncorrected: boolean): string[][] =>
  points.map(({ count, draws, raw, rawSpread, ceiling, value, valueSpread }) => [
    String(count),
    String(draws),
    numberText(raw),
    numberText(rawSpread),
    uncorrected ? 'none' : numberText(ceiling),
    numberText(value),
    numberText(valueSpread),
  ]);

/** What the plan of a curve shows; `LearningCurveCost` is one. */
export interface ShownLearningCurve {
  readonly tables: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** What a curve adds to a plan. */
export const learningCurvePlanLine = ({ tables, bytes, seconds }: ShownLearningCurve): string =>
  `curve: the best layer once more, for ${tables} draws of trials and sites; about ${bytesText(bytes)} of memory and ${durationText(seconds)} more`;

/** Score by the number of trials, and by the number of sites, where it was asked for. */
export const learningCurveLines = ({ learningCurve, protocol }: Score): string[] => {
  if (learningCurve === null) return [];
  const { layer, trials, sites } = learningCurve;
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
