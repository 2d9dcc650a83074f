// The method section: human importance maps → saliency of the network's class logit on the same images → how well the two
// agree over pixels / how well the true map could agree with these people's. First a plan (cheap), then the alignment.

import { agreementOf, type RankedMap, rankedMap } from './alignment/agreement.ts';
import { centreBias, edges } from './alignment/controls.ts';
import { splitSubjects } from './alignment/human-ceiling.ts';
import { alignmentMetrics, type ImageAgreement } from './alignment/metrics.ts';
import {
  checkHumanCeiling,
  defaultAlignmentProtocol,
  resolveAlignmentProtocol,
} from './alignment/protocols.ts';
import { type HumanMapsRequest, openHumanMaps } from './data/human-maps.ts';
import {
  clickmeImage,
  clickmeMap,
  type FrameSize,
  framedImage,
  framedMap,
} from './models/frame.ts';
import { type Network, openNetwork } from './models/network.ts';
import { resolvePreprocessing, statedSize } from './models/preprocess.ts';
import { createRandom, type Random } from './numeric/random.ts';
import type {
  AlignedImage,
  Alignment,
  AlignmentControl,
  AlignmentProtocol,
  HumanCeilingSettings,
} from './records/alignment.ts';
import type { Float32Nd } from './records/array.ts';
import { inputError } from './records/errors.ts';
import type { Hdf5 } from './records/hdf5.ts';
import type { HumanMap, HumanMaps } from './records/human-map.ts';
import type { Preprocessing } from './records/model.ts';
import type { Ports } from './records/ports.ts';
import { protocolHash } from './records/protocol-form.ts';
import { preprocessingInput, runWith, timedRun } from './records/provenance.ts';
import { counted } from './report/table.ts';
import { type ClassExplainer, openClassSaliency } from './saliency/class-saliency.ts';
import { type CheckedSession, gradientSummary } from './saliency/gradient-check.ts';
import { imageKey, keptImage } from './store/image-cache.ts';
import { ventralVersion } from './version.ts';

/** What is asked for. Paths as the Files port takes them. */
export interface AlignRequest extends Omit<HumanMapsRequest, 'fixationSigma'> {
  readonly model: string;
  /** Preset, file, or null for what lies beside the model. */
  readonly preprocess: string | null;
  /** Name or `.json` file; null: `clickme-2022` for ClickMe's shards, `human-maps` for others. */
  readonly protocol: string | null;
  /** In place of the protocol's ceiling; null: the protocol's. */
  readonly ceiling: HumanCeilingSettings | null;
  /** The first so many images; null: all. */
  readonly limit: number | null;
  readonly seed: number;
}

export type AlignPorts = Ports & { readonly hdf5: Hdf5 };

/** Everything settled before the work. */
export interface AlignPlan {
  readonly request: AlignRequest;
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  readonly protocol: AlignmentProtocol;
  readonly maps: HumanMaps;
  readonly warnings: readonly string[];
}

/** Reads network, protocol and human maps. Rejects with a VentralError for everything that can be known beforehand. */
export const planAlignment = async (
  request: AlignRequest,
  ports: AlignPorts,
): Promise<AlignPlan> => {
  const network = await openNetwork(request.model, ports);
  const { preprocessing, warning } = await resolvePreprocessing(
    { named: request.preprocess, modelPath: request.model, input: network.input },
    ports,
  );
  const named =
    request.protocol === null
      ? null
      : await resolveAlignmentProtocol(request.protocol, ports.files);
  const { fixationSigma } = named ?? defaultAlignmentProtocol('fixations');
  const maps = await openHumanMaps({ ...request, fixationSigma }, ports);
  const protocol = named ?? defaultAlignmentProtocol(maps.kind);
  const ceiling = checkHumanCeiling(request.ceiling ?? protocol.ceiling, maps, {
    isChosen: request.ceiling !== null || named !== null,
  });
  return {
    request,
    network,
    preprocessing,
    protocol: { ...protocol, ceiling },
    maps,
    warnings: [
      ...(warning === null ? [] : [warning]),
      ...maps.warnings,
      ...(ceiling.kind === protocol.ceiling.kind || request.ceiling !== null
        ? []
        : ['these maps are not of single people: there is no ceiling unless one is given']),
    ],
  };
};

