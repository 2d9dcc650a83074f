import { baseName, below, folderOf } from '../formats/paths.ts';
import { encodeText } from '../formats/text.ts';
import { withoutFunctions } from '../graph/inline.ts';
import { type ModelStructure, readModel } from '../graph/read.ts';
import type { ImageInput } from '../records/model.ts';
import type { Files, Hash, WeightsFile } from '../records/ports.ts';
import { checkExternalData } from './external.ts';
import { imageInput } from './image-input.ts';

/** A model file, read but not decoded: its bytes (its own functions written out), the structure of its graph and its image input. */
export interface Network {
  /** File name, for messages and provenance. */
  readonly name: string;
  /** Null for a model that was given in memory. */
  readonly path: string | null;
  readonly bytes: Uint8Array;
  readonly structure: ModelStructure;
  readonly input: ImageInput;
  /** The files of weights beside it, sorted by name. */
  readonly externalData: readonly WeightsFile[];
  /** SHA-256 of the file and of its external data files in the order of their names. */
  readonly sha256: string;
}

/** A model in memory: the bytes of an ONNX file, and the name that it goes by. */
export interface NamedModel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Opens an ONNX file, by its path, or its bytes. Input errors: not ONNX, truncated, external data missing (of bytes: any),
 * no image input, functions that cannot be written out.
 */
export const openNetwork = async (
  source: string | NamedModel,
  { files, hash }: { readonly files: Files; readonly hash: Hash },
): Promise<Network> => {
  const path = typeof source === 'string' ? source : source.name;
  const name = baseName(path);
  const folder = folderOf(path);
  const file = typeof source === 'string' ? await files.read(source) : source.bytes;
  const read = readModel(file, name);
  const bytes = read.functions.length === 0 ? file : withoutFunctions(file, name);
  const structure = bytes === file ? read : readModel(bytes, name);
  const input = imageInput(structure, name);
  const names = await checkExternalData(structure, path, files);
  const externalData = names.map((each) => ({ name: each, path: below(folder, each), files }));
  const digests = [await hash.sha256([file])];
  for (const each of externalData) digests.push(await hash.sha256File(each.path));
  return {
    name,
    path: typeof source === 'string' ? source : null,
    bytes,
    structure,
    input,
    externalData,
    sha256:
      digests.length === 1 ? digests[0]! : await hash.sha256([encodeText(digests.join('\n'))]),
  };
};
