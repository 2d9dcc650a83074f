import { inputError } from '../records/errors.ts';
import type { TimeBin } from '../records/recording.ts';

/** A file of a known data set, as its owner publishes it. */
export interface CatalogueFile {
  /** Path below `base`, and below a mirror. */
  readonly path: string;
  /** What follows the path in the owner's address. */
  readonly query?: string;
  /** Null where its owner does not say. */
  readonly bytes: number | null;
  /** Hashes that the owner published, in lower-case hexadecimal. */
  readonly sha1: string | null;
  readonly sha256: string | null;
  /** Its owner's own texts disagree whether there is such a file: nothing is missed where there is none. */
  readonly optional?: true;
}

/** How the files become recordings; files by their place in the record's list. */
export type CatalogueImport =
  | {
      readonly kind: 'npy';
      readonly responses: number;
      readonly stimuli: number;
      readonly dims: readonly string[];
      readonly area: string;
      readonly species: string;
      readonly animal: string;
      /** Milliseconds from stimulus onset. */
      readonly window: { readonly start: number; readonly end: number };
      readonly unit: string;
    }
  | {
      /** The release of Arcaro et al. 2020: its first file is the archive, its recordings are three. */
      readonly kind: 'arcaro';
    }
  | {
      /** A BrainIO assembly, its stimulus table and its images; a recording for each area. */
      readonly kind: 'brainio';
      readonly assembly: number;
      readonly stimuli: number;
      readonly images: number;
      readonly species: string;
      readonly areas: readonly string[];
      /** Averages in these bins; null: the assembly's own. */
      readonly bins: readonly TimeBin[] | null;
      readonly unit: string;
    }
  | {
      /** TFRecord shards of images with human maps, kept as they are once every checksum is right. */
      readonly kind: 'human-maps';
    }
  | {
      /** No responses, or none that can be imported: the files are kept as they are. */
      readonly kind: 'keep';
    };

/** A public data set that one command brings. */
export interface CatalogueEntry {
  readonly name: string;
  readonly what: string;
  /** Address of the folder of `files`, with a slash at the end. */
  readonly base: string;
  readonly files: readonly CatalogueFile[];
  readonly import: CatalogueImport;
  /** Null where its owner does not say. */
  readonly licence: string | null;
  readonly citation: string;
}

const published = (path: string, sha1: string | null = null): CatalogueFile => ({
  path,
  bytes: null,
  sha1,
  sha256: null,
});

/** Sessions of Cowley et al. 2023, Extended Data Table 1: animal, neurons, images. */
const cowleySessions: Readonly<Record<string, readonly [string, number, number]>> = {
  '190923': ['WE', 33, 1200],
  '190924': ['WE', 25, 900],
  '190925': ['WE', 36, 900],
  '190926': ['WE', 27, 900],
  '190927': ['WE', 31, 900],
  '190928': ['WE', 24, 900],
  '190929': ['WE', 33, 900],
  '201016': ['PE', 82, 600],
  '201017': ['PE', 88, 900],
  '201018': ['PE', 80, 600],
  '201019': ['PE', 82, 1600],
  '201020': ['PE', 87, 1600],
  '201021': ['PE', 88, 1600],
  '201022': ['PE', 79, 2000],
  '201023': ['PE', 86, 2000],
  '201024': ['PE', 85, 2000],
  '201025': ['PE', 89, 1200],
  '210224': ['PE', 67, 800],
  '210225': ['PE', 55, 1200],
  '210226': ['PE', 78, 1600],
  '210301': ['PE', 61, 2000],
  '210302': ['PE', 70, 2000],
  '210303': ['PE', 67, 2049],
  '210304': ['PE', 65, 1968],
  '210305': ['PE', 70, 400],
  '210308': ['PE', 70, 2000],
  '210309': ['PE', 56, 2000],
  '210310': ['PE', 64, 2000],
  '210312': ['PE', 81, 2000],
  '210315': ['PE', 65, 2000],
  '210316': ['PE', 62, 2000],
  '210322': ['PE', 59, 1200],
  '210323': ['PE', 59, 1200],
  '210324': ['PE', 54, 1200],
  '210325': ['PE', 50, 640],
  '210326': ['PE', 60, 1200],
  '210620': ['RA', 42, 1600],
  '210621': ['RA', 51, 1200],
  '211008': ['RA', 21, 1200],
  '211012': ['RA', 51, 2000],
  '211013': ['RA', 52, 2000],
  '211014': ['RA', 46, 2000],
  '211015': ['RA', 49, 2000],
  '211018': ['RA', 56, 3000],
  '211022': ['RA', 42, 1600],
  '211025': ['RA', 54, 2000],
  '211026': ['RA', 56, 2000],
  '211027': ['RA', 56, 2000],
  '211028': ['RA', 55, 2000],
  '211103': ['RA', 49, 3000],
};

