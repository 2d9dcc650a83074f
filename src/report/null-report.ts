import type { NullScore, Score } from '../records/score.ts';
import { bytesText, type Column, counted, durationText, figure, tableLines } from './table.ts';

/** What the plan of the nulls shows; `NullPlan` is one. */
export interface ShownNulls {
  readonly rivals: readonly {
    readonly name: string;
    readonly note: string | null;
    readonly plan: {
      readonly layers: readonly { readonly features: number; readonly done: boolean }[];
    } | null;
  }[];
  readonly estimate: { readonly bytes: number; readonly seconds: number };
}

/** What the nulls will take beside the score, in one line. */
export const nullPlanLine = ({ rivals, estimate }: ShownNulls): string => {
  const parts = rivals.map(({ name, plan, note }) => {
    if (plan === null) return `${name} (${note})`;
    const done = plan.layers.filter((layer) => layer.done).length;
    const before = done > 0 ? `, ${done} done before` : '';
    return `${name} (${counted(plan.layers.length, 'layer')}${before})`;
  });
  return `nulls: ${['permutations of the best layer', ...parts].join(', ')}; about ${bytesText(estimate.bytes)} of memory and ${durationText(estimate.seconds)} more`;
};

const called: Readonly<Record<NullScore['name'], string>> = {
  'permuted-stimuli': 'stimuli permuted (mean of 20)',
  'permuted-maps': 'maps permuted (mean of 20)',
  'shuffled-positions': 'positions shuffled (mean of 20)',
  'mean-map': 'mean training map',
  position: 'position only',
  pixels: 'pixels',
  'random-twin': 'random-weight twin',
};

const columns: readonly Column[] = [
  { head: 'null', align: 'left' },
  { head: 'layer', align: 'left' },
  { head: 'raw', align: 'right' },
  { head: 'score', align: 'right' },
  { head: 'interval', align: 'left' },
  { head: 'network − null', align: 'right' },
  { head: 'interval', align: 'left' },
];

const range = (interval: { readonly low: number; readonly high: number } | null): string =>
  interval === null ? '–' : `[${figure(interval.low)}, ${figure(interval.high)}]`;

/** A row per null, with what sets the network above it, and a line for each that has a note. */
export const nullLines = ({ nulls }: Pick<Score, 'nulls'>): string[] => {
  if (nulls === null) return [];
  return [
    '',
    ...tableLines(
      columns,
      nulls.map(({ name, layer, raw, value, interval, difference }) => [
        called[name],
        layer ?? '–',
        figure(raw),
        figure(value),
        range(interval),
        figure(difference?.value ?? null),
        range(difference?.interval ?? null),
      ]),
    ),
    ...nulls.flatMap(({ name, note }) => (note === null ? [] : [`${called[name]}: ${note}`])),
    '',
  ];
};
