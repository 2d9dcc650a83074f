import { fullName, placeOf } from '../graph/place.ts';
import type { ModelStructure } from '../graph/read.ts';

const counted = (names: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

/** Appends `_2`, `_3` … to names that were there before. */
export const madeUnique = (names: readonly string[], taken: Iterable<string> = []): string[] => {
  const seen = new Set(taken);
  return names.map((name) => {
    let unique = name;
    for (let count = 2; seen.has(unique); count++) unique = `${name}_${count}`;
    seen.add(unique);
    return unique;
  });
};

/**
 * Names as the modules of the network have them, unique: `layer1.0.conv1`, or `layer1.0` for a block's sum. Where a
 * module has several layers, each carries its own name too: `encoder_layer_0.Add`, `encoder_layer_0.Add_1`.
 *
 * @param indices the nodes that name the layers.
 */
export const layerNames = ({ nodes }: ModelStructure, indices: readonly number[]): string[] => {
  const places = indices.map((index) => placeOf(nodes[index]!));
  const counts = counted(places.map(({ module }) => module));
  return madeUnique(
    places.map((place) =>
      place.module !== '' && counts.get(place.module) === 1 ? place.module : fullName(place),
    ),
  );
};
