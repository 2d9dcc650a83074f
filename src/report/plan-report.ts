import type { FeaturePass } from '../records/activations.ts';
import { bytesText, durationText, tableLines } from './table.ts';

/** What a plan shows; `ScorePlan` is one. */
export interface ShownPlan {
  readonly recording: { readonly header: { readonly name: string } };
  readonly protocol: { readonly name: string };
  readonly target: {
    readonly timeBin: { readonly start: number; readonly end: number };
    readonly folds: readonly unknown[];
    readonly siteIds: readonly string[];
    readonly stimuli: { readonly length: number };
    readonly table: { readonly mean: { readonly shape: readonly number[] } };
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

/** A row per layer, the passes, and in the last line memory and time. */
export const planLines = (plan: ShownPlan): string[] => {
  const { target, features, layers, estimate } = plan;
  const runs = features.passes.reduce((sum, { slices }) => sum + slices, 0);
  const passOf = (name: string): string => {
    const index = features.passes.findIndex((pass) =>
      pass.layers.some((layer) => layer.name === name),
    );
    const { slices } = features.passes[index]!;
    return slices > 1 ? `${index + 1} (${slices} slices)` : `${index + 1}`;
  };
  const done = layers.filter((layer) => layer.done).length;
  return [
    `${plan.recording.header.name}, ${target.timeBin.start}–${target.timeBin.end} ms: ${target.stimuli.length} stimuli, ${target.table.mean.shape[0]} rows, ${target.siteIds.length} sites; protocol ${plan.protocol.name}, ${target.folds.length} folds`,
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
        passOf(layer.name),
        layer.done ? 'done before' : '',
      ]),
    ),
    '',
    ...plan.warnings.map((warning) => `note: ${warning}`),
    `plan: ${layers.length} layers${done > 0 ? ` (${done} done before)` : ''}, ${runs} passes over the inputs, ${target.folds.length} folds; about ${bytesText(estimate.bytes)} of memory and ${durationText(estimate.seconds)}`,
  ];
};
