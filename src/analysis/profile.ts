import { createRandom } from '../numeric/random.ts';
import { percentileRange } from '../numeric/statistics.ts';
import { inputError } from '../records/errors.ts';
import type { Interval } from '../records/interval.ts';
import type { AreaOrder, AreaProfile, Profile } from '../records/profile.ts';
import { candidateInput, findInput, knownInput } from '../records/provenance.ts';
import type { Score } from '../records/score.ts';
import { nullable } from '../scoring/defined.ts';
import { fewImages } from '../scoring/intervals.ts';
import { holm } from './compare.ts';
import { centreOfMass, networkDepths, peakOf, relativeDepths } from './depth.ts';
import {
  type AreaScores,
  checkSameRun,
  type LayerResampler,
  layerResampler,
} from './resample-layers.ts';

/** Called after each replicate; may throw to stop. */
export type EachReplicate = (done: number, total: number) => void;

const level = 0.95;

/** Where one area lies in every replicate, in relative depth; NaN where not defined. */
interface Places {
  readonly peakLayer: Int32Array;
  readonly peak: Float64Array;
  readonly centre: Float64Array;
}

/**
 * Where along a network's depth its scores for each area peak, and in which order: percentile bootstrap over images and
 * sites. Areas whose recordings show the same stimuli are given the same draws of images, nearly equal ones together; sites
 * are drawn for each.
 * Input errors: fewer than two layers, other networks or layers, predictions of another score or run.
 */
export const depthProfile = (
  areas: readonly AreaScores[],
  replicates: number,
  seed: number,
  eachReplicate: EachReplicate,
): Omit<Profile, 'provenance'> => {
  checkOneNetwork(areas);
  const { score } = areas[0]!;
  const placed = networkDepths(score.layers.map(({ place }) => place));
  const depths = placed ?? relativeDepths(score.layers.length);
  const resamplers = areas.map(layerResampler);
  areas.forEach((area, index) => {
    if (area.predictions !== null) checkSameRun(area, resamplers[index]!);
  });
  const places = resample(areas, resamplers, depths, replicates, seed, eachReplicate);
  const names = namesOf(areas);
  const profiles = areas.map((area, index) =>
    areaProfile(area, names[index]!, resamplers[index]!, depths, places[index]!),
  );
  return {
    kind: 'depth-profile',
    format: 2,
    candidate: candidateInput(score.provenance)!.name,
    layers: score.layers.map(({ layer, features }, index) => ({
      layer,
      features,
      depth: depths[index]!,
    })),
    networkLayers: score.layers[0]!.place?.of ?? null,
    areas: profiles,
    orders: [
      ...ordersOf('peak', profiles, places),
      ...ordersOf('centre of mass', profiles, places),
    ],
    replicates,
    level,
    warnings: [...(placed === null ? [placesUnknown] : []), ...warningsOf(areas, resamplers)],
  };
};

const placesUnknown =
  'the score files do not say where in the network their layers stand: depth is relative to the layers scored, not to the network; score again, which computes no finished layer again';

const checkOneNetwork = (areas: readonly AreaScores[]): void => {
  const [first, ...others] = areas;
  if (first === undefined || first.score.layers.length < 2)
    throw inputError({
      code: 'scores-of-one-layer',
      field: 'scores',
      where: first?.file ?? 'scores',
      expected: 'the scores of at least two layers',
      got: first === undefined ? 'no score file' : 'one layer',
      mend: 'score all layers, or several',
    });
  for (const { file, score } of others) {
    const model = findInput(score.provenance, 'model')?.sha256;
    if (model !== findInput(first.score.provenance, 'model')?.sha256)
      throw inputError({
        code: 'scores-of-several-networks',
        field: 'scores',
        where: file,
        expected: `scores of the network of ${first.file}`,
        got: `${candidateInput(score.provenance)?.name ?? 'another'}, other weights`,
        mend: 'score one network against each area; a comparison takes several networks',
      });
    const layersOf = (each: Score): string => JSON.stringify(each.layers.map(({ layer }) => layer));
    if (layersOf(score) !== layersOf(first.score))
      throw inputError({
        code: 'scores-of-other-layers',
        field: 'scores',
        where: file,
        expected: `the ${first.score.layers.length} layers of ${first.file}`,
        got: `${score.layers.length} layers, not all the same`,
        mend: 'score both with the same layers and sampling',
      });
  }
};

