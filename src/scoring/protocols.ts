import { inputError } from '../records/errors.ts';
import { protocolRemedy, withOwnName } from '../records/own-name.ts';
import { parseAs, parseJson, type Remedy } from '../records/parse.ts';
import type { Files } from '../records/ports.ts';
import { type PlsSettings, type Protocol, protocolSchema } from '../records/protocol.ts';
import { withPresentNames } from '../records/protocol-form.ts';
import { layoutOf, type Recording, type RecordingLayout } from '../records/recording.ts';
import { aggregationOf } from './aggregation.ts';
import { trialCount } from './responses.ts';

/** PLS as scikit-learn's, 25 components, at Brain-Score's tolerance. */
export const pls25: PlsSettings = {
  kind: 'pls',
  components: 25,
  tolerance: 1e-6,
  maxIterations: 500,
  stopping: 'scikit-learn',
  gram: 'auto',
};

const interval: Protocol['interval'] = { level: 0.95, replicates: 1000 };

// The second revision is what changed with 0.1.0: ceilings of repeated trials, and for `image-cv` and `ventral` on images
// correlations around the training means. What rests on other sites' responses has the numbers that it had.

/** One response per image: ten shuffled folds, noise-corrected Pearson per site, median over sites. */
const imageCv: Protocol = {
  name: 'image-cv',
  description:
    'Ten seeded, shuffled folds over the stimuli; PLS-25 on the flattened layer; Pearson per site over the held-out ' +
    'predictions, both sides less the mean of the fold’s training rows, divided by the root of the split-half reliability of its mean response; median over sites.',
  revision: 2,
  layout: 'image',
  sampling: { kind: 'image', features: 'flatten' },
  timeBin: 'best-ceiling',
  regression: pls25,
  folds: { kind: 'k-fold', count: 10, shuffle: true, stratifyBy: 'object_name', groupBy: null },
  correlation: 'pearson',
  ceiling: { kind: 'split-half', splits: 10, minimumReliability: 0.1 },
  aggregation: 'sites',
  normalisation: 'r/c',
  layerChoice: 'best',
  missing: 'per-site',
  interval,
};

/** Spatial recordings with repeated trials: as `linsley2023`, with a ceiling that is a reliability. */
const gridCv: Protocol = {
  name: 'grid-cv',
  description:
    'Leave one image out; PLS-25 on the patches seen at the fixations; for each held-out image and site Pearson over ' +
    'positions, divided by the root of the split-half reliability of that map; median over sites, mean over images.',
  revision: 2,
  layout: 'grid',
  sampling: { kind: 'patches' },
  timeBin: 'best-ceiling',
  regression: pls25,
  folds: { kind: 'leave-one-image-out' },
  correlation: 'pearson',
  ceiling: { kind: 'split-half', splits: 10, minimumReliability: 0.1 },
  aggregation: 'images-of-sites',
  normalisation: 'r/c',
  layerChoice: 'best',
  missing: 'per-site',
  interval,
};

/** Linsley, Rodriguez et al., NeurIPS 2023, main text. */
const linsley2023: Protocol = {
  name: 'linsley2023',
  description:
    'Linsley, Rodriguez et al. 2023, as the text says: leave one image out; PLS-25 on one patch per fixation; Spearman ' +
    'per site over positions, divided by the highest Spearman with another site on that image; median over sites, mean ' +
    'over images, best layer. The ceiling is not a reliability and no upper bound.',
  revision: 1,
  layout: 'grid',
  sampling: { kind: 'patches' },
  timeBin: 'best-ceiling',
  regression: pls25,
  folds: { kind: 'leave-one-image-out' },
  correlation: 'spearman',
  ceiling: { kind: 'best-other-site' },
  aggregation: 'images-of-sites',
  normalisation: 'r/c',
  layerChoice: 'best',
  missing: 'drop-sites',
  interval,
};

