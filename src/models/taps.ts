import { inferFacts } from '../graph/facts.ts';
import type { ModelStructure } from '../graph/read.ts';
import type { ReadNode } from '../graph/read-node.ts';
import type { ElementType } from '../graph/schema.ts';
import { codeOf } from '../graph/schema.ts';
import { spliceModel } from '../graph/splice.ts';
import { sizeOf } from '../numeric/array.ts';
import { inputError, type VentralError } from '../records/errors.ts';
import type { ImageInput, Layer } from '../records/model.ts';
import { type Builder, builderOf, type GraphBuilder } from '../sketch/builder.ts';
import { reshaped, transposed } from '../sketch/terms.ts';
import { imageInput } from './image-input.ts';
import { resamplingMatrix, tokenGrid } from './tap-grid.ts';
import type { ImageSize } from './view.ts';

/**
 * How a layer is read, inside the graph, as float32 (as float64 where it is computed so), and (but for `whole`) with the images first:
 * - `whole`: the tensor as it is;
 * - `flatten`: `[N, p]`, all values in the layer's own order;
 * - `pool`: `[N, C]`, the mean over space, or over the tokens without class, distillation and register tokens;
 * - `grid`: `[N, rows · columns, C]`, the map resampled to a grid, each axis on its own as in `resamplingMatrix`.
 */
export type TapForm =
  | { readonly kind: 'whole' }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'pool' }
  | { readonly kind: 'grid'; readonly rows: number; readonly columns: number };

export interface Tap {
  readonly layer: Layer;
  readonly form: TapForm;
  /** Name of the new output. */
  readonly output: string;
}

export interface TapOptions {
  /**
   * Only with one flattened tap: its columns `[ventral.from, ventral.to)`, two more inputs of type int64 and
   * shape `[1]`.
   */
  readonly sliced: boolean;
  /**
   * `symbolic` frees the batch of the image input. An export that has its batch in the constants of a Reshape then
   * fails, or gives another number of rows: try two images before trusting it.
   */
  readonly batch: 'keep' | 'symbolic';
  /** Size of the image where the model leaves it free, for the grids of tokens. */
  readonly size?: ImageSize | null;
}

/** Slice takes its bounds as attributes before opset 10 and as inputs since. */
const slicedFrom = (builder: Builder, x: string, axis: number, from: number): string => {
  const END = 2 ** 31 - 1;
  return builder.opset < 10
    ? builder.apply('Slice', [x], {
        axes: { ints: [axis] },
        starts: { ints: [from] },
        ends: { ints: [END] },
      })
    : builder.apply('Slice', [
        x,
        ...[[from], [END], [axis]].map((numbers) => builder.ints(numbers)),
      ]);
};

/** The images first, and what belongs to each in the layer's shape. */
const imagesFirst = (builder: Builder, x: string, { rearranged, shape }: Layer): string => {
  if (rearranged === null) return x;
  const { split, order } = rearranged;
  const parts = reshaped(builder, x, split);
  const isInOrder = order.every((axis, at) => axis === at);
  const turned = isInOrder ? parts : transposed(builder, parts, order);
  return reshaped(builder, turned, [-1, ...(shape as number[])]);
};

const flattened = (builder: Builder, x: string): string =>
  builder.apply('Flatten', [x], { axis: { int: 1 } });

/** Any tensor with space or tokens → `[N, C, …]`, without the prefix tokens. */
const channelsFirst = (builder: Builder, x: string, { axes, prefixTokens }: Layer): string => {
  if (axes === 'row-column-channel') return transposed(builder, x, [0, 3, 1, 2]);
  if (axes !== 'token-channel') return x;
  const tokens = prefixTokens > 0 ? slicedFrom(builder, x, 1, prefixTokens) : x;
  return transposed(builder, tokens, [0, 2, 1]);
};

/** onnxruntime has no pool of doubles. */
const meanOverSpace = (builder: Builder, x: string, rank: number): string => {
  const axes = Array.from({ length: rank - 2 }, (_, index) => 2 + index);
  return builder.opset < 18
    ? builder.apply('ReduceMean', [x], { axes: { ints: axes } })
    : builder.apply('ReduceMean', [x, builder.ints(axes)]);
};

const pooled = (builder: Builder, x: string, layer: Layer, isDouble: boolean): string => {
  if (layer.axes !== 'channel') {
    const map = channelsFirst(builder, x, layer);
    const rank = layer.axes === 'token-channel' ? 3 : 4;
    return flattened(
      builder,
      isDouble ? meanOverSpace(builder, map, rank) : builder.apply('GlobalAveragePool', [map]),
    );
  }
  if (layer.shape.length > 1) throw noSpace(layer);
  return flattened(builder, x);
};

