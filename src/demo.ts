// A synthetic world with known truth → recordings and networks on disk → the score of every network for every area,
// beside the ceiling and the recovery that only the maker of the world can know.

import { gaborBank } from './architectures/gabor-bank.ts';
import { plantedNetwork } from './architectures/planted.ts';
import { randomCnn } from './architectures/random-cnn.ts';
import { below } from './formats/paths.ts';
import { writeRecording } from './formats/recording-write.ts';
import { encodeText } from './formats/text.ts';
import { encodeModel } from './graph/encode.ts';
import type { OnnxGraph } from './graph/graph.ts';
import { createRandom } from './numeric/random.ts';
import type { Demo, DemoArea } from './records/demo.ts';
import type { Interval } from './records/interval.ts';
import type { Ports } from './records/ports.ts';
import type { Score } from './records/score.ts';
import { during } from './records/watch.ts';
import { planScore, score } from './score.ts';
import { exchangeMaps } from './world/shuffle.ts';
import { overSitesAndImages, type SimulatedRecording } from './world/simulation.ts';
import { createWorld, type World, type WorldSettings } from './world/world.ts';

export interface DemoRequest {
  /** Where recordings and models are written; what an earlier demo left there is replaced. */
  readonly folder: string;
  /** `worldSettings(seed)`, or fewer areas or fixations. */
  readonly world: WorldSettings;
  /** Bytes that a score may take. */
  readonly memory: number;
}

interface DemoNetwork {
  readonly name: string;
  readonly graph: OnnxGraph;
  /** One per stage; null: all. */
  readonly layers: readonly string[] | null;
}

const statement = [
  'Everything here is simulated: the scenes are rendered, the sites are formulas, the spikes are Poisson noise. No animal, no trained network.',
  'V4 sites are driven by products of orientation and colour in a 32-pixel patch, IT sites by products of orientations a few pixels apart; each drive is rectified, raised to a power and saturates.',
  'A third of each rate depends on the objects of the scene, which no network is told, so that none can reach 1.',
  'planted holds the driving features, gabor-bank stops at V1, random-cnn was trained by nobody. Attainable: the score of one that knows all that a patch tells.',
];

/** The networks take patches as they are, values in [0, 1]. Written beside the models, where `ventral score` looks; no class is
 * named, since every step is. */
const processor = {
  do_resize: false,
  do_rescale: true,
  rescale_factor: 1 / 255,
  do_normalize: false,
};

const candidatesOf = (seed: number): DemoNetwork[] => [
  {
    name: 'planted',
    graph: plantedNetwork(),
    layers: ['complex', 'tuning', 'colour', '*.pool'],
  },
  { name: 'gabor-bank', graph: gaborBank(), layers: null },
  { name: 'random-cnn', graph: randomCnn(seed), layers: null },
];

/**
 * Renders the world of a seed, writes it as recording folders and ONNX models, scores the three candidates against
 * each area with `grid-cv`, and the best once more against exchanged maps. Deterministic in the seed.
 */
export const demo = async (request: DemoRequest, ports: Ports): Promise<Demo> => {
  const { folder } = request;
  const { seed } = request.world.scenes;
  const world = createWorld(request.world);
  const networks = candidatesOf(seed);
  await writeModels(networks, folder, ports);
  const found: DemoArea[] = [];
  for (const recording of world.recordings) {
    ports.checkStop();
    await writeArea(world, recording, folder, ports);
    found.push(await scoreArea(request, recording, networks, ports));
  }
  return { kind: 'demo', format: 2, seed, folder, statement, areas: found };
};

const modelPath = (folder: string, name: string): string => below(folder, `models/${name}.onnx`);

const areaOf = ({ header }: SimulatedRecording): string => header.sites[0]!.area;

const writeModels = async (
  networks: readonly DemoNetwork[],
  folder: string,
  { files }: Ports,
): Promise<void> => {
  for (const { name, graph } of networks)
    await files.write(modelPath(folder, name), [encodeModel(graph)]);
  const text = `${JSON.stringify(processor, null, 2)}\n`;
  await files.write(below(folder, 'models/preprocessor_config.json'), [encodeText(text)]);
};

