import { designOf } from './design.ts';
import type { Target } from './target.ts';

/** The target with the one time bin that is scored. */
export const onlyScoredBin = (target: Target, seed: number): Target => {
  const { protocol, folds, design, chosen } = target;
  return {
    ...target,
    fitted: [chosen],
    design: design === null ? null : designOf(protocol.layerChoice, folds, [0], 0, seed),
  };
};

/**
 * The target for features that are fewer than the components of its regression: PLS with as many components as features,
 * and a note that says so. All others as they are.
 */
export const withinFeatures = (
  target: Target,
  features: number,
): { readonly target: Target; readonly note: string | null } => {
  const { regression } = target.protocol;
  if (regression.kind !== 'pls' || regression.components <= features) return { target, note: null };
  return {
    target: {
      ...target,
      protocol: { ...target.protocol, regression: { ...regression, components: features } },
    },
    note: `PLS with ${features} components, as many as features`,
  };
};
