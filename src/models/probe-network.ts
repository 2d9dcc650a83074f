import type { Features, LayerSize } from '../records/activations.ts';
import { inputError } from '../records/errors.ts';
import type { Layer, Preprocessing } from '../records/model.ts';
import type { Pixels, Ports } from '../records/ports.ts';
import type { Sampling } from '../records/protocol.ts';
import type { EngineCheck } from '../records/provenance.ts';
import type { FixationGrid } from '../records/recording.ts';
import { hasForm, type Probed, probe, tapForm } from './activations.ts';
import { hiddenProducts } from './bodies.ts';
import { networkFeatures } from './features.ts';
import { checkFixedFunction } from './fixed-function.ts';
import { inputSize, modelInputs } from './inputs.ts';
import { everyTensor, listLayers, placesAmong, selectLayers } from './layers.ts';
import type { Network } from './network.ts';
import { resolvePreprocessing } from './preprocess.ts';
import { randomTwin } from './twin.ts';

/** The stimuli, and how a layer is read while they are shown. */
export interface Presentation {
  readonly sampling: Sampling;
  readonly grid: FixationGrid | null;
  readonly images: number;
  readonly pixelsOf: (image: number) => Promise<Pixels>;
  /** Bytes that features may take at once. */
  readonly budget: number;
  /** SHA-256 of the stimuli, for the cache. */
  readonly stimuli: string;
}

export interface NetworkRequest extends Presentation {
  readonly network: Network;
  /** Globs over layer names; null: all layers; `['*']`: every image-dependent tensor. */
  readonly layers: readonly string[] | null;
  /** Preset, file, a record, or null for what lies beside the model. */
  readonly preprocess: string | Preprocessing | null;
  /** Layers with fewer features per row cannot be fitted. */
  readonly minimumFeatures: number;
}

/** All but images and progress. */
export type NetworkPorts = Pick<Ports, 'engine' | 'files' | 'hash' | 'cache' | 'checkStop' | 'now'>;

export interface ProbedNetwork {
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  readonly features: Features;
  readonly engineCheck: EngineCheck;
}

/** A network's random twin, opened; or in words why it has none. */
export type ProbedTwin =
  | { readonly opened: ProbedNetwork; readonly note: string | null }
  | { readonly opened: null; readonly note: string };

/** Chooses the layers and the preprocessing of a model, and probes it with one small run. */
export const probeNetwork = (
  request: NetworkRequest,
  ports: NetworkPorts,
): Promise<ProbedNetwork> => openLayers(request.network, request, ports);

/** Opens the random twin of a model, its layers and preprocessing chosen as the model's are. */
export const probeTwin = async (
  request: NetworkRequest,
  seed: number,
  ports: NetworkPorts,
): Promise<ProbedTwin> => {
  const { network, note } = await randomTwin(request.network, seed, ports);
  if (network === null) return { opened: null, note };
  return { opened: await openLayers(network, request, ports), note };
};

const openLayers = async (
  network: Network,
  request: NetworkRequest,
  ports: NetworkPorts,
): Promise<ProbedNetwork> => {
  const { preprocessing, warning } = await resolvePreprocessing(
    { named: request.preprocess, modelPath: request.network.path, input: network.input },
    ports,
  );
  const { sampling, grid } = request;
  const inputs = modelInputs({
    preprocessing,
    input: network.input,
    patches: sampling.kind === 'patches' ? grid : null,
    images: request.images,
    pixelsOf: request.pixelsOf,
  });
  const size = await inputSize(inputs);
  const layers = chooseLayers(network, request.layers, size);
  if (layers.length === 0) throw noLayers(network.name);
  checkFixedFunction(
    network,
    layers.map(({ tensor }) => tensor),
  );
  const setup = { network, inputs, size, sampling, form: tapForm(sampling, grid) };
  const spatial = layers.filter((layer) => hasForm(layer, setup.form));
  if (spatial.length === 0) throw noSpace(layers);
  const probed = await probe(ports.engine, setup, spatial, ports.now);
  if (probed.layers.length === 0) throw noRows(probed);
  const { kept, left } = partition(probed.layers, request.minimumFeatures);
  if (kept.length === 0) throw tooFewFeatures(left, request.minimumFeatures);
  const identity = {
    model: network.sha256,
    preprocessing,
    sampling,
    grid,
    stimuli: request.stimuli,
  };
  return {
    network,
    preprocessing,
    ...(await networkFeatures(ports, { ...probed, layers: kept }, request.budget, identity, [
      ...(warning === null ? [] : [warning]),
      ...hiddenProducts(network),
      ...excluded(
        layers.filter((layer) => !spatial.includes(layer)),
        'without a spatial map',
      ),
      ...excluded(probed.mixed, 'whose values of one image change with another image'),
      ...excluded(
        probed.mapless,
        'whose images do not lie where the graph has them, so that their maps are not known,',
      ),
      ...excluded(
        left,
        `with fewer than ${request.minimumFeatures} features (the components of the regression)`,
      ),
    ])),
  };
};

const chooseLayers = (
  { structure, name }: Network,
  patterns: readonly string[] | null,
  size: { readonly height: number; readonly width: number },
): readonly (Layer & Pick<LayerSize, 'place'>)[] => {
  const layers = listLayers(structure, size);
  const every = patterns?.length === 1 && patterns[0] === '*' ? everyTensor(structure, size) : null;
  const all = every ?? layers;
  const places = placesAmong(
    all.map(({ tensor }) => tensor),
    layers,
  );
  const placed = all.map((layer, index) => ({ ...layer, place: places[index]! }));
  return patterns === null || every !== null ? placed : selectLayers(placed, patterns, name);
};

const noLayers = (name: string) =>
  inputError({
    code: 'no-layers',
    where: name,
    expected: 'a network with layers (convolutions, products with weights)',
    got: 'none that depends on the image',
    mend: 'take every tensor (* as layers), or export the whole network',
  });

const noSpace = (layers: readonly Layer[]) =>
  inputError({
    code: 'layers-without-space',
    field: 'layers',
    where: 'layers',
    expected: 'at least one layer with a spatial map, as the sampling needs',
    got: `${layers.length} without: ${layers
      .slice(0, 5)
      .map(({ name }) => name)
      .join(', ')}`,
    mend: 'choose convolutional or token layers, or a protocol that flattens',
  });

const noRows = ({ mixed, mapless }: Probed) =>
  inputError({
    code: 'layers-of-mixed-images',
    field: 'layers',
    where: 'layers',
    expected: 'layers in which every row belongs to one image',
    got: `none: rows of ${[...mixed, ...mapless].map(({ name }) => name).join(', ')} belong to several, or cannot be told`,
    mend: 'export the network with a free batch or a batch of 1, in evaluation mode, or choose other layers',
  });

const partition = <L extends LayerSize>(
  layers: readonly L[],
  minimum: number,
): { kept: L[]; left: L[] } => ({
  kept: layers.filter(({ features }) => features >= minimum),
  left: layers.filter(({ features }) => features < minimum),
});

const excluded = (layers: readonly { readonly name: string }[], why: string): string[] =>
  layers.length === 0
    ? []
    : [`${layers.length} layers ${why} are left out: ${layers.map(({ name }) => name).join(', ')}`];

const tooFewFeatures = (layers: readonly LayerSize[], minimum: number) =>
  inputError({
    code: 'layers-too-narrow',
    field: 'layers',
    where: 'layers',
    expected: `layers with at least ${minimum} features, the components of the regression`,
    got: layers.map(({ name, features }) => `${name} with ${features}`).join(', ') || 'none',
    mend: 'choose wider layers, or fewer components in a protocol file',
  });
