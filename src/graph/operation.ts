import type { NdArray } from '../records/array.ts';
import type { ReadTensor } from './read-tensor.ts';
import type { ElementType } from './schema.ts';
import { type Facts, MOST_VALUES } from './sizes.ts';
import { elementTypeOf } from './storage.ts';

/** What the rules of shapes and values need of a node: one of a read structure and one of a decoded graph have it. */
export interface Operation {
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, object>>;
}

/** Facts of a constant; its numbers where they are few. `type` where the data alone doesn't tell it. */
export const arrayFacts = ({ data, shape }: NdArray, type?: ElementType): Facts => {
  const own = type ?? elementTypeOf(data);
  const readable = data.length <= MOST_VALUES && own !== 'float16' && own !== 'bfloat16';
  return { type: own, shape, values: readable ? Array.from(data, Number) : null };
};

export const tensorFacts = ({ type, dims, values }: ReadTensor): Facts => ({
  type,
  shape: dims,
  values,
});

/** Facts of a tensor attribute, or `null` where the node has none. */
export const tensorAttribute = (node: Operation, name: string): Facts | null => {
  const attributes = node.attributes ?? {};
  if (!Object.hasOwn(attributes, name)) return null;
  const found = attributes[name] as {
    readonly tensor?: NdArray | ReadTensor;
    readonly type?: ElementType;
  };
  if (found.tensor === undefined) return null;
  return 'dims' in found.tensor ? tensorFacts(found.tensor) : arrayFacts(found.tensor, found.type);
};
