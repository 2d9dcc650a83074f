import type { Comparison } from '../records/comparison.ts';
import { type Column, figure, tableLines } from './table.ts';

const columns: readonly Column[] = [
  { head: 'first', align: 'left' },
  { head: 'second', align: 'left' },
  { head: 'difference', align: 'right' },
  { head: '95 % interval', align: 'left' },
  { head: 'p', align: 'right' },
  { head: 'p (Holm)', align: 'right' },
  { head: 'verdict', align: 'left' },
];

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
      .map(({ name, value, layer }) => [figure(value), layer, name]),
  ),
  '',
  ...tableLines(
    columns,
    comparisons.map((each) => [
      each.first,
      each.second,
      figure(each.difference),
      each.interval === null
        ? '–'
        : `[${figure(each.interval.low)}, ${figure(each.interval.high)}]`,
      pText(each.p),
      pText(each.adjusted),
      verdict(each),
    ]),
  ),
  '',
  `${comparisons[0]?.method ?? ''}; inference is to these animals and sites`,
];
