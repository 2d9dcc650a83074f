const text = new TextDecoder('latin1');

/** First bytes (as Latin-1, at an offset) of what users give in place of an ONNX file. */
const SIGNATURES: readonly (readonly [at: number, start: string, what: string])[] = [
  [0, 'version https://git-lfs', 'a Git LFS pointer (fetch the file itself with git lfs pull)'],
  [0, 'PK\u0003\u0004', 'a ZIP archive, perhaps a PyTorch checkpoint or a .keras file'],
  [0, '\u0089HDF', 'an HDF5 file, perhaps Keras weights'],
  [4, 'TFL3', 'a TensorFlow Lite model'],
  [4, 'ORTM', "onnxruntime's own ORT format"],
  [0, '\u0080\u0002', 'a Python pickle, perhaps a PyTorch checkpoint'],
  [0, '\u001f\u008b', 'a gzip archive'],
  [0, '\u0089PNG', 'a PNG image'],
  [0, '\u00ff\u00d8\u00ff', 'a JPEG image'],
  [0, '<', 'a text or HTML file'],
  [0, '{', 'a text or JSON file'],
];

/** What a file that is not ONNX seems to be, as a phrase for a message; `null` where nothing is recognised. */
export const looksLike = (bytes: Uint8Array): string | null => {
  const head = text.decode(bytes.subarray(0, 64));
  // safetensors: an 8-byte length, then JSON.
  if (head.startsWith('{"', 8)) return 'a safetensors file';
  return SIGNATURES.find(([at, start]) => head.startsWith(start, at))?.[2] ?? null;
};
