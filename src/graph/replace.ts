import { initialiserField } from './encode.ts';
import type { Initialiser } from './graph.ts';
import type { ModelStructure, Placed } from './read.ts';
import { MODEL } from './schema.ts';
import { join, messageField, type Pieces } from './wire.ts';

/**
 * A copy of the model with other numbers in some of its constants: each of `made` takes the place of the initialiser, or of
 * the Constant node, of its name. All else is copied as bytes, in its order. The new numbers lie inside the file, also
 * where the old ones were external data.
 *
 * @param bytes the file that `structure` was read from.
 */
export const replaceConstants = (
  bytes: Uint8Array,
  structure: ModelStructure,
  made: readonly Initialiser[],
): Uint8Array => {
  const replaced = new Set(made.map(({ name }) => name));
  const copied = (parts: readonly Placed<unknown>[]): Pieces =>
    parts.map(({ range }) => bytes.subarray(range.from, range.to));
  const others = structure.rest.map((range) => bytes.subarray(range.from, range.to));
  const graph: Pieces = [
    ...copied(
      structure.nodes.filter(({ op, outputs }) => op !== 'Constant' || !replaced.has(outputs[0]!)),
    ),
    ...others,
    ...copied(structure.initialisers.filter(({ name }) => !replaced.has(name))),
    ...copied(structure.sparse),
    ...made.flatMap(initialiserField),
    ...copied(structure.inputs),
    ...copied(structure.outputs),
    ...copied(structure.values),
  ];
  return join([
    ...structure.around.map((range) => bytes.subarray(range.from, range.to)),
    ...messageField(MODEL.graph, graph),
  ]);
};
