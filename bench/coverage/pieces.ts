// Finished pieces of the study: sums over worlds, so that pieces of any machine add up.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Held, Measured } from './measure.ts';

/** Sums over the worlds that have a value. */
interface ValueSums {
  readonly worlds: number;
  readonly truth: number;
  readonly error: number;
  readonly squaredError: number;
  /** Squared halves of intervals' widths. */
  readonly squaredHalf: number;
  readonly covered: number;
}

export const values = [
  'score',
  'scoreOfUsed',
  'raw',
  'ceiling',
  'ceilingOfUsed',
  'difference',
  'effect',
] as const;

/** Consecutive worlds of a cell. */
export interface Piece {
  readonly first: number;
  readonly worlds: number;
  readonly noScore: number;
  readonly sums: Readonly<Record<(typeof values)[number], ValueSums>>;
  /** Worlds in which the scores, and the sites' paired differences, are told apart at .05. */
  readonly rejected: number;
  readonly rejectedByEffect: number;
}

const none: ValueSums = {
  ...{ worlds: 0, truth: 0, error: 0, squaredError: 0, squaredHalf: 0, covered: 0 },
};

const added = (a: ValueSums, b: ValueSums): ValueSums => ({
  worlds: a.worlds + b.worlds,
  truth: a.truth + b.truth,
  error: a.error + b.error,
  squaredError: a.squaredError + b.squaredError,
  squaredHalf: a.squaredHalf + b.squaredHalf,
  covered: a.covered + b.covered,
});

const sumsOf = ({ value, truth, low, high }: Held): ValueSums => ({
  worlds: 1,
  truth,
  error: value - truth,
  squaredError: (value - truth) ** 2,
  squaredHalf: ((high - low) / 2) ** 2,
  covered: low <= truth && truth <= high ? 1 : 0,
});

export const pieceOf = (first: number, all: readonly (Measured | null)[]): Piece => {
  const measured = all.filter((each) => each !== null);
  const over = (of: (each: Measured) => Held | null): ValueSums =>
    measured
      .flatMap((each) => of(each) ?? [])
      // Without an interval nothing can be covered: not among the worlds of this figure.
      .filter(({ low }) => !Number.isNaN(low))
      .map(sumsOf)
      .reduce(added, none);
  return {
    first,
    worlds: all.length,
    noScore: all.length - measured.length,
    sums: {
      score: over(({ score }) => score),
      raw: over(({ raw }) => ({ ...raw, low: 0, high: 0 })),
      scoreOfUsed: over(({ scoreOfUsed }) => scoreOfUsed),
      ceiling: over(({ ceiling }) => ceiling),
      ceilingOfUsed: over(({ ceilingOfUsed }) => ceilingOfUsed),
      difference: over(({ difference }) => difference),
      effect: over(({ effect }) => effect),
    },
    rejected: measured.filter(({ p }) => p <= 0.05).length,
    rejectedByEffect: measured.filter(({ effectP }) => effectP <= 0.05).length,
  };
};

export const togetherOf = (pieces: readonly Piece[]): Piece =>
  pieces.reduce((a, b) => ({
    first: Math.min(a.first, b.first),
    worlds: a.worlds + b.worlds,
    noScore: a.noScore + b.noScore,
    sums: Object.fromEntries(
      values.map((value) => [value, added(a.sums[value], b.sums[value])]),
    ) as Piece['sums'],
    rejected: a.rejected + b.rejected,
    rejectedByEffect: a.rejectedByEffect + b.rejectedByEffect,
  }));

export const readPieces = (path: string): Piece[] =>
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Piece[]) : [];

/** One piece a line, in one move. */
export const writePieces = (path: string, pieces: readonly Piece[]): void => {
  const lines = pieces.toSorted((a, b) => a.first - b.first).map((piece) => JSON.stringify(piece));
  writeFileSync(`${path}.part`, `[\n${lines.join(',\n')}\n]\n`);
  renameSync(`${path}.part`, path);
};