/** The recording and its shuffled twin. */
const writeArea = async (
  { scenes, settings }: World,
  { header, responses, stimuli }: SimulatedRecording,
  folder: string,
  ports: Ports,
): Promise<void> => {
  const { area } = header.sites[0]!;
  const write = (name: string, values: typeof responses, notes: readonly string[]): Promise<void> =>
    writeRecording(
      below(folder, name),
      {
        header: { ...header, name: `${header.name}${name.slice(area.length)}`, notes: [...notes] },
        responses: values,
        stimuli,
        image: (_, index) => ports.images.encode(scenes[index]!.pixels),
      },
      ports,
      { replace: true },
    );
  await write(area, responses, header.notes);
  const random = createRandom(settings.scenes.seed).fork(`exchanged maps ${area}`);
  await write(`${area}-shuffled`, exchangeMaps(responses, random), [
    ...header.notes,
    'The maps of all sites were exchanged between images: a control that should score near 0.',
  ]);
};

interface Scored {
  readonly network: string;
  readonly score: Score;
}

const scoreArea = async (
  request: DemoRequest,
  recording: SimulatedRecording,
  networks: readonly DemoNetwork[],
  ports: Ports,
): Promise<DemoArea> => {
  const area = areaOf(recording);
  const results: Scored[] = [];
  for (const { name, layers } of networks)
    results.push(await scoreOne(request, area, name, layers, ports));
  const best = results.reduce((high, each) => (each.score.value > high.score.value ? each : high));
  const control = await scoreOne(
    request,
    `${area}-shuffled`,
    best.network,
    [best.score.layer],
    ports,
  );
  const { timeBin } = best.score;
  const attainable = overSitesAndImages(recording.truth.attainable.data, recording.stimuli.length);
  return {
    area,
    ...sizesOf(recording),
    timeBin,
    ceiling: { known: knownCeiling(recording, timeBin.start), estimated: best.score.ceiling },
    attainable,
    scores: results.map((result) => ({
      ...valuesOf(result),
      recovery: result.score.value / attainable,
    })),
    shuffled: valuesOf(control),
    apart: results.every(
      (other) => other === best || liesAbove(best.score.interval, other.score.interval),
    ),
  };
};

const sizesOf = ({ header, responses, stimuli }: SimulatedRecording) => ({
  sites: header.sites.length,
  images: stimuli.length,
  rows: header.grid!.rows,
  columns: header.grid!.columns,
  trials: responses.shape[header.dims.indexOf('trial')]!,
});

const liesAbove = (a: Interval | null, b: Interval | null): boolean =>
  a !== null && b !== null && a.low > b.high;

const scoreOne = async (
  { folder, memory, world }: DemoRequest,
  recording: string,
  network: string,
  layers: readonly string[] | null,
  ports: Ports,
): Promise<Scored> => {
  const named = during(`${network} for ${recording}`, ports);
  const plan = await planScore(
    {
      candidate: modelPath(folder, network),
      recording: below(folder, recording),
      protocol: 'grid-cv',
      layers,
      memory,
      seed: world.scenes.seed,
      timeBins: 'best',
    },
    named,
  );
  return { network, score: (await score(plan, named)).score };
};

const valuesOf = ({ network, score: { layer, value, raw, interval } }: Scored) => ({
  network,
  layer,
  value,
  raw,
  interval,
});

/** Closed-form ceilings of one time bin, aggregated as the score is. */
const knownCeiling = ({ header, truth, stimuli }: SimulatedRecording, start: number): number => {
  const bin = header.timeBins.findIndex((each) => each.start === start);
  const size = stimuli.length * header.sites.length;
  return overSitesAndImages(
    truth.ceilings.data.subarray(bin * size, (bin + 1) * size),
    stimuli.length,
  );
};
