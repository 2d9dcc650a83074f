import { cropStart } from '../formats/crop.ts';
import type { Preprocessing } from '../records/model.ts';

/** Height and width in pixels. */
export type Size = readonly [height: number, width: number];

/** Python's `round(size / multiple) * multiple`, halves to even. */
export const nearestMultiple = (size: number, multiple: number): number => {
  const low = Math.floor(size / multiple);
  const rest = size / multiple - low;
  return (rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low) * multiple;
};

/** DPT's `get_resize_output_image_size` with `keep_aspect_ratio`. */
const nearestScale = (
  [height, width]: Size,
  to: { readonly height: number; readonly width: number; readonly multiple: number },
): Size => {
  const [byHeight, byWidth] = [to.height / height, to.width / width];
  const scale = Math.abs(1 - byWidth) < Math.abs(1 - byHeight) ? byWidth : byHeight;
  // A strip of an image would vanish; one multiple is the least that a model can be shown.
  const side = (size: number): number =>
    Math.max(nearestMultiple(scale * size, to.multiple), to.multiple);
  return [side(height), side(width)];
};

/** What is left of an image of this size before it is resized: size and first row and column. */
export const firstCropOf = (
  [height, width]: Size,
  { firstCrop }: Pick<Preprocessing, 'firstCrop'>,
): { readonly size: Size; readonly top: number; readonly left: number } => {
  if (firstCrop === undefined) return { size: [height, width], top: 0, left: 0 };
  const shorter = Math.min(height, width);
  const rows = Math.max(1, Math.trunc(firstCrop.height * shorter));
  const columns = Math.max(1, Math.trunc(firstCrop.width * shorter));
  return {
    size: [rows, columns],
    top: cropStart(height, rows, 'floor'),
    left: cropStart(width, columns, 'floor'),
  };
};

/** Height and width after resizing, before the crop. */
export const resizedSize = (image: Size, preprocessing: Preprocessing): Size => {
  const { resize } = preprocessing;
  const [height, width] = firstCropOf(image, preprocessing).size;
  switch (resize.kind) {
    case 'none':
      return [height, width];
    case 'exact':
      return [resize.height, resize.width];
    case 'nearest-scale':
      return nearestScale([height, width], resize);
    case 'shorter-side': {
      // torchvision's `_compute_resized_output_size`.
      const { size } = resize;
      return width <= height
        ? [Math.trunc((size * height) / width), size]
        : [size, Math.trunc((size * width) / height)];
    }
  }
};