/** The area, with its recording where several have it, with the file where that does not tell them apart. */
const namesOf = (areas: readonly AreaScores[]): string[] => {
  const distinct = (names: readonly string[]): boolean => new Set(names).size === names.length;
  const byArea = areas.map(({ score }) => score.area);
  if (distinct(byArea)) return byArea;
  const byRecording = areas.map(
    ({ score }) => `${score.area} (${knownInput(score.provenance, 'recording').name})`,
  );
  return distinct(byRecording) ? byRecording : areas.map(({ file }) => file);
};

/** Which pool of images each area draws from: one for all recordings of the same stimuli. */
const poolOf = ({ score }: AreaScores): string => knownInput(score.provenance, 'stimuli').sha256!;

/** The images of a pool, those that are drawn together in one list. */
const unitsOf = (
  members: readonly Pick<LayerResampler, 'images' | 'drawnWith'>[],
): (readonly string[])[] => {
  const units = new Map<string, Set<string>>();
  for (const { images, drawnWith } of members) {
    for (const id of images) {
      const unit = drawnWith.get(id) ?? id;
      units.set(unit, (units.get(unit) ?? new Set()).add(id));
    }
  }
  return Array.from(units.values(), (ids) => [...ids]);
};

const resample = (
  areas: readonly AreaScores[],
  resamplers: readonly LayerResampler[],
  depths: readonly number[],
  replicates: number,
  seed: number,
  eachReplicate: EachReplicate,
): Places[] => {
  const seeded = createRandom(seed).fork('profile');
  const pools = new Map(
    areas.map((area) => {
      const members = resamplers.filter((_, index) => poolOf(areas[index]!) === poolOf(area));
      const units = unitsOf(members);
      return [poolOf(area), { units, random: seeded.fork(`images ${poolOf(area)}`) }] as const;
    }),
  );
  const siteStreams = areas.map((_, index) => seeded.fork(`sites ${index}`));
  const places = areas.map(() => ({
    peakLayer: new Int32Array(replicates),
    peak: new Float64Array(replicates),
    centre: new Float64Array(replicates),
  }));
  for (let replicate = 0; replicate < replicates; replicate++) {
    const drawn = new Map(
      Array.from(pools, ([pool, { units, random }]) => {
        const counts = new Map(units.flat().map((id) => [id, 0]));
        for (let i = 0; i < units.length; i++) {
          for (const id of units[random.int(units.length)]!) counts.set(id, counts.get(id)! + 1);
        }
        return [pool, counts];
      }),
    );
    areas.forEach((area, index) => {
      const { images, sites, valuesIn } = resamplers[index]!;
      const counts = drawn.get(poolOf(area))!;
      const stream = siteStreams[index]!;
      const values = valuesIn(
        Float64Array.from(images, (id) => counts.get(id)!),
        Int32Array.from({ length: sites }, () => stream.int(sites)),
      );
      const peak = peakOf(values);
      places[index]!.peakLayer[replicate] = peak;
      places[index]!.peak[replicate] = peak < 0 ? Number.NaN : depths[peak]!;
      places[index]!.centre[replicate] = centreOfMass(values, depths);
    });
    eachReplicate(replicate + 1, replicates);
  }
  return places;
};

const recordingOf = ({ provenance }: Score): AreaProfile['recording'] => {
  const { name, sha256 } = knownInput(provenance, 'recording');
  return { name, sha256: sha256! };
};

/** What of one or several areas was drawn; of several the fewest. */
const drawnFrom = (
  resampled: readonly AreaProfile['resampled'][],
): Pick<Interval, 'method' | 'n' | 'approximate'> => {
  const kinds = [...new Set(resampled.map(({ what }) => what))];
  const fewest = (of: 'images' | 'sites'): number | null =>
    Math.min(...resampled.map((each) => each[of])) || null;
  return {
    method: ['percentile bootstrap', ...(kinds.length === 1 ? [`over ${kinds[0]}`] : [])].join(' '),
    n: { images: fewest('images'), sites: fewest('sites') },
    approximate: resampled.some(({ approximate }) => approximate),
  };
};

const intervalOf = (
  values: Float64Array,
  ...resampled: readonly AreaProfile['resampled'][]
): Interval | null => {
  const range = percentileRange(values, level);
  if (Number.isNaN(range.low)) return null;
  const lost = values.filter(Number.isNaN).length;
  const undefinedDraws = lost === 0 ? {} : { undefinedDraws: lost };
  return { ...range, level, ...drawnFrom(resampled), ...undefinedDraws };
};

