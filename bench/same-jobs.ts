// What `same.ts` runs on both sides. Small jobs: together some minutes on one core.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sharedData } from './same-inputs.ts';

export interface Job {
  /** Such as `grid/grid-trials/ventral`; also the folder of what it writes. */
  readonly id: string;
  /** The command line, in the folder of all jobs; `OUT` stands for the job's own folder. */
  readonly args: readonly string[];
  /** Jobs whose files it reads. */
  readonly needs: readonly string[];
}

const job = (id: string, command: string, needs: readonly string[] = []): Job => ({
  id,
  args: command.split(' ').map((word) => word.replace('OUT', id)),
  needs,
});

const keep = '--keep predictions,layer-predictions,readout';
const written = '--out OUT/score.json --csv OUT/score.csv --threads 1 --quiet';
const everything = `--nulls --curve ${keep} ${written}`;
const cnn = 'inputs/cnn.onnx --preprocess inputs/cnn.json';
const features = '--activations inputs/features.npy';

const codes = 'linsley2023-code';
const gridProtocols = ['ventral', 'grid-cv', 'linsley2023', codes, 'linsley2023-nested'];
const imageProtocols = ['ventral', 'image-cv', 'brainscore-like-2020', 'brainscore-like-2026'];

const scores = (
  group: string,
  candidate: string,
  recordings: readonly string[],
  protocols: readonly string[],
  options: string,
  needs: readonly string[] = [],
): Job[] =>
  recordings.flatMap((recording) =>
    protocols.map((protocol) =>
      job(
        `${group}/${recording}/${protocol.replace(/^inputs\/|\.json$/g, '')}`,
        `score ${candidate} --recording inputs/${recording} --protocol ${protocol} ${options}`,
        needs,
      ),
    ),
  );

const demoScores = (network: string, area: string, protocol: string, options = ''): Job =>
  job(
    `demo-score/${area}/${network}/${protocol}`,
    `score demo/world/models/${network}.onnx --recording demo/world/${area} --protocol ${protocol} ${options}${keep} ${written}`,
    ['demo'],
  );

const demo: readonly Job[] = [
  job('demo', 'demo --out OUT/world --threads 1 --quiet'),
  job(
    'demo-inspect',
    'data inspect demo/world/V4 --html OUT/page.html --site V4-03 --map OUT/map.png',
    ['demo'],
  ),
  job('demo-layers', 'layers demo/world/models/planted.onnx --json', ['demo']),
  ...gridProtocols.map((protocol) => demoScores('gabor-bank', 'V4', protocol)),
  demoScores('planted', 'V4', 'grid-cv', '--layers *.pool '),
  demoScores('random-cnn', 'V4', 'grid-cv'),
  demoScores('planted', 'IT', 'grid-cv', '--layers *.pool '),
  job(
    'demo-compare',
    `compare ${['gabor-bank', 'planted', 'random-cnn'].map((each) => `demo-score/V4/${each}/grid-cv/score.json`).join(' ')} --json`,
    ['gabor-bank', 'planted', 'random-cnn'].map((each) => `demo-score/V4/${each}/grid-cv`),
  ),
  job(
    'demo-profile',
    'profile demo-score/V4/planted/grid-cv/score.json demo-score/IT/planted/grid-cv/score.json --out OUT/profile.json --html OUT/profile.html --quiet',
    ['demo-score/V4/planted/grid-cv', 'demo-score/IT/planted/grid-cv'],
  ),
];

const own = (names: readonly string[]): string[] => names.map((name) => `inputs/${name}.json`);
const layers = '--layers block,last';
const inspected = (name: string): Job =>
  job(`inspect/${name}`, `data inspect inputs/${name} --html OUT/page.html`);

const grid: readonly Job[] = [
  ...scores(
    'grid',
    cnn,
    ['grid-trials', 'grid-means'],
    gridProtocols.filter((each) => each !== codes),
    `${layers} ${everything}`,
  ),
  ...scores(
    'grid',
    cnn,
    ['grid-missing'],
    ['grid-cv', 'linsley2023', ...own(['grid-ridge-map', 'grid-pls-sites'])],
    `${layers} ${everything}`,
  ),
  // Whole images of 32×32 are what the networks of the demo take, whose layers have channels enough.
  ...scores(
    'grid',
    'demo/world/models/random-cnn.onnx',
    ['grid-trials', 'grid-missing', 'grid-means'],
    [codes],
    everything,
    ['demo'],
  ),
  job(
    'grid-best-bin',
    `score ${cnn} --recording inputs/grid-trials --time-bins best --seed 3 ${layers} ${keep} ${written}`,
  ),
  ...['grid-trials', 'grid-missing', 'grid-means'].flatMap((name) => [
    inspected(name),
    job(`ceiling/${name}`, `ceiling inputs/${name} --out OUT/ceiling.json --threads 1 --quiet`),
  ]),
  job(
    'ceiling/grid-between',
    'ceiling inputs/grid-trials inputs/grid-means --protocol linsley2023 --out OUT/ceiling.json --threads 1 --quiet',
  ),
  job(
    'grid-ceilings',
    `score ${cnn} --recording inputs/grid-trials --layers last --ceilings ceiling/grid-trials/ceiling.json ${written}`,
    ['ceiling/grid-trials'],
  ),
  job(
    'grid-profile',
    'profile grid/grid-trials/ventral/score.json grid/grid-means/ventral/score.json --out OUT/profile.json --html OUT/profile.html --quiet',
    ['grid/grid-trials/ventral', 'grid/grid-means/ventral'],
  ),
];

