import type { Npz } from '../formats/npz.ts';
import { inputError } from '../records/errors.ts';
import { refuseNewer } from '../records/stored.ts';

/** Kinds of archives that ventral keeps beside a score. */
export type NpzKind = 'predictions' | 'layer-predictions' | 'readout';

const present = 2;

/** The arrays that say what an archive is: `kind` a text, `format` a whole number. */
export const kindParts = (kind: NpzKind) => ({
  kind: { strings: [kind], shape: [1] },
  format: { data: Int32Array.of(present), shape: [1] },
});

/** Input error for an archive of another kind, or of a later version. In the first format they did not say so. */
export const checkKind = async (npz: Npz, kind: NpzKind, path: string): Promise<void> => {
  if (!npz.names.includes('kind') || !npz.names.includes('format')) return;
  const [found] = (await npz.readStrings('kind')).strings;
  if (found !== kind)
    throw inputError({
      code: 'kept-file',
      field: null,
      where: `${path}: kind`,
      expected: `"${kind}"`,
      got: JSON.stringify(found),
      mend: `score again, and keep ${kind}`,
    });
  refuseNewer((await npz.readFloat64('format')).data[0]!, present, path);
};
