// The attributes of a node, in the one form that the read structure and the decoded graph share.

/**
 * An attribute: numbers and text, or what `Whole` says of tensors and subgraphs. `other` stands for kinds that no
 * operation of a network has (lists of tensors or graphs, types).
 */
export type AttributeOf<Whole> =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly other: true }
  | Whole;

/** What has attributes. */
export interface Attributed {
  readonly attributes?: Readonly<Record<string, object>>;
}

const attribute = <Value>(node: Attributed, name: string, key: string): Value | null => {
  const attributes = node.attributes;
  if (attributes === undefined || !Object.hasOwn(attributes, name)) return null;
  const found = attributes[name]!;
  return key in found ? (found as Record<string, Value>)[key]! : null;
};

/** An integer attribute, or `fallback` where the node has none. */
export const intAttribute = (node: Attributed, name: string, fallback: number): number =>
  attribute<number>(node, name, 'int') ?? fallback;

/** A list of integers, or `null` where the node has none. */
export const intsAttribute = (node: Attributed, name: string): readonly number[] | null =>
  attribute(node, name, 'ints');

/** A float attribute, or `null`. */
export const floatAttribute = (node: Attributed, name: string): number | null =>
  attribute(node, name, 'float');

/** A list of floats, or `null`. */
export const floatsAttribute = (node: Attributed, name: string): readonly number[] | null =>
  attribute(node, name, 'floats');

/** A text attribute, or `null`. */
export const textAttribute = (node: Attributed, name: string): string | null =>
  attribute(node, name, 'string');
