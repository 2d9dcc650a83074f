import type { Alignment, AlignmentMetrics } from '../records/alignment.ts';
import type { Interval } from '../records/interval.ts';
import { knownInput } from '../records/provenance.ts';
import type { SaliencySettings } from '../records/saliency.ts';
import { runText } from './run-text.ts';
import { type Column, counted, numberText, shortList, tableLines } from './table.ts';

const intervalText = (interval: Interval | null): string =>
  interval === null ? '–' : `[${numberText(interval.low)}, ${numberText(interval.high)}]`;

/** `abs-max`, `smoothgrad (50 samples, noise 0.15)`, … */
export const saliencyText = (settings: SaliencySettings): string => {
  const { method } = settings;
  if (method === 'smoothgrad')
    return `${method} (${counted(settings.samples, 'sample')}, noise ${settings.noise})`;
  if (method === 'integrated')
    return `${method} (${counted(settings.steps, 'step')} from ${settings.baseline})`;
  return method;
};

const columns = (hasCeiling: boolean): Column[] => [
  { head: '', align: 'left' },
  { head: 'Spearman', align: 'right' },
  ...(hasCeiling ? ([{ head: 'score', align: 'right' }] as const) : []),
  { head: 'interval', align: 'left' },
  { head: 'Dice', align: 'right' },
  { head: 'IoU', align: 'right' },
];

const row = (name: string, metrics: AlignmentMetrics | null, hasCeiling: boolean): string[] => {
  if (metrics === null) return [name, ...Array.from({ length: hasCeiling ? 5 : 4 }, () => '–')];
  const { spearman, dice, iou } = metrics;
  return [
    name,
    numberText(spearman.raw),
    ...(hasCeiling ? [numberText(spearman.value)] : []),
    intervalText(hasCeiling ? spearman.interval : spearman.rawInterval),
    numberText(dice.raw),
    numberText(iou.raw),
  ];
};

const isDivided = ({ ceiling }: Alignment): boolean => ceiling !== null;

/** Halves of the people against each other, by every value; and what the true map would reach, of Spearman alone. */
const peopleRows = (alignment: Alignment): string[][] => {
  const { spearman, dice, iou } = alignment.metrics;
  const { ceiling } = alignment;
  const score = (value: number): string[] => (ceiling === null ? [] : [numberText(value)]);
  const halves =
    spearman.halves === null
      ? []
      : [
          [
            'half of the people against the other',
            numberText(spearman.halves),
            ...(ceiling === null ? [] : ['']),
            '',
            numberText(dice.halves),
            numberText(iou.halves),
          ],
        ];
  return ceiling === null
    ? halves
    : [...halves, ['ceiling', numberText(ceiling), ...score(1), '', '', '']];
};

const ceilingText = (alignment: Alignment): string => {
  const { ceiling } = alignment.protocol;
  if (ceiling.kind === 'given') return `ceiling: ${ceiling.spearman}, as given`;
  if (ceiling.kind === 'none') return 'no ceiling: the values are as they are';
  const text = `what the true map would reach with ${peopleText(alignment)}, from halves of them (${counted(ceiling.splits, 'split')})`;
  return isDivided(alignment)
    ? `ceiling: ${text}`
    : `no ceiling: halves of the people do not agree, so that there is no score`;
};

const peopleText = ({ images }: Alignment): string => {
  const numbers = images.flatMap(({ split }) => split?.people ?? []);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  return least === most
    ? most === 1
      ? '1 person'
      : `${most} people`
    : `${least} to ${most} people`;
};

const methodText = (alignment: Alignment): string => {
  const interval = isDivided(alignment)
    ? alignment.interval
    : alignment.metrics.spearman.rawInterval;
  if (interval === null) {
    return alignment.images.length < 2
      ? 'too few images for an interval'
      : 'no interval, since halves of the people do not agree in some draws of the images';
  }
  const of = isDivided(alignment) ? 'the score' : 'Spearman';
  return `${Math.round(interval.level * 100)} % interval of ${of}, ${interval.method}${interval.approximate ? `, n = ${interval.n.images}, approximate` : ''}`;
};

/** What an alignment says, as plain lines: a heading, network and controls, what divides, what was left out. */
export const alignmentLines = (alignment: Alignment): string[] => {
  const { provenance, protocol, metrics, controls, excludedImages } = alignment;
  const hasCeiling = isDivided(alignment);
  const chosen = protocol.class === 'top1' ? 'the top-1 logit' : "the labelled class's logit";
  return [
    `${knownInput(provenance, 'model').name} against ${knownInput(provenance, 'human-maps').name} (${counted(alignment.images.length, 'image')}), protocol ${protocol.name}: ${saliencyText(protocol.saliency)} of ${chosen}`,
    '',
    ...tableLines(columns(hasCeiling), [
      row('network', metrics, hasCeiling),
      ...controls.map((control) => row(control.name, control.metrics, hasCeiling)),
      ...peopleRows(alignment),
    ]),
    '',
    `${ceilingText(alignment)}; Dice and IoU above the ${protocol.percentile}th percentile; ${methodText(alignment)}`,
    ...(excludedImages.length === 0
      ? []
      : [
          `note: ${counted(excludedImages.length, 'image')} left out: ${shortList(
            excludedImages.map(({ image, reason }) => `${image} (${reason})`),
            3,
          )}`,
        ]),
    ...shownWarnings(alignment.warnings),
    runText(provenance.run),
  ];
};

const mostWarnings = 4;

const shownWarnings = (warnings: readonly string[]): string[] => {
  const rest = warnings.length - mostWarnings;
  return [
    ...warnings.slice(0, mostWarnings).map((warning) => `note: ${warning}`),
    ...(rest > 0 ? [`note: ${rest} further warnings are in the alignment`] : []),
  ];
};
