import { takeAlong } from '../numeric/array.ts';
import { inputError } from '../records/errors.ts';
import type { Protocol } from '../records/protocol.ts';
import type { Recording } from '../records/recording.ts';
import { findUsable } from '../scoring/usable.ts';

/** A recording with some of its stimuli only, in the order given; it keeps its hash. */
const takeStimuli = (recording: Recording, indices: readonly number[]): Recording => ({
  ...recording,
  stimuli: indices.map((index) => recording.stimuli[index]!),
  responses: takeAlong(recording.responses, recording.header.dims.indexOf('stimulus'), indices),
});

/**
 * Two recordings brought to the stimuli that both show and can use, joined by id, in the order of the first.
 * Input errors: other layouts or grids, no stimulus in common.
 */
export const onSharedStimuli = (
  first: Recording,
  second: Recording,
  protocol: Protocol,
): readonly [Recording, Recording] => {
  checkGrids(first, second);
  const place = new Map(second.stimuli.map(({ id }, index) => [id, index]));
  const shared = first.stimuli.flatMap(({ id }, index) => {
    const other = place.get(id);
    return other === undefined ? [] : [[index, other] as const];
  });
  if (shared.length === 0)
    throw inputError({
      where: second.folder,
      expected: `stimuli of ${first.folder}, by their ids`,
      got: `none of them (${second.stimuli[0]?.id ?? 'no stimulus'}, …)`,
      mend: 'give two recordings whose stimuli.csv name the same stimuli alike',
    });
  const a = takeStimuli(
    first,
    shared.map(([index]) => index),
  );
  const b = takeStimuli(
    second,
    shared.map(([, index]) => index),
  );
  const usableByBoth = new Set(findUsable(b, protocol).stimuli);
  const kept = Array.from(findUsable(a, protocol).stimuli).filter((index) =>
    usableByBoth.has(index),
  );
  return kept.length === shared.length
    ? [a, b]
    : onSharedStimuli(takeStimuli(a, kept), b, protocol);
};

const checkGrids = (first: Recording, second: Recording): void => {
  const sizeOf = ({ header: { grid } }: Recording): string =>
    grid === null ? 'one response per image' : `a ${grid.rows}×${grid.columns} grid`;
  if (sizeOf(first) === sizeOf(second)) return;
  throw inputError({
    where: second.folder,
    expected: `${sizeOf(first)}, as in ${first.folder}`,
    got: sizeOf(second),
    mend: 'sites can predict sites only where both were recorded in the same way',
  });
};
