import type { CeilingSettings } from '../records/protocol.ts';
import type { LayerScore, TimeCourse } from '../records/score.ts';

/** Why a correlation may exceed its ceiling. */
const reasons: Readonly<Record<CeilingSettings['kind'], string>> = {
  'split-half': 'the ceiling is itself estimated, from halves of the trials, and may lie too low',
  published: 'the ceiling is the published reliability, of other trials or another time window',
  'median-split-half':
    'the ceiling is a median over sites, which better sites exceed, and itself estimated',
  'best-other-site':
    'the ceiling is what the best other site reaches: no upper bound, a network may do better',
  'best-pair': 'the ceiling is what the best pair of sites reaches: no upper bound',
  none: 'there is no ceiling',
};

/**
 * Nothing is clipped: says how many layers, layers in a time bin and sites (of what is scored) have a value above 1 or
 * below 0, and what that means. One line each; none where all lie between.
 */
export const outOfRange = (
  ceiling: CeilingSettings,
  { sites }: Pick<LayerScore, 'sites'>,
  layers: readonly Pick<LayerScore, 'value'>[],
  timeCourse: TimeCourse | null,
): string[] => {
  const places: readonly (readonly [string, readonly (number | null)[]])[] = [
    ['layers', layers.map(({ value }) => value)],
    ['layers in a time bin', timeCourse?.layers.flatMap(({ value }) => [...value]) ?? []],
    ['sites', sites.map(({ value }) => value)],
  ];
  const line = (head: string, outside: (value: number) => boolean, reason: string): string[] => {
    const counts = places.flatMap(([what, values]) => {
      const count = values.filter((value) => value !== null && outside(value)).length;
      return count === 0 ? [] : [`${count} of ${values.length} ${what}`];
    });
    return counts.length === 0 ? [] : [`${head}, not clipped: ${counts.join(', ')}; ${reason}`];
  };
  return [
    ...line('scores above 1', (value) => value > 1, reasons[ceiling.kind]),
    ...line(
      'scores below 0',
      (value) => value < 0,
      'predictions of held-out responses that point the wrong way',
    ),
  ];
};