const image: readonly Job[] = [
  ...scores('image', features, ['image-trials'], imageProtocols, everything),
  ...scores('image', cnn, ['image-bins'], imageProtocols, `${layers} ${everything}`),
  ...scores('image', cnn, ['image-means'], ['ventral', 'image-cv'], `${layers} ${everything}`),
  ...scores(
    'image',
    cnn,
    ['image-bins'],
    own(['image-ridge', 'image-other-site']),
    `${layers} ${everything}`,
  ),
  ...scores(
    'image-cnn',
    cnn,
    ['image-trials'],
    ['ventral', 'brainscore-like-2020'],
    `${layers} ${keep} ${written}`,
  ),
  ...['image-trials', 'image-bins', 'image-means'].map(inspected),
  ...['ventral', 'brainscore-like-2020'].map((protocol) =>
    job(
      `ceiling/image-bins/${protocol}`,
      `ceiling inputs/image-bins --protocol ${protocol} --out OUT/ceiling.json --threads 1 --quiet`,
    ),
  ),
  job(
    'ceiling/image-between',
    'ceiling inputs/image-bins inputs/image-trials --out OUT/ceiling.json --threads 1 --quiet',
  ),
  job(
    'ceiling/image-between-only',
    'ceiling inputs/image-trials inputs/image-bins --between-only --out OUT/ceiling.json --threads 1 --quiet',
  ),
  ...['ventral', 'brainscore-like-2020'].map((protocol) =>
    job(
      `image-compare/${protocol}`,
      `compare image/image-trials/${protocol}/score.json image-cnn/image-trials/${protocol}/score.json --json`,
      [`image/image-trials/${protocol}`, `image-cnn/image-trials/${protocol}`],
    ),
  ),
  job(
    'image-ceilings',
    `score ${features} --recording inputs/image-trials --ceilings ceiling/image-between-only/ceiling.json ${written}`,
    ['ceiling/image-between-only'],
  ),
  job(
    'image-profile',
    'profile image-cnn/image-trials/ventral/score.json image/image-means/ventral/score.json --out OUT/profile.json --quiet',
    ['image-cnn/image-trials/ventral', 'image/image-means/ventral'],
  ),
  job(
    'saliency',
    `saliency inputs/cnn.onnx --images inputs/grid-means/stimuli --readout image-cnn/image-trials/ventral/score.json --site s1 --out OUT/maps --threads 1 --quiet`,
    ['image-cnn/image-trials/ventral'],
  ),
];

const session = 'inputs/shared/recordings/v4-cowley2023-session210325';
const mobilenet = 'inputs/shared/models/mobilenet_v1_0.25_128.onnx --preprocess tf-224';
const v4: readonly Job[] = [
  job(
    'v4',
    `data import npy --responses ${session}/responses_raw.npy --dims site,stimulus,trial --stimuli ${session}/images.zip --area V4 --species macaque --window 50-150 --out OUT/session --quiet`,
  ),
  ...imageProtocols.map((protocol) =>
    job(
      `v4-score/${protocol}`,
      `score ${mobilenet} --layers m.Conv_23,m.Conv_26 --recording v4/session --protocol ${protocol} ${keep} ${written}`,
      ['v4'],
    ),
  ),
  job(
    'v4-nulls',
    `score ${mobilenet} --layers m.Conv_23 --recording v4/session --protocol image-cv --nulls ${written}`,
    ['v4'],
  ),
];

/** Why the jobs of the V4 session cannot be run; null where they can. */
export const v4Missing: string | null =
  existsSync(join(sharedData, 'recordings')) && existsSync(join(sharedData, 'models'))
    ? null
    : 'no recordings and models in shared/data beside the repository';

export const jobs: readonly Job[] = [...image, ...demo, ...grid, ...(v4Missing === null ? v4 : [])];

/** Those whose name contains one of the patterns (comma-separated, `*` for anything), with those that they need. */
export const chosen = (patterns: string | null): Job[] => {
  if (patterns === null) return [...jobs];
  const tests = patterns.split(',').map((each) => {
    const escaped = each.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(escaped.replaceAll('*', '.*'));
  });
  const ids = new Set<string>();
  const add = (each: Job): void => {
    for (const need of each.needs) add(jobs.find(({ id }) => id === need)!);
    ids.add(each.id);
  };
  for (const each of jobs) if (tests.some((test) => test.test(each.id))) add(each);
  return jobs.filter(({ id }) => ids.has(id));
};