const noSpace = ({ name, shape }: Layer): VentralError =>
  inputError({
    code: 'layer-without-space',
    field: 'layers',
    where: `layer ${name}`,
    expected: 'a layer with rows and columns, or with tokens on a grid',
    got: `one of size ${shape.map((size) => size ?? '?').join('×')} without space`,
    mend: 'leave the layer out, or use a protocol that takes whole layers',
  });

const noSize = ({ name }: Layer, got: string): VentralError =>
  inputError({
    code: 'layer-of-unknown-size',
    field: 'layers',
    where: `layer ${name}`,
    expected: 'a map of known size, to resample it to the grid',
    got,
    mend: 'leave the layer out, or export the network for one image size',
  });

interface MapSize {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

/** No image is wider, but a damaged file may declare any size. */
const WIDEST = 65_536;

const mapSize = (layer: Layer, image: ImageSize | null): MapSize => {
  const map = declaredSize(layer, image);
  const { rows, columns } = map;
  if (Math.min(rows, columns) >= 1 && Math.max(rows, columns) <= WIDEST) return map;
  throw noSize(layer, `a map of ${rows}×${columns}`);
};

const declaredSize = (layer: Layer, image: ImageSize | null): MapSize => {
  const { axes, shape, prefixTokens } = layer;
  if (axes === 'channel') throw noSpace(layer);
  if (shape.length === 0) throw noSize(layer, 'a size that only a run can tell');
  if (shape.includes(null)) throw noSize(layer, 'a size that depends on the image');
  const sizes = shape as number[];
  if (axes === 'channel-row-column') {
    return { channels: sizes[0]!, rows: sizes[1]!, columns: sizes[2]! };
  }
  if (axes === 'row-column-channel') {
    return { rows: sizes[0]!, columns: sizes[1]!, channels: sizes[2]! };
  }
  const grid = tokenGrid(sizes[0]! - prefixTokens, image);
  if (grid === null) throw noSize(layer, `${sizes[0]! - prefixTokens} tokens that fill no grid`);
  return { ...grid, channels: sizes[1]! };
};

/**
 * Features of a row of a layer whose shape is known: all, or its channels. Input errors: a grid or mean asked of a layer
 * without space, a grid of one of unknown size.
 */
export const featuresOf = (
  layer: Layer,
  form: TapForm,
  { input, size }: { readonly input: ImageInput; readonly size: ImageSize | null },
): number => {
  if (form.kind === 'grid') return mapSize(layer, imageSize(input, size)).channels;
  const { axes, shape } = layer;
  if (form.kind !== 'pool') return sizeOf(shape as number[]);
  if (axes === 'channel' && shape.length > 1) throw noSpace(layer);
  return (axes === 'channel-row-column' ? shape[0] : (shape.at(-1) ?? 1)) as number;
};

/**
 * `[N, C, H, W]` · columns → `[N, C, H, c]`, turned to `[N, C, c, H]` · rows → `[N, C, c, r]`, turned to
 * `[N, r, c, C]` and flattened to `[N, r·c, C]`: resampling is separable.
 */
const gridded = (
  builder: Builder,
  x: string,
  layer: Layer,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  { image, isDouble }: Reading,
): string => {
  const size = mapSize(layer, image);
  const Numbers = isDouble ? Float64Array : Float32Array;
  const resampled = (y: string, from: number, to: number): string =>
    builder.apply('MatMul', [y, builder.constant(resamplingMatrix(from, to, Numbers))]);
  const channels = channelsFirst(builder, x, layer);
  const map =
    layer.axes === 'token-channel'
      ? reshaped(builder, channels, [0, 0, size.rows, size.columns])
      : channels;
  const across = size.columns === columns ? map : resampled(map, size.columns, columns);
  const whole =
    size.rows === rows
      ? transposed(builder, across, [0, 2, 3, 1])
      : transposed(
          builder,
          resampled(transposed(builder, across, [0, 1, 3, 2]), size.rows, rows),
          [0, 3, 2, 1],
        );
  return reshaped(builder, whole, [0, rows * columns, size.channels]);
};

/** The bounds come in as inputs, so that one session serves all slices. */
const columnsBetween = (builder: GraphBuilder, x: string): string => {
  const bounds = ['ventral.from', 'ventral.to'].map((name) =>
    builder.input({ name, type: 'int64', shape: [1] }),
  );
  if (builder.opset >= 10) return builder.apply('Slice', [x, ...bounds, builder.ints([1])]);
  // Slice has fixed bounds in these opsets, and Range is onnxruntime's own.
  const [from = '', to = ''] = bounds.map((name) =>
    builder.apply('Squeeze', [name], { axes: { ints: [0] } }),
  );
  const step = builder.constant({ data: BigInt64Array.of(1n), shape: [] });
  const columns = builder.apply('com.microsoft.Range', [from, to, step]);
  return builder.apply('Gather', [x, columns], { axis: { int: 1 } });
};

/** Where operations on 8-bit numbers have scale and zero point of their output; those that only move numbers have none. */
const rangeOf = ({ op }: ReadNode): readonly [scale: number, zero: number] | null => {
  if (op === 'QuantizeLinear') return [1, 2];
  if (/^QLinear(Conv|MatMul|Add|Mul)$/.test(op)) return [6, 7];
  if (/^QLinear(Sigmoid|LeakyRelu|Softmax|AveragePool|GlobalAveragePool)$/.test(op)) return [3, 4];
  return op === 'QGemm' ? [7, 8] : null;
};

/** Scale and zero point of a tensor of 8-bit numbers; null where the graph does not say. */
const quantisation = (structure: ModelStructure, tensor: string): readonly string[] | null => {
  const makers = new Map(
    structure.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)),
  );
  for (let at: string | undefined = tensor; at !== undefined; ) {
    const node = makers.get(at);
    if (node === undefined) return null;
    const range = rangeOf(node);
    if (range !== null) {
      const [scale, zero] = range.map((place) => node.inputs[place] ?? '');
      return scale === '' ? null : [scale!, ...(zero === '' ? [] : [zero!])];
    }
    if (
      !/^(MaxPool|Relu|Clip|Transpose|Reshape|Flatten|Squeeze|Unsqueeze|Slice|Identity|Dropout)$/.test(
        node.op,
      )
    )
      return null;
    at = node.inputs[0];
  }
  return null;
};

