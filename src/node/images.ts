import sharp from 'sharp';
import { inputError, reasonOf } from '../records/errors.ts';
import type { Images, Pixels } from '../records/ports.ts';

const decode = async (bytes: Uint8Array, name: string): Promise<Pixels> => {
  try {
    const { data, info } = await sharp(bytes, {
      failOn: 'error',
      ignoreIcc: true,
      autoOrient: false,
    })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return {
      width: info.width,
      height: info.height,
      channels: 3,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    };
  } catch (thrown) {
    throw inputError(
      {
        where: name,
        expected: 'an image (JPEG, PNG, WebP, GIF or TIFF)',
        got: reasonOf(thrown),
        mend: 'replace the file',
      },
      thrown,
    );
  }
};

const encode = async ({ data, width, height, channels }: Pixels): Promise<Uint8Array> =>
  new Uint8Array(await sharp(data, { raw: { width, height, channels } }).png().toBuffer());

/** Images by sharp, which decodes only: its resizing is not that of PIL or OpenCV. */
export const createNodeImages = (): Images => ({ decode, encode });