/** One image: how network and controls agree with people, or why it is left out. */
interface Compared {
  readonly image: AlignedImage;
  readonly centre: ImageAgreement;
  readonly edges: ImageAgreement;
}
type Outcome = Compared | { readonly reason: string };

/**
 * Carries out a plan, image after image; what was found is kept in the cache, and is not computed again. Rejects with the `stopped` error after an interrupt; input error: an image
 * without the label that the protocol asks for, a class that the network does not have, no image that can be compared.
 */
export const align = async (plan: AlignPlan, ports: AlignPorts): Promise<Alignment> => {
  const startedAt = ports.now();
  const { network, preprocessing, protocol, maps, request } = plan;
  const total = Math.min(maps.count ?? Infinity, request.limit ?? Infinity);
  const compared: Compared[] = [];
  const excluded: { image: string; reason: string }[] = [];
  const mapWarnings: string[] = [];
  const explainer = await openClassSaliency(
    network,
    preprocessing,
    protocol.saliency,
    protocol.class === 'top1',
    ports,
  );
  let done = 0;
  let logit = '';
  const sessions: (CheckedSession | null)[] = [];
  try {
    for await (const human of maps.read()) {
      ports.checkStop();
      const key = await imageKey(ports.hash, human, basisOf(plan, ports));
      const { outcome, tensor, checked } = await keptImage(ports.cache, key, async () => ({
        outcome: await compareImage(human, plan, explainer),
        tensor: explainer.tensor(),
        checked: explainer.checked(),
      }));
      if ('reason' in outcome) excluded.push({ image: human.id, reason: outcome.reason });
      else compared.push(outcome);
      if (human.warning !== null) mapWarnings.push(`${human.id}: ${human.warning}`);
      logit = tensor ?? logit;
      sessions.push(checked);
      done++;
      const known = Number.isFinite(total) ? total : null;
      ports.progress({ task: 'saliency', done, total: known, unit: 'images' });
      if (done >= total) break;
    }
  } finally {
    await explainer.release();
  }
  return assemble(
    plan,
    { compared, excluded, mapWarnings, logit, sessions, done },
    startedAt,
    ports,
  );
};

/** What an image's outcome depends on beside the image and its maps. */
const basisOf = ({ network, preprocessing, protocol, request }: AlignPlan, ports: AlignPorts) => ({
  model: network.sha256,
  preprocessing,
  protocol,
  seed: request.seed,
  versions: [ports.engine.version, ports.images.version, ports.engine.device],
});

/** Human map and image at the size of the network's input. */
const framed = (
  { protocol, preprocessing, network }: AlignPlan,
  { pixels }: HumanMap,
): { intensities: Float32Nd; toFrame: (map: Float32Nd) => Float32Nd } => {
  if (protocol.frame === 'preprocessing')
    return {
      intensities: framedImage(pixels, preprocessing),
      toFrame: (map) => framedMap(map, preprocessing),
    };
  const size: FrameSize = statedSize(network.input, preprocessing) ?? { height: 224, width: 224 };
  return {
    intensities: clickmeImage(pixels, size, preprocessing),
    toFrame: (map) => clickmeMap(map, size),
  };
};

const compareImage = async (
  human: HumanMap,
  plan: AlignPlan,
  explainer: ClassExplainer,
): Promise<Outcome> => {
  const { protocol, request } = plan;
  const random = createRandom(request.seed).fork(human.id);
  const { intensities, toFrame } = framed(plan, human);
  const ranked = (map: Float32Nd): RankedMap => rankedMap(map.data, protocol.percentile);
  const people = ranked(toFrame(human.map));
  if (people.ranks === null) return { reason: constantReason('human map', human.map) };
  const saliency = await explainer.explain(
    intensities,
    classFor(human, protocol),
    random.fork('noise'),
    human.id,
  );
  const own = ranked(saliency.map);
  if (own.ranks === null) return { reason: constantReason('saliency', saliency.map) };
  const split = splitOf(human, protocol, toFrame, random.fork('people'));
  const [height, width] = intensities.shape as readonly [number, number, number];
  const control = (map: Float32Nd): ImageAgreement => ({
    own: agreementOf(ranked(map), people),
    split,
  });
  return {
    image: {
      image: human.id,
      class: saliency.class,
      network: agreementOf(own, people),
      split,
    },
    centre: control(centreBias(height, width)),
    edges: control(edges(intensities)),
  };
};