/** Half precision inside a model, and 8-bit numbers, are converted on the way out; double would lose what varies beside an offset. */
const inFloats = (
  builder: Builder,
  x: string,
  type: ElementType | undefined,
  structure: ModelStructure,
): string => {
  if (type === 'float16' || type === 'bfloat16')
    return builder.apply('Cast', [x], { to: { int: codeOf('float32') } });
  const range = type === 'int8' || type === 'uint8' ? quantisation(structure, x) : null;
  return range === null ? x : builder.apply('DequantizeLinear', [x, ...range]);
};

interface Reading {
  readonly image: ImageSize | null;
  /** Whether the tensor holds float64. */
  readonly isDouble: boolean;
}

const formed = (builder: Builder, x: string, { layer, form }: Tap, reading: Reading): string => {
  if (form.kind === 'whole') return x;
  const images = imagesFirst(builder, x, layer);
  if (form.kind === 'flatten') return flattened(builder, images);
  return form.kind === 'pool'
    ? pooled(builder, images, layer, reading.isDouble)
    : gridded(builder, images, layer, form, reading);
};

const freeBatch = (structure: ModelStructure, { name, batch }: ImageInput) => {
  const input = structure.inputs.find((each) => each.name === name);
  if (batch === null || input?.shape == null) return {};
  const sizes = input.shape.slice(1).map((size, axis) => size ?? `ventral.size.${axis}`);
  return { inputShapes: { [name]: ['ventral.batch', ...sizes] } };
};

const imageSize = ({ height, width }: ImageInput, size: ImageSize | null): ImageSize | null =>
  height !== null && width !== null ? { height, width } : size;

/**
 * A model whose outputs are the taps, and that holds only what they need: every other node, weight and output is
 * dropped, and the weights that stay are copied as they are (`spliceModel`). The appended operations exist in every
 * opset from 7 on. Input errors: a grid or mean asked of a layer without space, a grid of one of unknown size.
 *
 * @param bytes the file that `structure` was read from.
 */
export const tapModel = (
  bytes: Uint8Array,
  structure: ModelStructure,
  taps: readonly Tap[],
  { sliced, batch, size = null }: TapOptions,
): Uint8Array => {
  if (sliced && (taps.length !== 1 || taps[0]!.form.kind !== 'flatten')) {
    throw new Error('slices are of one flattened tap');
  }
  const input = imageInput(structure, structure.name);
  const image = imageSize(input, size);
  const facts = inferFacts(structure, {});
  const parts = taps.map((tap) => {
    const empty = { inputs: [], outputs: [], initialisers: [], nodes: [] };
    const { opset } = structure;
    const builder = builderOf({ name: tap.output, opset, ...empty }, { prefix: `${tap.output}/` });
    const { tensor } = tap.layer;
    const type = facts.get(tensor)?.type;
    const layer = inFloats(builder, tensor, type, structure);
    const read = formed(builder, layer, tap, { image, isDouble: type === 'float64' });
    return builder.finish({ [tap.output]: sliced ? columnsBetween(builder, read) : read });
  });
  return spliceModel(bytes, structure, {
    outputs: taps.map(({ output }) => output),
    nodes: parts.flatMap(({ nodes }) => nodes),
    initialisers: parts.flatMap(({ initialisers }) => initialisers),
    inputs: parts.flatMap(({ inputs }) => inputs),
    ...(batch === 'symbolic' ? freeBatch(structure, input) : {}),
  });
};
