import { inputError } from '../records/errors.ts';
import type { Protocol } from '../records/protocol.ts';
import { layoutOf, type Recording } from '../records/recording.ts';
import { aggregationOf } from './aggregation.ts';

/** What contradicts in a protocol, with what would be right; null where nothing does. */
interface Contradiction {
  readonly field: string;
  readonly expected: string;
  readonly got: string;
  readonly mend: string;
}

/** Input errors: a protocol for the other layout, or whose parts contradict each other. */
export const checkProtocol = (protocol: Protocol, recording: Recording): void => {
  const layout = layoutOf(recording);
  const where = `protocol ${protocol.name}`;
  if (protocol.layout !== layout)
    throw inputError({
      code: 'protocol-of-other-layout',
      field: 'protocol',
      where,
      expected: `a recording with layout "${protocol.layout}"`,
      got: `"${layout}" (${recording.header.name})`,
      mend: 'use ventral or leave the protocol out',
    });
  const found =
    layoutContradiction(protocol) ??
    ceilingContradiction(protocol, recording) ??
    foldsContradiction(protocol);
  if (found === null) return;
  const { field, ...rest } = found;
  throw inputError({ where: `${where}: ${field}`, ...rest });
};

const layoutContradiction = ({
  layout,
  sampling,
  aggregation,
  folds,
}: Protocol): Contradiction | null => {
  if ((sampling.kind !== 'image') !== (layout === 'grid'))
    return {
      field: 'sampling.kind',
      expected: layout === 'grid' ? 'feature-map or patches' : 'image',
      got: `"${sampling.kind}"`,
      mend: 'sampling and layout must agree',
    };
  if (layout === 'image' && aggregationOf({ aggregation }).over === 'images')
    return {
      field: 'aggregation',
      expected: '"sites" (correlations within one image need a grid)',
      got: `"${aggregation}"`,
      mend: 'set aggregation to "sites"',
    };
  if (layout === 'image' && folds.kind === 'leave-one-image-out')
    return {
      field: 'folds.kind',
      expected: '"k-fold" for one response per image',
      got: '"leave-one-image-out"',
      mend: 'use k-fold with count = number of stimuli for the same effect',
    };
  return null;
};

const ceilingContradiction = (
  { ceiling, aggregation, timeBin, normalisation }: Protocol,
  { header }: Recording,
): Contradiction | null => {
  const overall = ceiling.kind === 'best-pair' || ceiling.kind === 'median-split-half';
  if (overall !== (aggregationOf({ aggregation }).ceiling === 'after'))
    return {
      field: 'ceiling.kind',
      expected:
        '"best-pair" together with aggregation "images-of-sites-then-ceiling" or "median-split-half" with "splits-of-sites-then-ceiling", and only there',
      got: `"${ceiling.kind}" with "${aggregation}"`,
      mend: 'both are one number for all sites: divide by it after aggregation',
    };
  if (normalisation === 'r²/c' && ceiling.kind !== 'median-split-half')
    return {
      field: 'normalisation',
      expected: '"r²/c" with ceiling "median-split-half" only, which is a reliability itself',
      got: `"r²/c" with "${ceiling.kind}"`,
      mend: 'set normalisation to "r/c"',
    };
  const isAlike = ceiling.kind === 'published' && timeBin === 'best-ceiling';
  if (isAlike && header.timeBins.length > 1)
    return {
      field: 'timeBin',
      expected: 'a bin of the recording, since published reliabilities are the same in all bins',
      got: `"best-ceiling" with ceiling "${ceiling.kind}" and ${header.timeBins.length} bins`,
      mend: 'write it as {"start": 70, "end": 170}, or choose another ceiling',
    };
  return null;
};

const foldsContradiction = ({
  folds,
  aggregation,
  layerChoice,
}: Protocol): Contradiction | null => {
  const overlap = folds.kind === 'stratified-shuffle-split';
  if (overlap !== (aggregationOf({ aggregation }).over === 'splits'))
    return {
      field: 'folds.kind',
      expected:
        '"stratified-shuffle-split" together with aggregation "splits-of-sites-then-ceiling", and only there',
      got: `"${folds.kind}" with "${aggregation}"`,
      mend: 'splits that overlap are scored one by one',
    };
  if (overlap && layerChoice !== 'best')
    return {
      field: 'layerChoice',
      expected: '"best" with splits that overlap',
      got: `"${layerChoice}"`,
      mend: 'use k-fold for a nested choice',
    };
  if (layerChoice === 'half' && folds.kind !== 'leave-one-image-out')
    return {
      field: 'layerChoice',
      expected: '"half" with folds "leave-one-image-out", and only there',
      got: `"half" with "${folds.kind}"`,
      mend: 'use "nested"',
    };
  return null;
};
