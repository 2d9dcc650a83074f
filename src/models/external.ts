import { below, folderOf } from '../formats/paths.ts';
import type { ModelStructure } from '../graph/read.ts';
import { elementBytes } from '../graph/schema.ts';
import { inputError } from '../records/errors.ts';
import type { Files } from '../records/ports.ts';

/** A file of weights beside the model, and the bytes that it must have at least. */
export interface ExternalFile {
  /** Path relative to the model's folder, as the model gives it. */
  readonly location: string;
  readonly bytes: number;
}

/**
 * The files that hold external weights, wherever in the model these stand (initialisers, Constants, subgraphs, functions),
 * sorted by name by code unit.
 */
export const externalFiles = ({
  external: tensors,
}: Pick<ModelStructure, 'external'>): ExternalFile[] => {
  const needed = new Map<string, number>();
  for (const { external, dims, type } of tensors) {
    if (external === null) continue;
    const size = dims.reduce((product, dim) => product * dim, elementBytes(type));
    const end = external.offset + Math.max(external.length, size);
    needed.set(external.location, Math.max(needed.get(external.location) ?? 0, end));
  }
  return [...needed]
    .map(([location, bytes]) => ({ location, bytes }))
    .sort((a, b) => (a.location < b.location ? -1 : 1));
};

/** A path that stays below the model's folder. */
const staysInside = (location: string): boolean =>
  location !== '' &&
  !/^([/\\]|[A-Za-z]:)/.test(location) &&
  !location.split(/[/\\]/).includes('..');

const isPlace = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** A place that is no number would pass every comparison with a size. */
const checkPlaces = ({ name, external: tensors }: ModelStructure): void => {
  for (const { name: tensor, external } of tensors) {
    if (external === null || (isPlace(external.offset) && isPlace(external.length))) continue;
    throw inputError({
      where: `${name}: external data of "${tensor}"`,
      expected: 'offset and length as whole numbers of bytes',
      got: `${external.offset} and ${external.length}`,
      mend: 'save the model again with its external data beside it',
    });
  }
};

/**
 * Makes sure that all external weights are there, before the engine is asked. Returns the files' paths relative to
 * the model's folder, sorted; none for a model that holds its weights itself. Input errors: a path that leaves the
 * model's folder, a place that is no number of bytes, a file that is missing or too short.
 */
export const checkExternalData = async (
  structure: ModelStructure,
  modelPath: string,
  files: Files,
): Promise<string[]> => {
  checkPlaces(structure);
  const external = externalFiles(structure);
  for (const { location, bytes } of external) {
    if (!staysInside(location)) {
      throw inputError({
        where: `${structure.name}: external data`,
        expected: "a path below the model's folder",
        got: location === '' ? 'a weight without a path' : `"${location}"`,
        mend: 'save the model again with its external data beside it',
      });
    }
    const info = await files.info(below(folderOf(modelPath), location));
    if (info?.kind !== 'file') {
      throw inputError({
        where: structure.name,
        expected: `its weights in the file ${location} beside it`,
        got: info === null ? 'no such file' : 'a folder of that name',
        mend: `put ${location} into the model's folder under this very name`,
      });
    }
    if (info.size < bytes) {
      throw inputError({
        where: `${structure.name}: external data ${location}`,
        expected: `at least ${bytes} bytes`,
        got: `${info.size} bytes`,
        mend: 'copy or download the file again',
      });
    }
  }
  return external.map(({ location }) => location);
};
