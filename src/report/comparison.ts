import type { Comparison } from '../records/comparison.ts';
import { type Column, numberText, tableLines } from './table.ts';

const pair: readonly Column[] = [
  { head: 'first', align: 'left' },
  { head: 'second', align: 'left' },
];

const columns: readonly Column[] = [
  ...pair,
  { head: 'difference', align: 'right' },
  { head: '95 % interval', align: 'left' },
  { head: 'p', align: 'right' },
  { head: 'p (Holm)', align: 'right' },
  { head: 'verdict', align: 'left' },
];

const effectColumns: readonly Column[] = [
  ...pair,
  { head: 'paired effect', align: 'right' },
  { head: '95 % interval', align: 'left' },
  { head: 'p', align: 'right' },
  { head: 'sites for the first', align: 'right' },
  { head: 'for the second', align: 'right' },
];

const rangeText = (interval: Comparison['interval']): string =>
  interval === null ? '–' : `[${numberText(interval.low)}, ${numberText(interval.high)}]`;

/** Median over sites of paired differences, where predictions were kept. */
const effectLines = (comparisons: readonly Comparison[]): string[] => {
  const rows = comparisons.flatMap(({ first, second, effect }) =>
    effect === null
      ? []
      : [
          [
            first,
            second,
            numberText(effect.value),
            rangeText(effect.interval),
            effect.p === null ? '–' : pText(effect.p),
            `${effect.first} of ${effect.sites}`,
            `${effect.second}`,
          ],
        ],
  );
  return rows.length === 0 ? [] : ['', ...tableLines(effectColumns, rows)];
};

const undefinedText = (comparisons: readonly Comparison[]): string[] => {
  const lost = comparisons.reduce((sum, { undefinedDraws }) => sum + undefinedDraws, 0);
  return lost === 0 ? [] : [`${lost} draws in which a difference is not defined do not count`];
};

const pText = (p: number): string => (p < 0.0001 ? '<.0001' : p.toFixed(4));

/** Ranks first: scores whose difference does not hold after Holm's correction are ties, and are said to be. */
const verdict = ({ first, second, difference, adjusted }: Comparison): string => {
  if (adjusted >= 0.05) return 'tie';
  return `${difference > 0 ? first : second} is higher`;
};

export const comparisonLines = (
  scores: readonly { readonly name: string; readonly value: number; readonly layer: string }[],
  comparisons: readonly Comparison[],
): string[] => [
  ...tableLines(
    [
      { head: 'score', align: 'right' },
      { head: 'layer', align: 'left' },
      { head: 'file', align: 'left' },
    ],
    scores
      .toSorted((a, b) => b.value - a.value)
      .map(({ name, value, layer }) => [numberText(value), layer, name]),
  ),
  '',
  ...tableLines(
    columns,
    comparisons.map((each) => [
      each.first,
      each.second,
      numberText(each.difference),
      rangeText(each.interval),
      pText(each.p),
      pText(each.adjusted),
      verdict(each),
    ]),
  ),
  ...effectLines(comparisons),
  '',
  ...undefinedText(comparisons),
  `${comparisons[0]?.method ?? ''}; inference is to these animals and sites`,
];
