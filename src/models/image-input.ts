import { intsAttribute } from '../graph/attributes.ts';
import { fedInputs, type ModelStructure, type ReadValue } from '../graph/read.ts';
import { inputError, type VentralError } from '../records/errors.ts';
import type { ImageInput } from '../records/model.ts';

const shown = ({ name, type, shape }: ReadValue): string =>
  `${name}: ${type}${shape === null ? '' : ` [${shape.map((size) => size ?? '?').join(', ')}]`}`;

const couldBe3 = (size: number | string | null | undefined): boolean =>
  size === 3 || typeof size === 'string' || size === null;

type Channels = Pick<ImageInput, 'layout' | 'channels'>;

/** Where the channels are, and how many; sizes that are free are settled by what the graph does first. */
const channelsOf = (structure: ModelStructure, input: ReadValue): Channels | null => {
  if (input.shape === null || input.shape.length !== 4) return null;
  const [, second, third, last] = input.shape;
  if (second === 3) return { layout: 'NCHW', channels: 3 };
  if (last === 3) return { layout: 'NHWC', channels: 3 };
  // One channel, and no image that is one pixel high or wide.
  if (second === 1 && last !== 1 && third !== 1) return { layout: 'NCHW', channels: 1 };
  if (last === 1 && second !== 1 && third !== 1) return { layout: 'NHWC', channels: 1 };
  if (!couldBe3(second) && !couldBe3(last)) return null;
  if (!couldBe3(last)) return { layout: 'NCHW', channels: 3 };
  if (!couldBe3(second)) return { layout: 'NHWC', channels: 3 };
  const first = structure.nodes.find(({ inputs }) => inputs.includes(input.name));
  const turns = first?.op === 'Transpose' && intsAttribute(first, 'perm')?.[1] === 3;
  return { layout: turns ? 'NHWC' : 'NCHW', channels: 3 };
};

const EXPECTED = 'an image input, float32 with 4 dimensions and 1 or 3 channels (NCHW or NHWC)';

const refusal = (modelName: string, inputs: readonly ReadValue[]): VentralError => {
  const where = `${modelName}: input`;
  const [only] = inputs;
  if (only === undefined) {
    return inputError({
      where,
      expected: EXPECTED,
      got: 'a model without inputs',
      mend: 'export the network with its image as input',
    });
  }
  const got = inputs.map(shown).join('; ');
  if (inputs.length === 1 && only.shape?.length === 4) {
    if (only.type === 'float16' || only.type === 'bfloat16' || only.type === 'float64') {
      return inputError({
        where,
        expected: EXPECTED,
        got,
        mend: 'export the network in float32, or keep its inputs and outputs float32 when converting',
      });
    }
    if (only.type !== 'float32') {
      return inputError({
        where,
        expected: EXPECTED,
        got,
        mend: 'export the network without its own preprocessing or quantisation: images come as float32',
      });
    }
  }
  return inputError({
    where,
    expected: EXPECTED,
    got,
    mend: 'give a network that takes RGB or grey images, one image input only',
  });
};

const free = (size: number | string | null | undefined): number | null =>
  typeof size === 'number' && size > 0 ? size : null;

/**
 * The image input of a model: the one float32 input of 4 dimensions, of which one are 3 channels, or 1 of grey. Other inputs (the text of a
 * two-tower network) are no hindrance: layers that need them are not listed. Throws an input error that says what
 * was found where there is no such input, or more than one.
 */
export const imageInput = (structure: ModelStructure, modelName: string): ImageInput => {
  const inputs = fedInputs(structure);
  const found = inputs.flatMap((input) => {
    const channels = input.type === 'float32' ? channelsOf(structure, input) : null;
    return channels === null ? [] : [{ input, ...channels }];
  });
  // Beside an image of three channels, one of one is a mask.
  const coloured = found.filter(({ channels }) => channels === 3);
  const images = coloured.length > 0 ? coloured : found;
  const [image] = images;
  if (image === undefined || images.length > 1) throw refusal(modelName, inputs);
  const [batch, ...sizes] = image.input.shape ?? [];
  const [height, width] = image.layout === 'NCHW' ? sizes.slice(1) : sizes;
  return {
    name: image.input.name,
    layout: image.layout,
    batch: free(batch),
    height: free(height),
    width: free(width),
    channels: image.channels,
  };
};
