import type { Problem } from '../records/errors.ts';
import type { ProblemCode } from '../records/problem-codes.ts';

// Rooms say what is wrong in the words of the library; here stands what to type.

/** What to type for a field of a request. Fields that are arguments have none. */
export const optionOfField: Readonly<Record<string, string>> = {
  areas: '--area',
  array: '--array',
  bins: '--bins',
  ceiling: '--ceiling',
  device: '--device',
  dims: '--dims',
  fixationUnit: '--fixations',
  from: '--from',
  images: '--images',
  layers: '--layers',
  maps: '--maps',
  order: '--order',
  posterior: '--posterior',
  preprocess: '--preprocess',
  protocol: '--protocol',
  recording: '--recording',
  score: '--readout',
  site: '--site',
  skip: '--skip',
  threads: '--threads',
  time: '--time-start and --time-step',
  'time.start': '--time-start',
  'time.step': '--time-step',
  variable: '--variable',
  window: '--window',
};

/** Phrases of the library, each with what stands in its place. */
type Replacements = readonly (readonly [phrase: string, typed: string])[];

/** A text in place of the library's, or phrases that are replaced in it. */
export type Wording = string | Replacements;

type Worded = Pick<Problem, 'where' | 'expected' | 'mend'>;

const withPreset: Replacements = [['name a preset', 'name a preset with --preprocess']];
const withoutLayer: Replacements = [['leave the layer out', 'leave the layer out with --layers']];
const keepingReadout: Replacements = [['and keep the readout', 'with --keep readout']];
const keepingLayers: Replacements = [
  ['and keep the predictions of the layers', 'with --keep layer-predictions'],
];
const withTimes: Replacements = [['start and step of the samples', '--time-start and --time-step']];
const inspected = 'ventral data inspect';

/** How problems are said, and mended, at the command line, where the library's words do not do. */
export const wordings: Readonly<
  Partial<Record<ProblemCode, Partial<Record<keyof Worded, Wording>>>>