/** Linsley, Rodriguez et al., NeurIPS 2023, as their released code computes it. */
const linsley2023Code: Protocol = {
  name: 'linsley2023-code',
  description:
    'Linsley, Rodriguez et al. 2023, as the released code computes it: the feature map of the whole image resampled to ' +
    'the fixation grid, min-max normalised per image, adjacent channels averaged above 600; PLS-25 with tol 1e-4; ' +
    'Pearson per site, median over sites, mean over images, divided by the best-pair ceiling. The released code resizes ' +
    'with OpenCV: name a preprocessing that does so.',
  revision: 1,
  layout: 'grid',
  sampling: { kind: 'feature-map', normalise: 'min-max', averageChannelsAbove: 600 },
  timeBin: 'best-ceiling',
  regression: { ...pls25, tolerance: 1e-4 },
  folds: { kind: 'leave-one-image-out' },
  correlation: 'pearson',
  ceiling: { kind: 'best-pair' },
  aggregation: 'images-of-sites-then-ceiling',
  normalisation: 'r/c',
  layerChoice: 'best',
  missing: 'drop-sites',
  interval,
};

/** Linsley, Rodriguez et al., NeurIPS 2023, Appendix E. */
const linsley2023Nested: Protocol = {
  ...linsley2023,
  name: 'linsley2023-nested',
  description:
    'Linsley, Rodriguez et al. 2023, Appendix E: as linsley2023, but for each held-out image the layer is chosen on a ' +
    'seeded half of the other images (6 of 13), when fitted on their other half (7 of 13). Whether the layer is then ' +
    'fitted again on all of them is not said: here it is not, and the values per layer are at that training size too.',
  layerChoice: 'half',
};

const likeBrainScore =
  'Differences from Brain-Score: it fixes one layer per area beforehand (chosen with 1,000 principal components ' +
  'fitted on ImageNet images), converts visual degrees, splits the presentations in the order of its assembly where ' +
  'this splits the stimuli in the order of stimuli.csv, and halves the repetitions of all stimuli alike where this ' +
  "halves each stimulus's own trials (unequal halves of odd numbers are taken for equal, as there). Its error is the spread over overlapping splits, which is too small.";

/** Schrimpf et al., bioRxiv 2018 / Neuron 2020. */
const brainScoreLike2020: Protocol = {
  name: 'brainscore-like-2020',
  description:
    'Schrimpf et al. 2020: ten stratified shuffle splits (10 % held out, random_state 1); PLS-25 on the flattened ' +
    'layer; Pearson per site, median over sites, mean over splits, divided by the median split-half consistency (r/c). ' +
    likeBrainScore,
  revision: 2,
  layout: 'image',
  sampling: { kind: 'image', features: 'flatten' },
  timeBin: 'best-ceiling',
  regression: pls25,
  folds: {
    kind: 'stratified-shuffle-split',
    count: 10,
    testShare: 0.1,
    randomState: 1,
    stratifyBy: 'object_name',
  },
  correlation: 'pearson',
  ceiling: { kind: 'median-split-half', splits: 10 },
  aggregation: 'splits-of-sites-then-ceiling',
  normalisation: 'r/c',
  layerChoice: 'best',
  missing: 'drop-sites',
  interval,
};

/** Brain-Score vision as of 2026. */
const brainScoreLike2026: Protocol = {
  ...brainScoreLike2020,
  name: 'brainscore-like-2026',
  description: `As brainscore-like-2020, with explained variance: r²/c, the sign of r kept. ${likeBrainScore}`,
  normalisation: 'r²/c',
};

const nested =
  'The layer is chosen for each fold on the other folds, predicted from each other, and fitted again on all of them, so ' +
  'that the score does not profit from the choice; by how much the best layer would have is reported (optimism).';

