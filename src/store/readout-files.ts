import { openNpz } from '../formats/npz.ts';
import { fileSource } from '../formats/source.ts';
import type { Float64Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Files } from '../records/ports.ts';
import { checkKind } from './npz-kind.ts';

/** The regression of a score's best layer on all rows: response = features · weights + offset. */
export interface KeptReadout {
  readonly layer: string;
  readonly siteIds: readonly string[];
  /** `[features, sites]`. */
  readonly weights: Float64Nd;
  /** `[sites]`. */
  readonly offset: Float64Array;
}

/** Where the readout is kept. */
export const readoutPath = (scorePath: string): string => `${scorePath}.readout.npz`;

const again = {
  code: 'readout-missing',
  field: 'score',
  mend: 'score again and keep the readout',
} as const;

/** The readout kept beside a score file. Input error where there is none, or one whose parts do not fit. */
export const readReadout = async (scorePath: string, files: Files): Promise<KeptReadout> => {
  const path = readoutPath(scorePath);
  if ((await files.info(path)) === null)
    throw inputError({
      ...again,
      where: `score: ${scorePath}`,
      expected: `its readout in ${path}`,
      got: 'no such file',
    });
  const npz = await openNpz(await fileSource(path, files), path);
  await checkKind(npz, 'readout', path);
  const weights = await npz.readFloat64('weights');
  const offset = await npz.readFloat64('offset');
  const siteIds = (await npz.readStrings('site_id')).strings;
  const [layer] = (await npz.readStrings('layer')).strings;
  const sites = siteIds.length;
  if (weights.shape.length !== 2 || weights.shape[1] !== sites || offset.data.length !== sites)
    throw inputError({
      ...again,
      where: path,
      expected: `weights [features, ${sites}] and offset [${sites}], for ${sites} sites`,
      got: `[${weights.shape.join(', ')}] and [${offset.shape.join(', ')}]`,
    });
  return { layer: layer ?? '', siteIds, weights, offset: offset.data };
};
