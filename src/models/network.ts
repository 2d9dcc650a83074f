import { baseName, below, folderOf } from '../formats/paths.ts';
import { encodeText } from '../formats/text.ts';
import { withoutFunctions } from '../graph/inline.ts';
import { type ModelStructure, readModel } from '../graph/read.ts';
import type { ImageInput } from '../records/model.ts';
import type { Files, Hash } from '../records/ports.ts';
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
  /** Folder of external data: the model's own. Null only for a model that is in no folder. */
  readonly externalDataFolder: string | null;
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
  const external = await checkExternalData(structure, path, files);
  const digests = [await hash.sha256([file])];
  for (const file of external) digests.push(await hash.sha256File(below(folder, file)));
  return {
    name,
    path: typeof source === 'string' ? source : null,
    bytes,
    structure,
    input,
    // Also where nothing is outside: without a folder the engine would look into the working directory.
    externalDataFolder: folder,
    sha256:
      digests.length === 1 ? digests[0]! : await hash.sha256([encodeText(digests.join('\n'))]),
  };
};
