import { codeOf } from '../graph/schema.ts';
import { staticShapes } from '../graph/static-shapes.ts';
import { hasForm, locateRows } from '../models/activations.ts';
import type { CheckPorts } from '../models/engine-check.ts';
import { checkFixedFunction } from '../models/fixed-function.ts';
import { blackLike, type FrameSize, inputOf } from '../models/frame.ts';
import { everyTensor, listLayers } from '../models/layers.ts';
import type { Network } from '../models/network.ts';
import { noiseLike } from '../models/rows.ts';
import { type TapForm, tapModel } from '../models/taps.ts';
import { sizeOf } from '../numeric/array.ts';
import type { Random } from '../numeric/random.ts';
import type { Float32Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Layer, Preprocessing } from '../records/model.ts';
import type { Hash } from '../records/ports.ts';
import type { Sampling } from '../records/protocol.ts';
import type { SaliencySettings } from '../records/saliency.ts';
import { sketchOf } from '../sketch/sketch.ts';
import {
  type CheckedGradient,
  type CheckedSession,
  exampleInputs,
  openCheckedGradient,
} from './gradient-check.ts';
import { decodeNetwork, graphFor } from './gradient-session.ts';
import { type Saliency, saliencyOf } from './methods.ts';
import { openSized } from './sized.ts';

/** A regression that predicts one site's response from a layer. */
export interface SiteReadout {
  readonly layer: string;
  readonly site: string;
  /** One per feature: response = features · weights + offset. */
  readonly weights: Float64Array;
  readonly offset: number;
  readonly sampling: Sampling;
}

export interface SiteExplainer {
  /** Saliency of an image's levels at the size of the input for the predicted response; `where` is for messages. */
  explain(intensities: Float32Nd, random: Random, where: string): Promise<Saliency>;
  /** The session of the last image, held against an unoptimised one; null before the first. */
  checked(): CheckedSession | null;
  release(): Promise<void>;
}

const formOf = ({ sampling, layer }: SiteReadout): TapForm => {
  if (sampling.kind === 'image' && sampling.features === 'pool') return { kind: 'pool' };
  if (sampling.kind !== 'feature-map') return { kind: 'flatten' };
  throw inputError({
    code: 'readout-of-feature-maps',
    where: `readout of ${layer}`,
    expected: 'a protocol that samples whole images or patches',
    got: '"feature-map", whose features are normalised over the positions of an image',
    mend: 'score with a protocol such as grid-cv or image-cv, and keep the readout',
  });
};

const layerOf = ({ structure, name }: Network, { layer }: SiteReadout, size: FrameSize): Layer => {
  const found = [...listLayers(structure, size), ...everyTensor(structure, size)].find(
    (each) => each.name === layer,
  );
  if (found !== undefined) return found;
  throw inputError({
    code: 'readout-layer-missing',
    where: `readout of ${layer}`,
    expected: `a layer of ${name}`,
    got: 'none of this name',
    mend: 'give the network that the score is of',
  });
};

const unreadable = ({ layer }: SiteReadout, got: string) =>
  inputError({
    code: 'readout-layer-mixed',
    where: `readout of ${layer}`,
    expected: 'a layer of which every value belongs to one image, as when it was scored',
    got,
    mend: 'score with a layer whose images are told apart, and keep the readout',
  });

/** The layer with its images where runs show them to lie, as a score reads it, or refused. */
const locatedLayer = async (
  { network, readout, preprocessing }: Explained,
  size: FrameSize,
  first: Float32Nd,
  { engine }: CheckPorts,
): Promise<Layer> => {
  const layer = layerOf(network, readout, size);
  checkFixedFunction(network, [layer.tensor]);
  const { layout } = network.input;
  const image = inputOf(first, preprocessing, layout);
  const images = [image, noiseLike(image, preprocessing, layout)] as const;
  // How long it takes is not asked here.
  const { placed } = await locateRows(engine, { network, size }, [layer], images, () => 0);
  const [found = null] = placed;
  if (found === null) throw unreadable(readout, 'values of one image that change with another');
  if (hasForm(found, formOf(readout))) return found;
  throw unreadable(readout, 'images elsewhere than the graph says, so that no map is known');
};

