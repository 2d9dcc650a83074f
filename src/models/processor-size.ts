import * as z from 'zod';
import type { Preprocessing } from '../records/model.ts';
import { type Processor, side, unsupported } from './processor-values.ts';
import { nearestMultiple } from './resized-size.ts';

const rectangle = z.strictObject({ height: side, width: side });
const sizeSchema = z.union([
  side,
  rectangle,
  z.strictObject({ shortest_edge: side }),
  z.tuple([side, side]).transform(([height, width]) => ({ height, width })),
]);
const cropSchema = z.union([side.transform((size) => ({ height: size, width: size })), rectangle]);

type Resize = Preprocessing['resize'];
export type ResizeAndCrop = Pick<Preprocessing, 'firstCrop' | 'resize' | 'crop'>;

const isFast = (className: string): boolean => className.endsWith('Fast');

const sizeOf = ({
  config,
  kind,
  source,
}: Processor): Exclude<z.infer<typeof sizeSchema>, number> => {
  const expected = 'a size of height and width, or of shortest_edge';
  const parsed = sizeSchema.safeParse(config.size ?? kind?.size);
  if (!parsed.success) throw unsupported(`${source}: size`, expected, config.size);
  const { data } = parsed;
  if (typeof data !== 'number') return data;
  if (kind === null) throw unsupported(`${source}: size`, expected, data);
  return (config.default_to_square ?? kind.side === 'square')
    ? { height: data, width: data }
    : { shortest_edge: data };
};

/** The resize that the size says, before the rules of a class. */
const plainResize = (processor: Processor): Resize => {
  const { config, kind, source, className } = processor;
  const unsaid = kind === null && config.do_resize === undefined && config.size === undefined;
  if (config.do_resize === false || unsaid) return { kind: 'none' };
  const size = sizeOf(processor);
  if (!('shortest_edge' in size)) return { kind: 'exact', ...size };
  if (kind?.side === 'square' && !(isFast(className) && kind.crop === 'fast'))
    throw unsupported(`${source}: size`, `a height and a width for ${className}`, config.size);
  return { kind: 'shorter-side', size: size.shortest_edge };
};

const dptResize = ({ config }: Processor, resize: Resize): Resize => {
  if (resize.kind !== 'exact') return resize;
  const { height, width } = resize;
  const multiple = config.ensure_multiple_of ?? 1;
  if (config.keep_aspect_ratio === true) return { kind: 'nearest-scale', height, width, multiple };
  const rounded = (size: number): number => nearestMultiple(size, multiple);
  return { kind: 'exact', height: rounded(height), width: rounded(width) };
};

const poolFormerResize = ({ config }: Processor, resize: Resize): Resize => {
  const enlarged = (size: number): number => Math.trunc(size / (config.crop_pct ?? 0.9));
  if (resize.kind === 'shorter-side') return { ...resize, size: enlarged(resize.size) };
  if (resize.kind !== 'exact') return resize;
  const { height, width } = resize;
  return height === width
    ? { kind: 'shorter-side', size: enlarged(height) }
    : { kind: 'exact', height: enlarged(height), width: enlarged(width) };
};

const levitResize = (resize: Resize): Resize =>
  resize.kind === 'shorter-side'
    ? { ...resize, size: Math.trunc((256 / 224) * resize.size) }
    : resize;

const resizeOf = (processor: Processor): Resize => {
  const resize = plainResize(processor);
  switch (processor.kind?.rule) {
    case 'dpt':
      return dptResize(processor, resize);
    case 'poolformer':
      return poolFormerResize(processor, resize);
    case 'levit':
      return levitResize(resize);
    default:
      return resize;
  }
};

const convNextSize = ({ config, source }: Processor, resize: Resize): ResizeAndCrop => {
  if (resize.kind === 'none') return { resize, crop: null };
  if (resize.kind !== 'shorter-side')
    throw unsupported(`${source}: size`, 'a shortest_edge', config.size);
  const exact = { height: resize.size, width: resize.size };
  if (resize.size >= 384) return { resize: { kind: 'exact', ...exact }, crop: null };
  const size = Math.trunc(resize.size / (config.crop_pct ?? 224 / 256));
  return { resize: { kind: 'shorter-side', size }, crop: { ...exact, rounding: 'floor' } };
};

const isCropped = ({ config, kind, source, className }: Processor, resize: Resize): boolean => {
  const asked = config.do_center_crop;
  const where = `${source}: do_center_crop`;
  if (kind === null) {
    // Most classes crop after a shorter side, and none without a size to crop to.
    const open = resize.kind === 'shorter-side' || config.crop_size !== undefined;
    if (asked === undefined && open)
      throw unsupported(where, 'true or false, where no image_processor_type is named', asked);
    return asked === true;
  }
  if (typeof kind.crop === 'number') return asked ?? true;
  const may = kind.crop === 'asked' || (kind.crop === 'fast' && isFast(className));
  if (asked === true && !may)
    throw unsupported(where, `false for ${className}, which does not crop`, asked);
  return asked === true;
};

const cropSizeOf = ({ config, kind, source }: Processor): z.infer<typeof cropSchema> => {
  const otherwise = typeof kind?.crop === 'number' ? kind.crop : undefined;
  const parsed = cropSchema.safeParse(config.crop_size ?? otherwise);
  if (parsed.success) return parsed.data;
  throw unsupported(`${source}: crop_size`, 'a size of height and width', config.crop_size);
};

/** Perceiver crops size / crop_size of the shorter side, and resizes what is left. */
const perceiverSize = (processor: Processor, resize: Resize): ResizeAndCrop => {
  const size = sizeOf(processor);
  if ('shortest_edge' in size)
    throw unsupported(`${processor.source}: size`, 'a height and a width', size);
  const crop = cropSizeOf(processor);
  const firstCrop = { height: size.height / crop.height, width: size.width / crop.width };
  return { firstCrop, resize, crop: null };
};

/** How a processor resizes and crops, by the rules of its class. Input errors: sizes that it does not take. */
export const sizedOf = (processor: Processor): ResizeAndCrop => {
  const resize = resizeOf(processor);
  const cropped = isCropped(processor, resize);
  if (processor.kind?.rule === 'convnext') return convNextSize(processor, resize);
  if (!cropped) return { resize, crop: null };
  if (processor.kind?.rule === 'perceiver') return perceiverSize(processor, resize);
  return { resize, crop: { ...cropSizeOf(processor), rounding: 'floor' } };
};
