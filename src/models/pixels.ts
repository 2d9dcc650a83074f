import { encodeModel } from '../graph/encode.ts';
import { readModel } from '../graph/read.ts';
import type { ImageInput, Layer, Preprocessing } from '../records/model.ts';
import type { Hash, Ports } from '../records/ports.ts';
import { probe, tapForm } from './activations.ts';
import { type CheckedFeatures, networkFeatures } from './features.ts';
import { inputSize, modelInputs } from './inputs.ts';
import type { Network } from './network.ts';
import { channelCount } from './preprocess.ts';
import type { Presentation } from './probe-network.ts';

const inputWith = (channels: ImageInput['channels']): ImageInput => ({
  name: 'image',
  layout: 'NCHW',
  batch: null,
  height: null,
  width: null,
  channels,
});

/** A network that hands its input on. */
const identityNetwork = async (input: ImageInput, hash: Hash): Promise<Network> => {
  const shape = ['batch', input.channels, 'height', 'width'];
  const bytes = encodeModel({
    name: 'pixels',
    opset: 13,
    inputs: [{ name: 'image', type: 'float32', shape }],
    outputs: [{ name: 'pixels', type: 'float32', shape }],
    initialisers: [],
    nodes: [{ op: 'Identity', name: 'pixels', inputs: ['image'], outputs: ['pixels'] }],
  });
  return {
    name: 'pixels',
    bytes,
    structure: readModel(bytes, 'pixels'),
    input,
    externalData: [],
    path: null,
    sha256: await hash.sha256([bytes]),
  };
};

/**
 * The preprocessed stimuli themselves as the only layer, `pixels`, read by the protocol's sampling as any layer is:
 * flattened, averaged over space, or resampled to the fixations.
 */
export const openPixels = async (
  { sampling, grid, images, pixelsOf, budget, stimuli }: Presentation,
  preprocessing: Preprocessing,
  ports: Pick<Ports, 'engine' | 'cache' | 'hash' | 'checkStop' | 'now'>,
): Promise<CheckedFeatures> => {
  const input = inputWith(channelCount(preprocessing));
  const network = await identityNetwork(input, ports.hash);
  const patches = sampling.kind === 'patches' ? grid : null;
  const inputs = modelInputs({ preprocessing, input, patches, images, pixelsOf });
  const size = await inputSize(inputs);
  const layer: Layer = {
    name: 'pixels',
    tensor: 'pixels',
    operation: 'Identity',
    shape: [input.channels, size.height, size.width],
    rearranged: null,
    axes: 'channel-row-column',
    prefixTokens: 0,
  };
  const form = tapForm(sampling, grid);
  const probed = await probe(
    ports.engine,
    { network, inputs, size, sampling, form },
    [layer],
    ports.now,
  );
  const identity = { model: network.sha256, preprocessing, sampling, grid, stimuli };
  return networkFeatures(ports, probed, budget, identity, []);
};
