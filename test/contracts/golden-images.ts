import { readFileSync } from 'node:fs';
import type { GoldenImage } from './images.ts';

interface Golden {
  readonly images: readonly (Omit<GoldenImage, 'bytes'> & { readonly base64: string })[];
}

/** Small images of every kind, and what PIL made of them (`golden/make-images.py`). */
export const goldenImages = (): GoldenImage[] => {
  const path = new URL('../golden/images.json', import.meta.url);
  const { images } = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  return images.map(({ base64, ...image }) => ({ ...image, bytes: Buffer.from(base64, 'base64') }));
};