const cowley2023 = (
  session: string,
  [animal, sites, images]: readonly [string, number, number],
): CatalogueEntry => ({
  name: `cowley2023-${session}`,
  what: `V4, ${sites} sites, ${images} images of 112×112, spike counts of single trials (monkey ${animal})`,
  base: 'https://raw.githubusercontent.com/cowleygroup/V4_compact_models/main/data_V4_responses/',
  files: [
    published(`responses_raw/responses_${session}.npy`),
    published(`images/images_${session}.zip`),
  ],
  import: {
    kind: 'npy',
    responses: 0,
    stimuli: 1,
    dims: ['site', 'stimulus', 'trial'],
    area: 'V4',
    species: 'macaque',
    animal,
    // The release gives the length of the count, not its beginning.
    window: { start: 0, end: 100 },
    unit: 'spike count in 100 ms',
  },
  licence: 'GPL-3.0',
  citation:
    'Cowley, Stan, Pillow, Smith (2023). Compact deep neural network models of visual cortex. bioRxiv 2023.11.22.568315',
});

const arcaro2020: CatalogueEntry = {
  name: 'arcaro2020',
  what:
    'spatial IT maps of Linsley et al. 2023: a response per fixation, 14 images each, five time bins; m1-ml (32 sites), ' +
    'm1-pl (31), m2-ml (32)',
  base: 'https://storage.googleapis.com/serrelab-public/neural_recordings/',
  files: [published('Arcaro2020.zip')],
  import: { kind: 'arcaro' },
  licence: null,
  citation:
    'Arcaro, Ponce, Livingstone (2020). The neurons that mistook a hat for a face. eLife 9, e53798; as released by ' +
    'Linsley, Rodriguez, Fel, Arcaro, Sharma, Livingstone, Serre (2023), NeurIPS',
};

const brainscore = 'https://brainscore-storage.s3.amazonaws.com/brainio-brainscore/';
const majajhong =
  'Majaj, Hong, Solomon, DiCarlo (2015). Simple learned weighted sums of inferior temporal neuronal firing rates accurately predict human core object recognition performance. J. Neurosci. 35, 13402–13418';
const hvmPublic = [
  published('stimulus_hvm-public.csv', '5ca7a3da00d8e9c694a9cd725df5ba0ad6d735af'),
  published('stimulus_hvm-public.zip', '8aa44e038d7b551efa8077467622f9d48d72e473'),
];

const brainio = (
  species: string,
  areas: readonly string[],
  bins: readonly TimeBin[] | null,
): CatalogueImport => ({
  kind: 'brainio',
  ...{ assembly: 0, stimuli: 1, images: 2, species, areas, bins, unit: 'as published' },
});

const majajhong2015: CatalogueEntry = {
  name: 'majajhong2015-public',
  what: 'V4 (88 sites) and IT (168) on the same HvM images, 8 objects (object_name), trials, 70–170 ms; v4, it',
  base: brainscore,
  files: [
    published('assy_dicarlo_MajajHong2015_public.nc', '13d28ca0ce88ee550b54db3004374ae19096e9b9'),
    ...hvmPublic,
  ],
  import: brainio('macaque', ['V4', 'IT'], null),
  licence: null,
  citation: majajhong,
};

const majajhong2015Temporal: CatalogueEntry = {
  ...majajhong2015,
  name: 'majajhong2015-temporal-public',
  what: 'the same as majajhong2015-public in time bins; v4, it',
  files: [
    published(
      'assy_dicarlo_MajajHong2015_temporal_public.nc',
      '093ac35b3e8464c676d24cf38238415d4d6a9448',
    ),
    ...hvmPublic,
  ],
};

