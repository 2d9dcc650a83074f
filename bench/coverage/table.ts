// The study as Markdown.

import type { Cell } from './design.ts';
import { type Piece, togetherOf, type values } from './pieces.ts';

interface Row {
  readonly cell: Cell;
  readonly pieces: readonly Piece[];
}

const percent = (part: number, whole: number): string => ((100 * part) / whole).toFixed(1);

const digits = (value: number): string => value.toFixed(3).replace(/^(-?)0\./, '$1.');

/** Truth, bias, standard deviation of the error, half width as a standard deviation, coverage. */
const cellsOf = ({ sums }: Piece, value: (typeof values)[number]): string[] => {
  const { worlds, truth, error, squaredError, squaredHalf, covered } = sums[value];
  const bias = error / worlds;
  const spread = Math.sqrt(squaredError / worlds - bias ** 2);
  return [
    digits(truth / worlds),
    digits(bias),
    digits(spread),
    digits(Math.sqrt(squaredHalf / worlds) / 1.96),
    percent(covered, worlds),
  ];
};

/** Bias and coverage beside what is true of the sites in use. */
const ofUsed = ({ sums }: Piece, value: 'scoreOfUsed' | 'ceilingOfUsed'): string[] => {
  const { worlds, error, covered } = sums[value];
  return worlds === 0 ? ['', ''] : [digits(error / worlds), percent(covered, worlds)];
};

const line = (parts: readonly string[]): string => `| ${parts.join(' | ')} |`;

const tableWith = (heads: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  line(heads),
  line(heads.map((_, k) => (k === 0 ? '---' : '---:'))),
  ...rows.map(line),
];

const finished = (all: readonly Row[]) =>
  all
    .filter(({ pieces }) => pieces.length > 0)
    .map(({ cell, pieces }) => ({ cell, piece: togetherOf(pieces) }));

const notRun = (all: readonly Row[]): string[] => {
  const missing = all.filter(({ pieces }) => pieces.length === 0).map(({ cell }) => cell.name);
  return missing.length > 0 ? ['', `Not run yet: ${missing.join(', ')}.`] : [];
};

/** What the documentation shows: bias, coverage and rejections, of the cells with equal networks; then of the others. */
export const shortTableOf = (all: readonly Row[]): string[] => {
  const done = finished(all);
  const rejections = ({ sums, rejected, rejectedByEffect }: Piece): string[] => [
    percent(rejected, sums.difference.worlds),
    percent(rejectedByEffect, sums.effect.worlds),
  ];
  const equal = done.filter(({ cell }) => cell.handicap === 0);
  const unequal = done.filter(({ cell }) => cell.handicap > 0);
  const pHeads = ['difference: p ≤ .05 %', 'effect: p ≤ .05 %'];
  return [
    ...tableWith(
      [
        ...['cell', 'worlds', 'no score %', 'score: bias', 'covered %'],
        ...['sites in use: bias', 'covered %', 'ceiling: covered %', 'sites in use: covered %'],
        ...pHeads,
      ],
      equal.map(({ cell, piece }) => {
        const [, bias, , , covered] = cellsOf(piece, 'score');
        const ceiling = cellsOf(piece, 'ceiling').at(-1)!;
        const ceilingOfUsed = ofUsed(piece, 'ceilingOfUsed').at(-1)!;
        return [
          ...[cell.name, `${piece.worlds}`, percent(piece.noScore, piece.worlds)],
          ...[bias!, covered!, ...ofUsed(piece, 'scoreOfUsed'), ceiling, ceilingOfUsed],
          ...rejections(piece),
        ];
      }),
    ),
    '',
    ...tableWith(
      ['cell, handicap', 'worlds', 'difference: truth', 'effect: truth', ...pHeads],
      unequal.map(({ cell, piece }) => [
        ...[cell.name, `${piece.worlds}`],
        ...[cellsOf(piece, 'difference')[0]!, cellsOf(piece, 'effect')[0]!],
        ...rejections(piece),
      ]),
    ),
    ...notRun(all),
  ];
};

/** Everything. Cells without a piece are named at the end. */
export const tableOf = (all: readonly Row[]): string[] => {
  const done = finished(all);
  const equal = done.filter(({ cell }) => cell.handicap === 0);
  const valueHeads = ['truth', 'bias', 'sd', 'width', 'covered %'];
  const usedHeads = ['bias, sites in use', 'covered %, sites in use'];
  const headsOf = (value: string): string[] =>
    [...valueHeads, ...usedHeads].map((head) => `${value}: ${head}`);
  const scores = equal.map(({ cell, piece }) => [
    cell.name,
    `${piece.worlds}`,
    percent(piece.noScore, piece.worlds),
    ...cellsOf(piece, 'score'),
    ...ofUsed(piece, 'scoreOfUsed'),
    digits(piece.sums.raw.error / piece.sums.raw.worlds),
    ...cellsOf(piece, 'ceiling'),
    ...ofUsed(piece, 'ceilingOfUsed'),
  ]);
  const comparisons = done.map(({ cell, piece }) => {
    const { worlds } = piece.sums.difference;
    const [truth, , ...difference] = cellsOf(piece, 'difference');
    const [effect, , ...paired] = cellsOf(piece, 'effect');
    return [
      cell.name,
      `${piece.worlds}`,
      truth!,
      ...difference,
      percent(piece.rejected, worlds),
      effect!,
      ...paired,
      percent(piece.rejectedByEffect, worlds),
    ];
  });
  const comparedHeads = ['sd', 'width', 'covered %', 'p ≤ .05 %'];
  return [
    ...tableWith(
      ['cell', 'worlds', 'no score %', ...headsOf('score'), 'raw: bias', ...headsOf('ceiling')],
      scores,
    ),
    '',
    ...tableWith(
      [
        'cell',
        'worlds',
        'difference: truth',
        ...comparedHeads.map((head) => `difference: ${head}`),
        'paired effect: truth',
        ...comparedHeads.map((head) => `effect: ${head}`),
      ],
      comparisons,
    ),
    ...notRun(all),
  ];
};
