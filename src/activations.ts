// The way from a network and images to the activations of its layers.

import { encodeText } from './formats/text.ts';
import { type Network, openNetwork } from './models/network.ts';
import { probeNetwork } from './models/probe-network.ts';
import type { Float32Nd } from './records/array.ts';
import { inputError } from './records/errors.ts';
import type { Preprocessing } from './records/model.ts';
import type { Pixels, Ports } from './records/ports.ts';

/** How images are shown, and what is read of each layer. */
export interface ActivationsOptions {
  /** Preset, file or record; default: what lies beside the model, else `imagenet-224`. */
  readonly preprocess?: string | Preprocessing | null;
  /** The layer's tensor flattened (default), or its spatial mean. */
  readonly features?: 'flatten' | 'pool';
  /** Bytes that activations may take. */
  readonly memory?: number;
}

/**
 * Activations of layers, by name, `[images, features]` each in the order of the images. A layer that `memory` has no place for is
 * refused.
 *
 * @param images files (PNG, JPEG, …) as bytes, or pixels.
 * @param layers globs over layer names; null: all layers.
 */
export const activations = async (
  candidate: Network | string,
  images: readonly (Uint8Array | Pixels)[],
  layers: readonly string[] | null,
  ports: Ports,
  { preprocess = null, features = 'flatten', memory = 4e9 }: ActivationsOptions = {},
): Promise<Record<string, Float32Nd>> => {
  if (images.length === 0)
    throw inputError({
      where: 'images',
      expected: 'at least one image',
      got: 'none',
      mend: 'give images, as bytes or as pixels',
    });
  const network = typeof candidate === 'string' ? await openNetwork(candidate, ports) : candidate;
  const digests: string[] = [];
  for (const image of images) digests.push(await ports.hash.sha256([bytesOf(image)]));
  const opened = await probeNetwork(
    {
      network,
      layers,
      preprocess,
      minimumFeatures: 1,
      sampling: { kind: 'image', features },
      grid: null,
      images: images.length,
      pixelsOf: async (index) => {
        const image = images[index]!;
        return image instanceof Uint8Array ? ports.images.decode(image, `image ${index}`) : image;
      },
      budget: memory,
      stimuli: await ports.hash.sha256([encodeText(digests.join('\n'))]),
    },
    ports,
  );
  const found: Record<string, Float32Nd> = {};
  for (const pass of opened.features.passes) {
    if (pass.slices > 1) throw tooWide(pass.layers.map(({ name }) => name).join(', '), memory);
    for (const source of await opened.features.gather(pass, () => true, ports))
      for await (const block of source.blocks()) found[source.name] = block as Float32Nd;
  }
  return found;
};

const bytesOf = (image: Uint8Array | Pixels): Uint8Array =>
  image instanceof Uint8Array ? image : image.data;

const tooWide = (layer: string, memory: number) =>
  inputError({
    where: `layer ${layer}`,
    expected: `activations of at most ${memory} bytes`,
    got: 'more',
    mend: 'give more memory, fewer images, or features: "pool"',
  });
