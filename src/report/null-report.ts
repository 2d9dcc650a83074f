import type { NullScore, Score } from '../records/score.ts';
import { bytesText, type Column, counted, durationText, numberText, tableLines } from './table.ts';

/** What the plan of the nulls shows; `NullPlan` is one. */
export interface ShownNulls {
  readonly permutations: number;
  readonly plan: { readonly layers: readonly unknown[] };
  readonly rivals: readonly {
    readonly name: string;
    readonly note: string | null;
    readonly draws: readonly {
      readonly layers: readonly { readonly features: number; readonly done: boolean }[];
    }[];
  }[];
  readonly estimate: { readonly bytes: number; readonly seconds: number };
}

/** What the nulls will take beside the score, in one line. */
export const nullPlanLine = ({ permutations, plan, rivals, estimate }: ShownNulls): string => {
  const parts = rivals.map(({ name, draws, note }) => {
    if (draws.length === 0) return `${name} (${note})`;
    const layers = draws.flatMap((each) => each.layers);
    const done = layers.filter((layer) => layer.done).length;
    const before = done > 0 ? `, ${done} done before` : '';
    const times = draws.length > 1 ? `${draws.length} draws of ` : '';
    return `${name} (${times}${counted(draws[0]!.layers.length, 'layer')}${before})`;
  });
  const permuted = `up to ${counted(permutations, 'permutation')} of ${counted(plan.layers.length, 'layer')}`;
  return `nulls: ${[permuted, ...parts].join(', ')}; at most about ${bytesText(estimate.bytes)} of memory and ${durationText(estimate.seconds)} more`;
};

const called: Readonly<Record<NullScore['name'], string>> = {
  'permuted-stimuli': 'stimuli permuted',
  'permuted-maps': 'maps permuted',
  'shuffled-positions': 'positions shuffled',
  'mean-map': 'mean training map',
  position: 'position only',
  pixels: 'pixels',
  'random-twin': 'random-weight twin',
};

const nameOf = ({ name, draws }: Pick<NullScore, 'name' | 'draws'>): string =>
  draws === null ? called[name] : `${called[name]} (mean of ${draws})`;

const columns: readonly Column[] = [
  { head: 'null', align: 'left' },
  { head: 'layer', align: 'left' },
  { head: 'raw', align: 'right' },
  { head: 'score', align: 'right' },
  { head: 'interval', align: 'left' },
  { head: 'network − null', align: 'right' },
  { head: 'interval', align: 'left' },
  { head: 'p', align: 'right' },
];

const range = (interval: { readonly low: number; readonly high: number } | null): string =>
  interval === null ? '–' : `[${numberText(interval.low)}, ${numberText(interval.high)}]`;

/** The p of permutations, with the draws that it rests on: no other p is one-sided. */
const rankLine = (each: NullScore): string[] =>
  each.difference?.method.startsWith('one-sided')
    ? [`${nameOf(each)}: p ${numberText(each.difference.p)}, ${each.difference.method}`]
    : [];

/** A row per null, with what sets the network above it, and a line for each that has a rank or a note. */
export const nullLines = ({ nulls }: Pick<Score, 'nulls'>): string[] => {
  if (nulls === null) return [];
  return [
    '',
    ...tableLines(
      columns,
      nulls.map((each) => [
        nameOf(each),
        each.layer ?? '–',
        numberText(each.raw),
        numberText(each.value),
        range(each.interval),
        numberText(each.difference?.value ?? null),
        range(each.difference?.interval ?? null),
        numberText(each.difference?.p ?? null),
      ]),
    ),
    ...nulls.flatMap(rankLine),
    ...nulls.flatMap((each) => (each.note === null ? [] : [`${nameOf(each)}: ${each.note}`])),
    '',
  ];
};