/** The default: what the layout and the trials of a recording allow, without a choice on the rows that are scored. */
const ventral = (layout: RecordingLayout, repeated: boolean): Protocol => {
  if (layout === 'image')
    return {
      ...imageCv,
      name: 'ventral',
      description: `${imageCv.description} Nearly equal stimuli stay in one fold. ${nested} Without repeated trials: uncorrected.`,
      revision: 2,
      folds: {
        kind: 'k-fold',
        count: 10,
        shuffle: true,
        stratifyBy: 'object_name',
        groupBy: 'alike',
      },
      ceiling: repeated ? imageCv.ceiling : { kind: 'none' },
      layerChoice: 'nested',
    };
  const base = repeated ? gridCv : linsley2023;
  return {
    ...base,
    name: 'ventral',
    description: `${base.description} ${nested} Without repeated trials: Spearman, and the best other site for a ceiling, as linsley2023.`,
    revision: 2,
    layerChoice: 'nested',
    missing: 'per-site',
  };
};

/** All named protocols; `ventral` for both layouts, as it is with repeated trials. */
export const protocols: readonly Protocol[] = [
  ventral('image', true),
  ventral('grid', true),
  imageCv,
  gridCv,
  linsley2023,
  linsley2023Code,
  linsley2023Nested,
  brainScoreLike2020,
  brainScoreLike2026,
];

/** Every content that a name stands for. */
const knownProtocols: readonly Protocol[] = [
  ...protocols,
  ventral('image', false),
  ventral('grid', false),
];

/** What `ventral` is for recordings with (`repeated`) or without several trials of a stimulus. */
export const defaultProtocol = (layout: RecordingLayout, repeated: boolean): Protocol =>
  ventral(layout, repeated);

/** A named protocol; undefined for an unknown name, or one that the layout does not have. */
export const protocolNamed = (name: string, layout: RecordingLayout): Protocol | undefined =>
  protocols.find((protocol) => protocol.name === name && protocol.layout === layout);

/** Names in the order of the list, each once. */
/**
 * The description, and what it leaves open. It is part of what a protocol's hash covers, so that what was settled later is
 * said here: a change of the text would be another protocol.
 */
export const explanationOf = (protocol: Protocol): string =>
  aggregationOf(protocol).over === 'rows'
    ? `${protocol.description} Responses and predictions of all folds are correlated together, each less the mean of the rows that its regression was trained on.`
    : protocol.description;

export const protocolNames: readonly string[] = [...new Set(protocols.map(({ name }) => name))];

/**
 * The revision whose numbers this version computes under a protocol, whoever wrote it: those of rows that are pooled over
 * folds, and of ceilings of repeated trials, are other than in the first.
 */
export const revisionOf = ({
  aggregation,
  ceiling: { kind },
}: Pick<Protocol, 'aggregation' | 'ceiling'>): number =>
  aggregation === 'sites' || kind === 'split-half' || kind === 'median-split-half' ? 2 : 1;

/** A protocol that somebody wrote, in the revision that is computed, or a higher one of its own. */
const written = (given: unknown, where: string, remedy: Remedy): Protocol => {
  const named = withOwnName(parseAs(protocolSchema, given, where, remedy), knownProtocols);
  return { ...named, revision: Math.max(named.revision, revisionOf(named)) };
};

/**
 * A protocol by name, from a JSON file (anything that ends in `.json`), or as a record; changed ones under a name of their own,
 * fields by their names in older versions, too; null: `ventral`.
 * Input errors: unknown name, missing file, unknown or ill-typed field, another revision of a named protocol.
 */
export const resolveProtocol = async (
  named: string | Protocol | null,
  recording: Recording,
  files: Files,
): Promise<Protocol> => {
  const layout = layoutOf(recording);
  if (named === null || named === 'ventral')
    return defaultProtocol(layout, trialCount(recording) > 1);
  if (typeof named === 'object') {
    return written(named, 'protocol', 'correct the field');
  }
  if (named.endsWith('.json')) {
    const text = new TextDecoder().decode(await files.read(named));
    const value = withPresentNames(parseJson(text, named, protocolRemedy));
    return written(value, named, protocolRemedy);
  }
  const found = protocols.find(({ name }) => name === named);
  if (found !== undefined) return found;
  throw inputError({
    code: 'no-such-protocol',
    field: 'protocol',
    where: 'protocol',
    expected: `${protocolNames.join(', ')} or a .json file`,
    got: `"${named}"`,
    mend: 'name one of them',
  });
};
