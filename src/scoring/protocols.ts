import { inputError } from '../records/errors.ts';
import { parseJsonAs } from '../records/parse.ts';
import type { Files } from '../records/ports.ts';
import { type PlsSettings, type Protocol, protocolSchema } from '../records/protocol.ts';
import { type Layout, layoutOf, type Recording } from '../records/recording.ts';

const pls25: PlsSettings = {
  kind: 'pls',
  components: 25,
  tolerance: 1e-6,
  maxIterations: 500,
  stopping: 'scikit-learn',
  gram: 'auto',
};

const interval: Protocol['interval'] = { level: 0.95, replicates: 1000 };

/** One response per image: ten shuffled folds, noise-corrected Pearson per site, median over sites. */
const imageCv: Protocol = {
  name: 'image-cv',
  description:
    'Ten seeded, shuffled folds over the stimuli; PLS-25 on the flattened layer; Pearson per site over the held-out ' +
    'predictions, divided by the root of the split-half reliability of its trials; median over sites.',
  layout: 'image',
  sampling: { kind: 'image', features: 'flatten' },
  timeBin: 'best-ceiling',
  regression: pls25,
  folds: { kind: 'k-fold', count: 10, shuffle: true, stratifyBy: 'object_name', groupBy: null },
  correlation: 'pearson',
  ceiling: { kind: 'split-half', splits: 10, minimumReliability: 0.1 },
  aggregation: 'sites',
  layerChoice: 'best',
  interval,
};

/** Spatial recordings with repeated trials: as `linsley2023`, with a ceiling that is a reliability. */
const gridCv: Protocol = {
  name: 'grid-cv',
  description:
    'Leave one image out; PLS-25 on the patches seen at the fixations; for each held-out image and site Pearson over ' +
    'positions, divided by the root of the split-half reliability of that map; median over sites, mean over images.',
  layout: 'grid',
  sampling: { kind: 'patches' },
  timeBin: 'best-ceiling',
  regression: pls25,
  folds: { kind: 'leave-one-image-out' },
  correlation: 'pearson',
  ceiling: { kind: 'split-half', splits: 10, minimumReliability: 0.1 },
  aggregation: 'images-of-sites',
  layerChoice: 'best',
  interval,
};

/** Linsley, Rodriguez et al., NeurIPS 2023, main text. */
const linsley2023: Protocol = {
  name: 'linsley2023',
  description:
    'Linsley, Rodriguez et al. 2023, as the text says: leave one image out; PLS-25 on one patch per fixation; Spearman ' +
    'per site over positions, divided by the highest Spearman with another site on that image; median over sites, mean ' +
    'over images, best layer. The ceiling is not a reliability and no upper bound.',
  layout: 'grid',
  sampling: { kind: 'patches' },
  timeBin: 'best-ceiling',
  regression: pls25,
  folds: { kind: 'leave-one-image-out' },
  correlation: 'spearman',
  ceiling: { kind: 'best-other-site' },
  aggregation: 'images-of-sites',
  layerChoice: 'best',
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
  layout: 'grid',
  sampling: { kind: 'feature-map', normalise: 'min-max', averageChannelsAbove: 600 },
  timeBin: 'best-ceiling',
  regression: { ...pls25, tolerance: 1e-4 },
  folds: { kind: 'leave-one-image-out' },
  correlation: 'pearson',
  ceiling: { kind: 'best-pair' },
  aggregation: 'images-of-sites-then-ceiling',
  layerChoice: 'best',
  interval,
};

export const protocols: readonly Protocol[] = [imageCv, gridCv, linsley2023, linsley2023Code];

const defaultName: Record<Layout, string> = { image: 'image-cv', grid: 'linsley2023' };

/** The protocol that a recording is scored with when none is named. */
export const defaultProtocol = (layout: Layout): Protocol =>
  protocols.find(({ name }) => name === defaultName[layout])!;

/**
 * A protocol by name, or from a JSON file (anything that ends in `.json`).
 * Input errors: unknown name, missing file, unknown or ill-typed field.
 */
export const resolveProtocol = async (
  named: string | null,
  layout: Layout,
  files: Files,
): Promise<Protocol> => {
  if (named === null) return defaultProtocol(layout);
  if (named.endsWith('.json')) {
    const text = new TextDecoder().decode(await files.read(named));
    return parseJsonAs(
      protocolSchema,
      text,
      named,
      'take a named protocol as a model (ventral protocols)',
    );
  }
  const found = protocols.find(({ name }) => name === named);
  if (found !== undefined) return found;
  throw inputError({
    where: '--protocol',
    expected: `${protocols.map(({ name }) => name).join(', ')} or a .json file`,
    got: `"${named}"`,
    mend: 'name one of them',
  });
};

/** Input errors: a protocol for the other layout, or whose parts contradict each other. */
export const checkProtocol = (protocol: Protocol, recording: Recording): void => {
  const layout = layoutOf(recording);
  const where = `protocol ${protocol.name}`;
  if (protocol.layout !== layout)
    throw inputError({
      where,
      expected: `a recording with layout "${protocol.layout}"`,
      got: `"${layout}" (${recording.header.name})`,
      mend: `use ${defaultName[layout]} or leave --protocol out`,
    });
  const onGrid = protocol.sampling.kind !== 'image';
  if (onGrid !== (layout === 'grid'))
    throw inputError({
      where: `${where}: sampling.kind`,
      expected: layout === 'grid' ? 'feature-map or patches' : 'image',
      got: `"${protocol.sampling.kind}"`,
      mend: 'sampling and layout must agree',
    });
  if (layout === 'image' && protocol.aggregation !== 'sites')
    throw inputError({
      where: `${where}: aggregation`,
      expected: '"sites" (correlations within one image need a grid)',
      got: `"${protocol.aggregation}"`,
      mend: 'set aggregation to "sites"',
    });
  if (
    (protocol.ceiling.kind === 'best-pair') !==
    (protocol.aggregation === 'images-of-sites-then-ceiling')
  )
    throw inputError({
      where: `${where}: ceiling.kind`,
      expected:
        '"best-pair" together with aggregation "images-of-sites-then-ceiling", and only there',
      got: `"${protocol.ceiling.kind}" with "${protocol.aggregation}"`,
      mend: 'best-pair is one number for all sites: divide by it after aggregation',
    });
  if (
    protocol.ceiling.kind === 'none' &&
    protocol.timeBin === 'best-ceiling' &&
    recording.header.timeBins.length > 1
  )
    throw inputError({
      where: `${where}: timeBin`,
      expected: 'a bin of the recording, since there is no ceiling to choose one by',
      got: `"best-ceiling" with ceiling "none" and ${recording.header.timeBins.length} bins`,
      mend: 'write it as {"start": 70, "end": 170}, or choose a ceiling',
    });
  if (layout === 'image' && protocol.folds.kind === 'leave-one-image-out')
    throw inputError({
      where: `${where}: folds.kind`,
      expected: '"k-fold" for one response per image',
      got: '"leave-one-image-out"',
      mend: 'use k-fold with count = number of stimuli for the same effect',
    });
};
