import type { FeaturePass } from '../records/activations.ts';
import type { TimeBin } from '../records/recording.ts';
import { bytesText, counted, durationText, tableLines } from './table.ts';

/** What a plan shows; `ScorePlan` is one. */
export interface ShownPlan {
  readonly request: { readonly memory: number };
  readonly recording: { readonly header: { readonly name: string } };
  readonly protocol: { readonly name: string };
  readonly laidOut: {
    readonly layout: {
      readonly folds: readonly unknown[];
      readonly siteIds: readonly string[];
      readonly stimuli: { readonly length: number };
      readonly imageOfRow: { readonly length: number };
    };
    readonly scored: { readonly label: { readonly timeBin: TimeBin } };
    readonly fitted: readonly unknown[];
  };
  readonly features: { readonly passes: readonly FeaturePass[] };
  readonly layers: readonly {
    readonly name: string;
    readonly features: number;
    readonly slices: number;
    readonly done: boolean;
  }[];
  readonly estimate: { readonly bytes: number; readonly seconds: number };
  readonly warnings: readonly string[];
}

/** What the run will take, in one line; before it, where that is more than was allowed, a line that says so. */
export const planSummary = ({
  laidOut: { layout },
  features,
  layers,
  estimate,
  request,
}: ShownPlan): string[] => {
  const runs = features.passes.reduce((sum, { slices }) => sum + slices, 0);
  const done = layers.filter((layer) => layer.done).length;
  const parts = [
    counted(layers.length, 'layer') + (done > 0 ? ` (${done} done before)` : ''),
    `${counted(runs, 'pass')} over the inputs`,
    counted(layout.folds.length, 'fold'),
  ];
  const needed = bytesText(estimate.bytes);
  return [
    ...(estimate.bytes > request.memory
      ? [`note: about ${needed} are needed, more than the ${bytesText(request.memory)} allowed`]
      : []),
    `plan: ${parts.join(', ')}; about ${needed} of memory and ${durationText(estimate.seconds)}`,
  ];
};

const passOf = (passes: readonly FeaturePass[], name: string): string => {
  const index = passes.findIndex(({ layers }) => layers.some((layer) => layer.name === name));
  const { slices } = passes[index]!;
  return slices > 1 ? `${index + 1} (${slices} slices)` : `${index + 1}`;
};

/** What is scored, a row per layer with its pass, the notes, and the summary. */
export const planLines = (plan: ShownPlan): string[] => {
  const { recording, protocol, laidOut, features, layers } = plan;
  const { layout, scored, fitted } = laidOut;
  const { timeBin } = scored.label;
  const others = fitted.length > 1 ? ` (of ${fitted.length} bins fitted)` : '';
  return [
    `${recording.header.name}, ${timeBin.start}–${timeBin.end} ms${others}: ${layout.stimuli.length} stimuli, ${layout.imageOfRow.length} rows, ${counted(layout.siteIds.length, 'site')}; protocol ${protocol.name}`,
    '',
    ...tableLines(
      [
        { head: 'layer', align: 'left' },
        { head: 'features', align: 'right' },
        { head: 'pass', align: 'left' },
        { head: '', align: 'left' },
      ],
      layers.map(({ name, features: count, done }) => [
        name,
        String(count),
        passOf(features.passes, name),
        done ? 'done before' : '',
      ]),
    ),
    '',
    ...plan.warnings.map((warning) => `note: ${warning}`),
    ...planSummary(plan),
  ];
};