const freemanziemba2013: CatalogueEntry = {
  name: 'freemanziemba2013-public',
  what: 'V1 and V2, textures and spectrally matched noise (texture_type), trials, averaged over 50–200 ms; v1, v2',
  base: brainscore,
  files: [
    {
      ...published(
        'assy_movshon_FreemanZiemba2013_public.nc',
        '761c08f796db4e342555cdb60eef23a4f19ead43',
      ),
      query: '?versionId=W2vx7jdh9utZdVumHHarXa4L1zOrA8Fd',
    },
    published(
      'stimulus_FreemanZiemba2013_aperture-public.csv',
      '194c9b301a4e3e9cff02481d4c19b39331d52660',
    ),
    published(
      'stimulus_FreemanZiemba2013_aperture-public.zip',
      '3a6fec1fc28c212882d6833e267ea8654d289611',
    ),
  ],
  import: brainio('macaque', ['V1', 'V2'], [{ start: 50, end: 200 }]),
  licence: null,
  citation:
    'Freeman, Ziemba, Heeger, Simoncelli, Movshon (2013). A functional and perceptual signature of the second visual ' +
    'area in primates. Nat. Neurosci. 16, 974–981',
};

const kriegeskorte2008: CatalogueEntry = {
  name: 'kriegeskorte2008',
  what: 'dissimilarities of monkey and human IT, 92 object images (a MATLAB file, kept as it is; no responses)',
  base: 'https://raw.githubusercontent.com/rsagroup/rsatoolbox/main/demos/92imageData/',
  files: [published('Kriegeskorte_Neuron2008_supplementalData.mat')],
  import: { kind: 'keep' },
  licence: 'MIT (as distributed with rsatoolbox)',
  citation:
    'Kriegeskorte, Mur, Ruff, Kiani, Bodurka, Esteky, Tanaka, Bandettini (2008). Matching categorical object ' +
    'representations in inferior temporal cortex of man and monkey. Neuron 60, 1126–1141',
};

/** Shards 0 … last − 1 as the released loader counts them, and `last`, which its tests ask for. */
const clickmeShards = (part: string, last: number): CatalogueFile[] =>
  Array.from({ length: last + 1 }, (_, shard) => ({
    ...published(`${part}/${part}-${shard}.tfrecords`),
    ...(shard === last ? { optional: true as const } : {}),
  }));

const clickmeBase: Omit<CatalogueEntry, 'name' | 'what' | 'files'> = {
  base: 'https://storage.googleapis.com/serrelab/prj_harmonization/dataset/click-me/',
  import: { kind: 'human-maps' },
  licence: null,
  citation:
    'Linsley, Shiebler, Eberhardt, Serre (2019). Learning what and where to attend with humans in the loop. ICLR; as ' +
    'released by Fel, Rodriguez, Linsley, Serre (2022). Harmonizing the object recognition strategies of deep neural ' +
    'networks with humans. NeurIPS',
};

const clickme: CatalogueEntry = {
  ...clickmeBase,
  name: 'clickme',
  what: 'human importance maps of ImageNet photographs (ClickMe), the validation set of Fel et al. 2022: 17 shards',
  files: clickmeShards('val', 17),
};

const clickmeTrain: CatalogueEntry = {
  ...clickmeBase,
  name: 'clickme-train',
  what: 'the same for training: 318 shards',
  files: clickmeShards('train', 318),
};

/** The data sets that stand for themselves. */
export const catalogue: readonly CatalogueEntry[] = [
  arcaro2020,
  majajhong2015,
  majajhong2015Temporal,
  freemanziemba2013,
  kriegeskorte2008,
  clickme,
  clickmeTrain,
];

/** Data sets with many records of one form. */
export interface CatalogueSeries {
  /** Such as `cowley2023-<session>`. */
  readonly pattern: string;
  readonly what: string;
  readonly entries: readonly CatalogueEntry[];
}

export const catalogueSeries: readonly CatalogueSeries[] = [
  {
    pattern: 'cowley2023-<session>',
    what: `V4, 21 to 89 sites, 400 to 3,000 images, single trials; sessions ${Object.keys(cowleySessions).join(', ')}`,
    entries: Object.entries(cowleySessions).map(([session, facts]) => cowley2023(session, facts)),
  },
];

/** Input error, naming what there is, for a name that the catalogue does not have. */
export const catalogueEntry = (name: string): CatalogueEntry => {
  const series = catalogueSeries.flatMap(({ entries }) => entries);
  const found = [...catalogue, ...series].find((entry) => entry.name === name);
  if (found !== undefined) return found;
  const patterns = catalogueSeries.map(({ pattern }) => pattern);
  throw inputError({
    code: 'no-such-data-set',
    field: 'name',
    where: 'name',
    expected: `one of ${[...catalogue.map((entry) => entry.name), ...patterns].join(', ')}`,
    got: `"${name}"`,
    mend: 'name one of them',
  });
};
