import type { ScorePlan } from '../records/plan.ts';
import { bytesText, counted, durationText, tableLines } from './table.ts';

/** What the run will take, in one line; before it, where that is more than was allowed, a line that says so. */
export const planSummary = ({
  layers,
  passes,
  folds,
  estimate,
  conditions: { memory },
}: ScorePlan): string[] => {
  const done = layers.filter((layer) => layer.done).length;
  const parts = [
    counted(layers.length, 'layer') + (done > 0 ? ` (${done} done before)` : ''),
    `${counted(passes, 'pass')} over the inputs`,
    counted(folds, 'fold'),
  ];
  const needed = bytesText(estimate.bytes);
  return [
    ...(estimate.bytes > memory
      ? [`note: about ${needed} are needed, more than the ${bytesText(memory)} allowed`]
      : []),
    `plan: ${parts.join(', ')}; about ${needed} of memory and ${durationText(estimate.seconds)}`,
  ];
};

const passText = ({ pass, slices }: ScorePlan['layers'][number]): string =>
  slices > 1 ? `${pass} (${slices} slices)` : `${pass}`;

/** What is scored, a row per layer with its pass, the notes, and the summary. */
export const planLines = (plan: ScorePlan): string[] => {
  const { recording, protocol, timeBin, timeBins, layers } = plan;
  const others = timeBins > 1 ? ` (of ${timeBins} bins fitted)` : '';
  return [
    `${recording.name}, ${timeBin.start}–${timeBin.end} ms${others}: ${plan.stimuli} stimuli, ${plan.rows} rows, ${counted(plan.sites, 'site')}; protocol ${protocol.name}`,
    '',
    ...tableLines(
      [
        { head: 'layer', align: 'left' },
        { head: 'features', align: 'right' },
        { head: 'pass', align: 'left' },
        { head: '', align: 'left' },
      ],
      layers.map((layer) => [
        layer.name,
        String(layer.features),
        passText(layer),
        layer.done ? 'done before' : '',
      ]),
    ),
    '',
    ...plan.warnings.map((warning) => `note: ${warning}`),
    ...planSummary(plan),
  ];
};
