import { inferFacts } from '../graph/facts.ts';
import { fedInputs, type ModelStructure } from '../graph/read.ts';
import type { ReadNode } from '../graph/read-node.ts';
import type { Facts, Sizes } from '../graph/sizes.ts';
import { dependents, type Wiring, wire } from '../graph/walk.ts';
import type { ImageInput } from '../records/model.ts';
import { imageInput } from './image-input.ts';

/** Size of the image where the model leaves it free. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
}

/** A model seen from its image: what depends on it, and what is known of each tensor. */
export interface View {
  readonly structure: ModelStructure;
  readonly wiring: Wiring;
  readonly input: ImageInput;
  /** Tensors whose values depend on the image and on no other input. */
  readonly dependent: ReadonlySet<string>;
  /** Types and shapes for the model's own batch, or for one image where the batch is free. */
  readonly facts: ReadonlyMap<string, Facts>;
  /** Names of the tensors that leave the model. */
  readonly outputs: ReadonlySet<string>;
}

/** Shape of the image input: of the model's own batch, or of one image where the batch is free. */
export const imageShape = (
  { layout, batch, height, width, channels }: ImageInput,
  size: ImageSize | null,
): Sizes => {
  const [rows, columns] = [height ?? size?.height ?? null, width ?? size?.width ?? null];
  return layout === 'NCHW'
    ? [batch ?? 1, channels, rows, columns]
    : [batch ?? 1, rows, columns, channels];
};

/** Scale and zero point of a tensor that is quantised as it comes: how its values are written, not values. */
const isRange = ({ op }: ReadNode, output: number): boolean =>
  op === 'DynamicQuantizeLinear' && output > 0;

/** Input errors: no image input (see `imageInput`). */
export const viewOf = (structure: ModelStructure, size: ImageSize | null): View => {
  const input = imageInput(structure, structure.name);
  const wiring = wire(structure);
  const dependent = dependents(structure, wiring, input.name, isRange);
  for (const { name } of fedInputs(structure)) {
    if (name === input.name) continue;
    for (const tensor of dependents(structure, wiring, name)) dependent.delete(tensor);
  }
  return {
    structure,
    wiring,
    input,
    dependent,
    facts: inferFacts(structure, { [input.name]: imageShape(input, size) }),
    outputs: new Set(structure.outputs.map(({ name }) => name)),
  };
};
