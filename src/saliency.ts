import { type ImageSet, openImageSet } from './data/image-set.ts';
import { readClasses } from './data/labels.ts';
import { baseName } from './formats/paths.ts';
import { decodeText, encodeText } from './formats/text.ts';
import { framedImage } from './models/frame.ts';
import { type Network, openNetwork } from './models/network.ts';
import { resolvePreprocessing } from './models/preprocess.ts';
import { createRandom, type Random } from './numeric/random.ts';
import type { Float32Nd } from './records/array.ts';
import { inputError } from './records/errors.ts';
import type { Preprocessing } from './records/model.ts';
import type { Ports } from './records/ports.ts';
import {
  findInput,
  type ProvenanceInput,
  preprocessingInput,
  runWith,
  timedRun,
} from './records/provenance.ts';
import type { SaliencyImage, SaliencyRecord, SaliencySettings } from './records/saliency.ts';
import type { Score } from './records/score.ts';
import { openClassSaliency } from './saliency/class-saliency.ts';
import { type CheckedSession, gradientSummary } from './saliency/gradient-check.ts';
import type { Saliency } from './saliency/methods.ts';
import { openSiteSaliency, type SiteReadout } from './saliency/site-saliency.ts';
import { readReadout } from './store/readout-files.ts';
import { readScore } from './store/score-files.ts';
import { ventralVersion } from './version.ts';

/** Which class: the network's own, one for all images, or a table of them. */
export type ClassChoice =
  | { readonly kind: 'top1' }
  | { readonly kind: 'fixed'; readonly class: number }
  | { readonly kind: 'table'; readonly path: string };

export interface SaliencyRequest {
  readonly model: string;
  readonly images: string;
  readonly settings: SaliencySettings;
  readonly of:
    | { readonly kind: 'class'; readonly choice: ClassChoice; readonly preprocess: string | null }
    | { readonly kind: 'site'; readonly score: string; readonly site: string };
  readonly seed: number;
}

/** The map of one image, and the image as the network saw it: values 0 to 255, `[height, width, 3]`. */
export interface ImageMap {
  readonly image: string;
  readonly map: Float32Nd;
  readonly intensities: Float32Nd;
}

/** Takes a map over, and says in which files it and its picture lie. */
export type KeepMap = (found: ImageMap) => Promise<Pick<SaliencyImage, 'map' | 'overlay'>>;

type Explained = Saliency & { readonly class: number | null };

/** What looks at one image. */
interface Explainer {
  explain(intensities: Float32Nd, name: string, random: Random): Promise<Explained>;
  of(): SaliencyRecord['of'];
  checked(): CheckedSession | null;
  release(): Promise<void>;
}

interface Opened {
  readonly explainer: Explainer;
  readonly preprocessing: Preprocessing;
  readonly warnings: readonly string[];
}

/**
 * Saliency of every image, each handed to `keep` as it is done, and the record of what the maps are. Rejects with the
 * `stopped` error after an interrupt; what was kept stays.
 */
export const saliency = async (
  request: SaliencyRequest,
  keep: KeepMap,
  ports: Ports,
): Promise<SaliencyRecord> => {
  const { of, seed, settings } = request;
  const startedAt = ports.now();
  const network = await openNetwork(request.model, ports);
  const images = await openImageSet(request.images, ports.files);
  const { explainer, preprocessing, warnings } =
    of.kind === 'class'
      ? await openClass(request, of, network, images, ports)
      : await openSite(request, of, network, ports);
  const entries: SaliencyImage[] = [];
  const digests: string[] = [];
  const sessions: (CheckedSession | null)[] = [];
  try {
    for (const name of images.names) {
      ports.checkStop();
      const bytes = await images.read(name);
      digests.push(JSON.stringify([name, await ports.hash.sha256([bytes])]));
      const intensities = framedImage(await ports.images.decode(bytes, name), preprocessing);
      const found = await explainer.explain(intensities, name, createRandom(seed).fork(name));
      sessions.push(explainer.checked());
      entries.push(await keptImage({ image: name, intensities, map: found.map }, found, keep));
      const total = images.names.length;
      ports.progress({ task: 'saliency', done: entries.length, total, unit: 'images' });
    }
    const { engineCheck, notes } = gradientSummary(sessions);
    const explained = explainer.of();
    return {
      kind: 'saliency',
      format: 2,
      settings,
      of: explained,
      images: entries,
      warnings: [...warnings, ...notes],
      provenance: {
        run: timedRun(runWith(ports, ventralVersion, seed), startedAt, ports.now()),
        inputs: [
          { role: 'model', name: network.name, sha256: network.sha256 },
          {
            ...{ role: 'images', name: baseName(request.images) },
            sha256: await ports.hash.sha256([encodeText(digests.join('\n'))]),
            count: entries.length,
          },
          await preprocessingInput(preprocessing, ports.hash),
          ...scoreInputs(explained),
        ],
        engineCheck,
      },
    };
  } finally {
    await explainer.release();
  }
};