> = {
  'activations-not-finite': {
    mend: [['leave the layer out', 'leave the layer out (--layers)']],
  },
  'device-unusable': { mend: [['use the device cpu', 'use --device cpu']] },
  'gradients-not-finite': { mend: [['the preprocessing', 'the preprocessing (--preprocess)']] },
  'image-size-not-taken': { mend: withPreset },
  'layer-of-unknown-size': { mend: withoutLayer },
  'layer-without-space': { mend: withoutLayer },
  'no-layers': {
    mend: [['take every tensor (* as layers)', "look at all its tensors with --layers '*'"]],
  },
  'no-such-layer': { mend: [['a list of its layers shows all', 'ventral layers lists all']] },
  'not-a-fixed-function': {
    mend: [['choose layers before this node', 'choose layers before this node with --layers']],
  },
  'order-not-needed': { mend: 'leave --order out' },
  'preprocessing-file': { mend: withPreset },
  'preprocessing-not-imitated': {
    mend: [['a file of your own', 'a file of your own with --preprocess']],
  },
  'preprocessing-without-crop': { mend: withPreset },
  'rows-differ': { mend: withoutLayer },

  'no-repeated-trials': {
    mend: [['or write one with', 'or write one (ventral protocols image-cv) with']],
  },
  'no-usable-ceiling': {
    mend: [['an inspection shows the', `${inspected} prints the`]],
  },
  'no-usable-site': { mend: [['the missing values', `the missing values (${inspected})`]] },
  'protocol-file': { mend: [['as a model', 'as a model (ventral protocols)']] },
  'protocol-of-other-layout': { mend: [['leave the protocol out', 'leave --protocol out']] },
  'recording-files-missing': { mend: [['by an import', 'with ventral data import']] },
  'recording-missing': {
    mend: [
      [
        'fetch a known recording',
        'bring a known recording with ventral data fetch (ventral data list)',
      ],
    ],
  },
  'trials-disagree': { mend: [['the reliabilities', `the reliabilities (${inspected})`]] },

  'array-not-named': { mend: 'name the one with --array' },
  'array-not-of-matlab': {
    mend: [['import it as hdf5, dataset', 'take ventral data import hdf5 --dataset']],
  },
  'bins-without-times': { mend: [['say in which window', 'say with --window when']] },
  'channels-unexpected': { mend: [['lie in PL', 'lie in PL (--posterior)']] },
  'images-miscounted': { mend: [['the dims', '--dims']] },
  'not-hdf5': {
    mend: [
      ['import it as mat', 'take ventral data import mat'],
      ['an npz is imported as npz', 'an npz goes to ventral data import npz'],
      ['import it as npy', 'take ventral data import npy'],
    ],
  },
  'order-ambiguous': {
    mend: [
      [
        'by name, by number, or a list of the names in its order',
        '--order name, --order number, or --order FILE with the names in its order',
      ],
    ],
  },
  'table-missing': { mend: [['one of the tables', 'one of the tables (--intervals)']] },
  'times-do-not-fit': { expected: withTimes },
  'times-missing': { mend: [['say in which window', 'say with --window when']] },
  'window-with-bins': { mend: 'leave --window out, or average its bins with --bins' },

  'download-failed': { mend: [['name a mirror', 'name a mirror (--from)']] },
  'download-refused': { mend: [['name a mirror', 'name a mirror (--from)']] },
  'download-wrong': {
    mend: [['(an address, a file or a folder)', '(--from takes an address, a file or a folder)']],
  },
  'no-such-data-set': {
    where: 'ventral data fetch',
    mend: 'ventral data list shows what is known',
  },

  'fixations-beyond-shares': { mend: [['leave the unit out', 'leave --fixations out']] },
  'fixations-look-like-shares': {
    mend: 'say --fixations shares where they are shares of width and height (or --fixations pixels)',
  },
  'fixations-not-asked-for': { expected: [['as maps', 'in --maps']], mend: 'leave {option} out' },
  'fixations-without-images': {
    expected: '--images with the images that people looked at',
    mend: 'add --images folder',
  },
  'maps-missing': {
    mend: [['fetch ClickMe', 'bring ClickMe with ventral data fetch clickme']],
  },
  'people-not-apart': {
    mend: 'give the ceiling (--ceiling 0.66) or none (--ceiling none)',
  },

  'alignment-file': { mend: 'give the file that ventral align --out wrote' },
  'profile-file': { mend: 'give the file that ventral profile --out wrote' },
  'saliency-file': { mend: 'give the saliency.json that ventral saliency wrote' },
  'kept-file': { mend: [['and keep', 'with --keep']] },
  'ceilings-file': { mend: 'give the file that ventral ceiling --out wrote' },
  'layer-predictions-of-another-run': { mend: keepingLayers },
  'predictions-missing': {
    mend: [['and keep the predictions', 'with --keep predictions']],
  },
  'readout-layer-missing': {
    mend: [['the score is of', 'the score is of (ventral layers lists its layers)']],
  },
  'readout-layer-mixed': { mend: keepingReadout },
  'readout-missing': { mend: keepingReadout },
  'readout-of-feature-maps': { mend: keepingReadout },
  'score-file': { mend: 'give the file that ventral score --out wrote' },
  'score-of-another-network': { mend: keepingReadout },
  'scores-of-one-layer': {
    mend: 'score without --layers, or with a glob that several layers match',
  },
  'scores-of-other-layers': { mend: [['the same layers', 'the same --layers']] },
  'scores-of-several-networks': {
    mend: [['a comparison takes several networks', 'ventral compare takes several networks']],
  },
  'scores-too-few': { where: 'ventral compare', mend: 'ventral compare a.json b.json' },
};

/** Phrases of notes and warnings, each with what a reader of the command line can type in its place. */
export const notePhrases: Replacements = [
  ['imagenet-224 is assumed', 'imagenet-224 is assumed (name one with --preprocess)'],
  ['the order "name" takes them in that', '--order name takes them in that'],
  ['which a list of the names can give', 'which --order FILE can give'],
  ['each bin can have its own', 'each bin can have its own (--time-course own)'],
  [
    'score again and keep the predictions of the layers',
    'score again with --keep layer-predictions',
  ],
  ['there is no ceiling unless one is given', 'there is no ceiling (--ceiling gives one)'],
  ['further warnings are in the alignment', 'further warnings are in the file of --out'],
];