const constantReason = (what: string, { data }: Float32Nd): string =>
  data.every((value) => value === 0) ? `the ${what} is 0 everywhere` : `the ${what} is constant`;

const classFor = ({ id, label }: HumanMap, protocol: AlignmentProtocol): number | null => {
  if (protocol.class === 'top1') return null;
  if (label !== null) return label;
  throw inputError({
    where: `${id}: label`,
    expected: `the class of the image, as the protocol ${protocol.name} asks for`,
    got: 'none',
    mend: 'give labels.csv, or a protocol with "class": "top1"',
  });
};

const splitOf = (
  { subjects }: HumanMap,
  { ceiling, percentile }: AlignmentProtocol,
  toFrame: (map: Float32Nd) => Float32Nd,
  random: Random,
): AlignedImage['split'] =>
  ceiling.kind === 'split-subjects'
    ? splitSubjects((subjects ?? []).map(toFrame), ceiling.splits, percentile, random)
    : null;

/** What a run over the images gave. */
interface Gathered {
  readonly compared: readonly Compared[];
  readonly excluded: readonly { readonly image: string; readonly reason: string }[];
  readonly mapWarnings: readonly string[];
  readonly logit: string;
  readonly sessions: readonly (CheckedSession | null)[];
  readonly done: number;
}

const assemble = async (
  { network, preprocessing, protocol, maps, request, warnings }: AlignPlan,
  { compared, excluded, mapWarnings, logit, sessions, done }: Gathered,
  startedAt: number,
  ports: AlignPorts,
): Promise<Alignment> => {
  const valuesOf = (all: readonly ImageAgreement[]) =>
    alignmentMetrics(all, protocol, request.seed);
  const metrics = valuesOf(
    compared.map(({ image }) => ({ own: image.network, split: image.split })),
  );
  if (metrics === null) throw nothingCompared(maps, excluded, done);
  const controls: AlignmentControl[] = [
    { name: 'centre bias', metrics: valuesOf(compared.map(({ centre }) => centre)) },
    { name: 'edge detector', metrics: valuesOf(compared.map((each) => each.edges)) },
  ];
  const { spearman } = metrics;
  const { engineCheck, notes } = gradientSummary(sessions);
  return {
    kind: 'human-alignment',
    format: 2,
    value: spearman.value,
    raw: spearman.raw,
    ceiling: spearman.ceiling,
    interval: spearman.value === null ? spearman.rawInterval : spearman.interval,
    metrics,
    controls,
    protocol,
    images: compared.map(({ image }) => image),
    excludedImages: excluded,
    warnings: [
      ...warnings,
      ...(request.limit !== null && done === request.limit
        ? [`the first ${done} images only`]
        : []),
      ...notes,
      ...mapWarnings,
    ],
    provenance: {
      run: timedRun(runWith(ports, ventralVersion, request.seed), startedAt, ports.now()),
      inputs: [
        { role: 'model', name: network.name, sha256: network.sha256, tensor: logit },
        { role: 'human-maps', name: maps.name, sha256: maps.sha256, count: done },
        await preprocessingInput(preprocessing, ports.hash),
        {
          ...{ role: 'protocol', name: protocol.name },
          sha256: await protocolHash(protocol, ports.hash),
        },
      ],
      engineCheck,
    },
  };
};

const nothingCompared = (maps: HumanMaps, excluded: Gathered['excluded'], done: number) =>
  inputError({
    where: maps.name,
    expected: 'at least one image on which saliency and human map vary',
    got:
      excluded.length === 0
        ? `${done} images`
        : `${counted(done, 'image')}, of which the first is left out: ${excluded[0]!.reason}`,
    mend: 'check the maps, the preprocessing and the network',
  });