const openClass = async (
  request: SaliencyRequest,
  of: Extract<SaliencyRequest['of'], { kind: 'class' }>,
  network: Network,
  images: ImageSet,
  ports: Ports,
): Promise<Opened> => {
  const { choice, preprocess } = of;
  const { preprocessing, warning } = await resolvePreprocessing(
    { named: preprocess, modelPath: request.model, input: network.input },
    ports,
  );
  const classes =
    choice.kind === 'table'
      ? readClasses(
          decodeText(await ports.files.read(choice.path), choice.path),
          choice.path,
          images,
        )
      : null;
  const fixed = choice.kind === 'fixed' ? choice.class : null;
  const explainer = await openClassSaliency(
    network,
    preprocessing,
    request.settings,
    choice.kind === 'top1',
    ports,
  );
  return {
    preprocessing,
    warnings: warning === null ? [] : [warning],
    explainer: {
      explain: (intensities, name, random) =>
        explainer.explain(intensities, classes?.get(name) ?? fixed, random, name),
      of: () => ({ kind: 'class', tensor: explainer.tensor() ?? '' }),
      checked: explainer.checked,
      release: explainer.release,
    },
  };
};

const checkSameModel = (score: Score, path: string, network: Network): Preprocessing => {
  const model = findInput(score.provenance, 'model');
  const preprocessing = findInput(score.provenance, 'preprocessing')?.settings;
  if (model?.sha256 === network.sha256 && preprocessing !== undefined) return preprocessing;
  throw inputError({
    code: 'score-of-another-network',
    field: 'score',
    where: `score: ${path}`,
    expected: `a score of ${network.name}`,
    got: model === undefined ? 'one of activations' : `one of ${model.name}, another file`,
    mend: 'give the network that was scored, or score this one and keep the readout',
  });
};

const openSite = async (
  request: SaliencyRequest,
  of: Extract<SaliencyRequest['of'], { kind: 'site' }>,
  network: Network,
  ports: Ports,
): Promise<Opened> => {
  const score = await readScore(of.score, ports.files);
  const preprocessing = checkSameModel(score, of.score, network);
  const kept = await readReadout(of.score, ports.files);
  const site = kept.siteIds.indexOf(of.site);
  if (site < 0)
    throw inputError({
      code: 'no-such-site',
      field: 'site',
      where: `site: ${of.site}`,
      expected: `one of ${kept.siteIds.slice(0, 8).join(', ')}${kept.siteIds.length > 8 ? ', …' : ''}`,
      got: `"${of.site}"`,
      mend: 'name a site of the score',
    });
  const sites = kept.siteIds.length;
  const readout: SiteReadout = {
    layer: kept.layer,
    site: of.site,
    weights: kept.weights.data.filter((_, index) => index % sites === site),
    offset: kept.offset[site]!,
    sampling: score.protocol.sampling,
  };
  const explainer = openSiteSaliency(network, readout, preprocessing, request.settings, ports);
  const sha256 = await ports.hash.sha256File(of.score);
  return {
    preprocessing,
    warnings:
      score.protocol.sampling.kind === 'patches'
        ? ['the score is of patches: each image is taken for one patch, as seen at one fixation']
        : [],
    explainer: {
      explain: async (intensities, name, random) => ({
        ...(await explainer.explain(intensities, random, name)),
        class: null,
      }),
      of: () => ({
        kind: 'site',
        site: of.site,
        layer: kept.layer,
        score: { name: baseName(of.score), sha256 },
      }),
      checked: explainer.checked,
      release: explainer.release,
    },
  };
};

const extremes = ({ data }: Float32Nd): { low: number; high: number } => ({
  low: data.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
  high: data.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
});

const warningOf = ({ low, high }: { low: number; high: number }): string | null => {
  if (low !== high) return null;
  return low === 0 ? 'the map is 0 everywhere' : 'the map is constant';
};

const keptImage = async (
  made: ImageMap,
  { class: shown, value }: Explained,
  keep: KeepMap,
): Promise<SaliencyImage> => {
  const { map, overlay } = await keep(made);
  const range = extremes(made.map);
  return {
    ...{ image: made.image, class: shown, value, map, overlay },
    ...range,
    warning: warningOf(range),
  };
};

/** The score whose readout was differentiated. */
const scoreInputs = (of: SaliencyRecord['of']): ProvenanceInput[] =>
  of.kind === 'site' ? [{ role: 'score', ...of.score }] : [];