const tapName = 'ventral.layer';
const responseName = 'ventral.response';

interface Explained {
  readonly network: Network;
  readonly readout: SiteReadout;
  readonly preprocessing: Preprocessing;
}

/** The network up to the layer, with the readout behind it: its output is `responseName`, `[batch, 1]`. */
const openFor = async (
  { network, readout, preprocessing }: Explained,
  size: FrameSize,
  first: Float32Nd,
  ports: CheckPorts,
): Promise<CheckedGradient> => {
  const layer = await locatedLayer({ network, readout, preprocessing }, size, first, ports);
  const tapped = tapModel(
    network.bytes,
    network.structure,
    [{ layer, form: formOf(readout), output: tapName }],
    { sliced: false, batch: 'keep', size },
  );
  const graph = graphFor(await decodeNetwork(network, tapped), network.input, size);
  const features = sizeOf(staticShapes(graph).get(tapName)!.shape.slice(1));
  const { weights } = readout;
  if (features !== weights.length)
    throw inputError({
      where: `readout of ${readout.layer}`,
      expected: `${features} weights, one for each feature of the layer`,
      got: `${weights.length}`,
      mend: 'give the readout that was kept with this score',
    });
  const sketch = sketchOf(graph);
  const isDouble = sketch.fact(tapName).type === 'float64';
  const column = { data: isDouble ? weights : Float32Array.from(weights), shape: [features, 1] };
  const product = sketch.apply('MatMul', [tapName, sketch.constant(column)]);
  const response = isDouble
    ? sketch.apply('Cast', [product], { to: { int: codeOf('float32') } })
    : product;
  const { shape } = sketch.fact(response);
  const { input, sha256 } = network;
  return openCheckedGradient(ports, {
    graph: sketch.finish({ [responseName]: response }),
    ...{ input, size, tensor: responseName, shape },
    examples: exampleInputs(first, preprocessing, input.layout),
    identity: ['site', sha256, preprocessing, readout.layer, await hashOf(weights, ports)],
  });
};

const hashOf = ({ buffer, byteOffset, byteLength }: Float64Array, { hash }: { hash: Hash }) =>
  hash.sha256([new Uint8Array(buffer, byteOffset, byteLength)]);

/**
 * Saliency of a site's predicted response: the fitted readout is appended to the graph cut at its layer, and the whole
 * differentiated. Where the protocol samples patches, an image is one patch, as at one fixation.
 * The layer is read as a score reads it: with its images where a run of two shows them to lie.
 * Input errors of the first call: a layer that the network does not have, or that mixes its images, another number of features, a protocol whose
 * features are normalised over the image, an operation that cannot be differentiated.
 */
export const openSiteSaliency = (
  network: Network,
  readout: SiteReadout,
  preprocessing: Preprocessing,
  settings: SaliencySettings,
  ports: CheckPorts,
): SiteExplainer => {
  const { layout } = network.input;
  const sized = openSized(
    (size, first) => openFor({ network, readout, preprocessing }, size, first, ports),
    ({ session }) => session.release(),
  );
  return {
    checked: () => sized.current()?.checked ?? null,
    release: sized.release,
    explain: async (intensities, random, where) => {
      const { session } = await sized.at(intensities);
      const { map, value } = await saliencyOf(
        {
          input: inputOf(intensities, preprocessing, layout),
          layout,
          black: blackLike(intensities, preprocessing, layout),
          where,
        },
        settings,
        random,
        (at) => session.valueAndGradient(at, new Map([[0, 1]])),
      );
      return { map, value: value + readout.offset };
    },
  };
};
