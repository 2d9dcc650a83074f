import { decodeText } from '../formats/text.ts';
import {
  type AlignmentProtocol,
  alignmentProtocolSchema,
  type HumanCeilingSettings,
} from '../records/alignment.ts';
import { inputError } from '../records/errors.ts';
import type { HumanMaps } from '../records/human-map.ts';
import { protocolRemedy, withOwnName } from '../records/own-name.ts';
import { parseJsonAs } from '../records/parse.ts';
import type { Files } from '../records/ports.ts';

const interval: AlignmentProtocol['interval'] = { level: 0.95, replicates: 1000 };

/** Any human maps: the image as the network's preprocessing shows it, people split in halves. */
const humanMaps: AlignmentProtocol = {
  name: 'human-maps',
  description:
    'Maximum over channels of |gradient| of the top-1 class logit; image and human map resized and cropped as the ' +
    'preprocessing says, compared at the size of the input; Spearman over pixels, mean over images, divided by what the ' +
    'true map would reach with these people, from the agreement of halves of them (√ρ, by Spearman–Brown). Fixations are ' +
    'blurred with σ = 24 pixels, a degree in OSIE.',
  revision: 2,
  saliency: { method: 'abs-max' },
  class: 'top1',
  frame: 'preprocessing',
  fixationSigma: 24,
  percentile: 90,
  ceiling: { kind: 'split-subjects', splits: 10 },
  interval,
};

/** Fel, Rodriguez, Linsley & Serre, NeurIPS 2022, as released. */
const clickme2022: AlignmentProtocol = {
  name: 'clickme-2022',
  description:
    'Fel, Rodriguez, Linsley & Serre 2022, as released: maximum over channels of |gradient| of the labelled class’s ' +
    'logit; image resized bilinear without antialiasing, human map resized to 64×64, blurred with the released ' +
    'off-centre kernel and resized to the input; mean Spearman over images, divided by the human ceiling 0.65753. ' +
    'The released code takes one batch of 64 after another and drops the last, incomplete one; here all images count.',
  revision: 1,
  saliency: { method: 'abs-max' },
  class: 'label',
  frame: 'clickme-2022',
  fixationSigma: 24,
  percentile: 90,
  ceiling: { kind: 'given', spearman: 0.65753 },
  interval,
};

export const alignmentProtocols: readonly AlignmentProtocol[] = [humanMaps, clickme2022];

/** The protocol for human maps of a kind, where none is named. */
export const defaultAlignmentProtocol = (kind: HumanMaps['kind']): AlignmentProtocol =>
  kind === 'clickme' ? clickme2022 : humanMaps;

/**
 * The ceiling for these maps: as asked for; or none where it was not chosen by anybody and the maps are not of single
 * people. Input error where it was chosen and cannot be had.
 */
export const checkHumanCeiling = (
  ceiling: HumanCeilingSettings,
  maps: HumanMaps,
  { isChosen }: { readonly isChosen: boolean },
): HumanCeilingSettings => {
  if (ceiling.kind !== 'split-subjects' || maps.hasSubjects) return ceiling;
  if (!isChosen) return { kind: 'none' };
  throw inputError({
    code: 'people-not-apart',
    field: 'ceiling',
    where: `${maps.name}: ceiling`,
    expected: 'maps of single people for each image, at least two for some, which are to be split',
    got: 'maps whose people are not known apart, or single people only',
    mend: 'give the ceiling (such as 0.66) or none',
  });
};

/** A protocol by name, or from a JSON file. Input errors: unknown name, missing file, unknown or ill-typed field. */
export const resolveAlignmentProtocol = async (
  named: string,
  files: Files,
): Promise<AlignmentProtocol> => {
  if (named.endsWith('.json')) {
    const text = decodeText(await files.read(named), named);
    const found = parseJsonAs(alignmentProtocolSchema, text, named, protocolRemedy);
    return withOwnName(found, alignmentProtocols);
  }
  const found = alignmentProtocols.find(({ name }) => name === named);
  if (found !== undefined) return found;
  throw inputError({
    code: 'no-such-protocol',
    field: 'protocol',
    where: 'protocol',
    expected: `${alignmentProtocols.map(({ name }) => name).join(', ')} or a .json file`,
    got: `"${named}"`,
    mend: 'name one of them',
  });
};
