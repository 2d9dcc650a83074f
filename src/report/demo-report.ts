import type { Demo, DemoArea } from '../records/demo.ts';
import type { Interval } from '../records/interval.ts';
import { type Column, numberText, tableLines } from './table.ts';

const columns: readonly Column[] = [
  { head: 'network', align: 'left' },
  { head: 'best layer', align: 'left' },
  { head: 'raw', align: 'right' },
  { head: 'score', align: 'right' },
  { head: '95 % interval', align: 'left' },
  { head: 'recovered', align: 'right' },
];

const intervalText = (interval: Interval | null): string =>
  interval === null ? '–' : `[${numberText(interval.low)}, ${numberText(interval.high)}]`;

const percent = (share: number): string => `${Math.round(100 * share)} %`;

const areaLines = (area: DemoArea): string[] => {
  const { timeBin, ceiling, shuffled } = area;
  return [
    `${area.area}: ${area.sites} sites, ${area.images} images × ${area.rows}×${area.columns} fixations × ${area.trials} trials, best bin ${timeBin.start}–${timeBin.end} ms`,
    `noise ceiling ${numberText(ceiling.estimated)} from split halves, ${numberText(ceiling.known)} known; attainable score ${numberText(area.attainable)}`,
    '',
    ...tableLines(columns, [
      ...area.scores.map((each) => [
        each.network,
        each.layer,
        numberText(each.raw),
        numberText(each.value),
        intervalText(each.interval),
        percent(each.recovery),
      ]),
      [
        `${shuffled.network}, maps exchanged`,
        shuffled.layer,
        numberText(shuffled.raw),
        numberText(shuffled.value),
        intervalText(shuffled.interval),
        '',
      ],
    ]),
  ];
};

/** The demo as plain lines: what is simulated, a table per area. */
export const demoLines = (demo: Demo): string[] => [
  `A simulated world, seed ${demo.seed}`,
  ...demo.statement.map((line) => `- ${line}`),
  ...demo.areas.flatMap((area) => ['', ...areaLines(area)]),
];
