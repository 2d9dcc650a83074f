import type { PlsSettings } from '../records/protocol.ts';
import type { Ending } from './task.ts';

/** How one fold of one target set ended. */
export interface FitOutcome {
  readonly components: number;
  readonly ending: Ending | null;
  readonly unsettled: number;
  /** Made on the features themselves after the Gram matrix had too few digits. */
  readonly deflated: boolean;
}

/** What a reader of the score should know about how a layer was fitted; empty where there is nothing to say. */
export const warningsOf = (
  outcomes: readonly FitOutcome[],
  constantColumns: number,
  columns: number,
  { components, maxIterations }: PlsSettings,
): string[] => {
  const warnings: string[] = [];
  const say = (chosen: readonly FitOutcome[], what: (shortest: number) => string): void => {
    if (chosen.length === 0) return;
    const shortest = Math.min(...chosen.map((outcome) => outcome.components));
    warnings.push(`in ${chosen.length} of ${outcomes.length} fits ${what(shortest)}`);
  };
  const ended = (ending: Ending) => outcomes.filter((outcome) => outcome.ending === ending);
  if (constantColumns > 0) {
    warnings.push(`${constantColumns} of ${columns} features are constant over all rows`);
  }
  say(
    outcomes.filter(({ deflated }) => deflated),
    () =>
      'the features are nearly rank-deficient: fitted on the features, not on their Gram matrix',
  );
  say(
    ended('exhausted'),
    (shortest) =>
      `the features hold fewer than ${components} directions that vary with the targets (${shortest} at least); scikit-learn would go on with rounding noise`,
  );
  say(
    ended('imprecise'),
    (shortest) =>
      `the Gram matrix had digits for fewer than ${components} components (${shortest} at least)`,
  );
  say(
    ended('fitted'),
    (shortest) => `the targets were fitted to rounding by fewer components (${shortest} at least)`,
  );
  const unsettled = outcomes.reduce((sum, outcome) => sum + outcome.unsettled, 0);
  if (unsettled > 0) {
    warnings.push(
      `the power iteration reached its ${maxIterations} steps in ${unsettled} of ${components * outcomes.length} components`,
    );
  }
  return warnings;
};