const areaProfile = (
  { file, score }: AreaScores,
  name: string,
  { what, images, drawnWith, sites }: LayerResampler,
  depths: readonly number[],
  { peakLayer, peak, centre }: Places,
): AreaProfile => {
  const drawn = unitsOf([{ images, drawnWith }]).length;
  const values = score.layers.map(({ value }) => value);
  const numbers = values.map((value) => value ?? Number.NaN);
  const best = peakOf(numbers);
  const resampled = {
    ...{ what, images: drawn, sites },
    approximate: drawn <= fewImages,
  };
  return {
    name,
    file,
    recording: recordingOf(score),
    timeBin: score.timeBin,
    protocol: score.protocol.name,
    values,
    peak: {
      layer: score.layers[best]!.layer,
      depth: depths[best]!,
      interval: intervalOf(peak, resampled),
      shares: depths.map(
        (_, layer) => peakLayer.filter((each) => each === layer).length / peakLayer.length,
      ),
    },
    centreOfMass: {
      depth: nullable(centreOfMass(numbers, depths)),
      interval: intervalOf(centre, resampled),
    },
    resampled,
  };
};

/** Depths nearer than this are equal but for rounding. */
const rounding = 1e-12;

const ordersOf = (
  statistic: AreaOrder['statistic'],
  profiles: readonly AreaProfile[],
  places: readonly Places[],
): AreaOrder[] => {
  const depthsOf = ({ peak, centre }: Places): Float64Array =>
    statistic === 'peak' ? peak : centre;
  const found = ({ peak, centreOfMass: centre }: AreaProfile): number =>
    statistic === 'peak' ? peak.depth : (centre.depth ?? Number.NaN);
  const orders = profiles.flatMap((first, a) =>
    profiles.slice(a + 1).map((second, offset) => {
      const theirs = depthsOf(places[a + 1 + offset]!);
      const differences = depthsOf(places[a]!).map((depth, index) => theirs[index]! - depth);
      return {
        statistic,
        first: first.name,
        second: second.name,
        difference: nullable(found(second) - found(first)),
        interval: intervalOf(differences, first.resampled, second.resampled),
        ...sharesOf(differences),
      };
    }),
  );
  const adjusted = holm(orders.map(({ p }) => p));
  return orders.map((order, index) => ({ ...order, adjusted: adjusted[index]! }));
};

const sharesOf = (differences: Float64Array) => {
  const there = differences.filter((each) => !Number.isNaN(each));
  const n = Math.max(1, there.length);
  const above = there.filter((each) => each > rounding).length;
  const below = there.filter((each) => each < -rounding).length;
  const ties = there.length - above - below;
  const against = Math.min(above, below) + ties;
  return {
    earlier: above / n,
    tie: ties / n,
    later: below / n,
    p: Math.min(1, (2 * (against + 1)) / (there.length + 1)),
  };
};

const warningsOf = (
  areas: readonly AreaScores[],
  resamplers: readonly LayerResampler[],
): string[] => {
  const files = (of: readonly AreaScores[]): string => of.map(({ file }) => file).join(', ');
  const differs = (field: (score: Score) => string | null | undefined): boolean =>
    new Set(areas.map(({ score }) => field(score))).size > 1;
  const only = (what: LayerResampler['what']): AreaScores[] =>
    areas.filter((_, index) => resamplers[index]!.what === what);
  const again =
    'score again and keep the predictions of the layers, which computes no finished layer again';
  const pools = new Set(areas.map(poolOf));
  const ids = areas.map((_, index) => new Set(resamplers[index]!.images));
  const overlapping =
    pools.size > 1 &&
    ids.some((mine, a) => ids.slice(a + 1).some((other) => [...mine].some((id) => other.has(id))));
  return [
    ...(differs(({ provenance }) => findInput(provenance, 'protocol')?.sha256)
      ? ['the scores are of different protocols: depths can be compared, heights cannot']
      : []),
    ...(differs(({ provenance }) => findInput(provenance, 'activations')?.sha256)
      ? ['the activations come from different files: that they are of one network is not checked']
      : []),
    ...(only('sites').length > 0
      ? [
          `${files(only('sites'))}: no predictions of the layers beside the score, so only sites are resampled; all share their images, and the intervals are too narrow: ${again}`,
        ]
      : []),
    ...(only('images').length > 0
      ? [
          `${files(only('images'))}: no predictions of the layers beside the score, so only images are resampled, not sites: ${again}`,
        ]
      : []),
    ...(overlapping
      ? [
          'some stimuli have the same ids in recordings of different stimuli; images are drawn for each recording on its own',
        ]
      : []),
  ];
};
