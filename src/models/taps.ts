import type { Initialiser, OnnxNode, ValueInfo } from '../graph/encode.ts';
import { inferFacts } from '../graph/facts.ts';
import type { ModelStructure } from '../graph/read.ts';
import type { ElementType } from '../graph/schema.ts';
import { codeOf } from '../graph/schema.ts';
import { spliceModel } from '../graph/splice.ts';
import { sizeOf } from '../numeric/array.ts';
import { inputError, type VentralError } from '../records/errors.ts';
import type { ImageInput, Layer } from '../records/model.ts';
import { imageInput } from './image-input.ts';
import { resamplingMatrix, tokenGrid } from './tap-grid.ts';
import type { ImageSize } from './view.ts';

/**
 * How a layer is read, inside the graph, always as float32, and (but for `whole`) with the images first:
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

/** Nodes and constants being appended behind one tensor. */
interface Chain {
  readonly nodes: OnnxNode[];
  readonly initialisers: Initialiser[];
  readonly inputs: ValueInfo[];
}

/** Appends operations one behind the other, all named after the tap. */
const chainBehind = (chain: Chain, tap: Tap) => {
  let last = tap.layer.tensor;
  const constant = (label: string, array: Initialiser['array']): string => {
    const name = `${tap.output}/${label}`;
    if (!chain.initialisers.some((each) => each.name === name)) {
      chain.initialisers.push({ name, array });
    }
    return name;
  };
  const integers = (label: string, values: readonly number[]): string =>
    constant(label, { data: BigInt64Array.from(values.map(BigInt)), shape: [values.length] });
  const then = (
    op: string,
    others: readonly string[],
    attributes: NonNullable<OnnxNode['attributes']> = {},
  ): void => {
    const output = `${tap.output}/${chain.nodes.length}`;
    chain.nodes.push({
      op,
      name: output,
      inputs: [last, ...others],
      outputs: [output],
      attributes,
    });
    last = output;
  };
  const finish = (): void => {
    const node = chain.nodes.pop()!;
    chain.nodes.push({ ...node, outputs: [tap.output] });
  };
  return { constant, integers, then, finish };
};

type Builder = ReturnType<typeof chainBehind>;

/** Slice takes its bounds as attributes before opset 10 and as inputs since. */
const sliceFrom = (builder: Builder, opset: number, axis: number, from: number): void => {
  const END = 2 ** 31 - 1;
  if (opset < 10) {
    builder.then('Slice', [], {
      axes: { ints: [axis] },
      starts: { ints: [from] },
      ends: { ints: [END] },
    });
  } else {
    const bounds = [
      builder.integers('starts', [from]),
      builder.integers('ends', [END]),
      builder.integers('axes', [axis]),
    ];
    builder.then('Slice', bounds);
  }
};

const transpose = (builder: Builder, perm: readonly number[]): void =>
  builder.then('Transpose', [], { perm: { ints: perm } });

/** The images first, and what belongs to each in the layer's shape. */
const imagesFirst = (builder: Builder, { rearranged, shape }: Layer): void => {
  if (rearranged === null) return;
  const { split, order } = rearranged;
  builder.then('Reshape', [builder.integers('split', split)]);
  if (order.some((axis, at) => axis !== at)) transpose(builder, order);
  builder.then('Reshape', [builder.integers('images', [-1, ...(shape as number[])])]);
};

const flatten = (builder: Builder): void => builder.then('Flatten', [], { axis: { int: 1 } });

/** Any tensor with space or tokens → `[N, C, …]`, without the prefix tokens. */
const channelsFirst = (builder: Builder, { layer }: Tap, opset: number): void => {
  if (layer.axes === 'row-column-channel') transpose(builder, [0, 3, 1, 2]);
  if (layer.axes !== 'token-channel') return;
  if (layer.prefixTokens > 0) sliceFrom(builder, opset, 1, layer.prefixTokens);
  transpose(builder, [0, 2, 1]);
};

const pool = (builder: Builder, tap: Tap, opset: number): void => {
  if (tap.layer.axes === 'channel') {
    if (tap.layer.shape.length > 1) throw noSpace(tap.layer);
  } else {
    channelsFirst(builder, tap, opset);
    builder.then('GlobalAveragePool', []);
  }
  flatten(builder);
};

const noSpace = ({ name, shape }: Layer): VentralError =>
  inputError({
    where: `layer ${name}`,
    expected: 'a layer with rows and columns, or with tokens on a grid',
    got: `one of size ${shape.map((size) => size ?? '?').join('×')} without space`,
    mend: 'leave it out with --layers, or use a protocol that takes whole layers',
  });

const noSize = ({ name }: Layer, got: string): VentralError =>
  inputError({
    where: `layer ${name}`,
    expected: 'a map of known size, to resample it to the grid',
    got,
    mend: 'leave it out with --layers, or export the network for one image size',
  });

interface MapSize {
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
}

const mapSize = (layer: Layer, image: ImageSize | null): MapSize => {
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
const grid = (
  builder: Builder,
  tap: Tap,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  { opset, image }: { readonly opset: number; readonly image: ImageSize | null },
): void => {
  const map = mapSize(tap.layer, image);
  channelsFirst(builder, tap, opset);
  if (tap.layer.axes === 'token-channel') {
    builder.then('Reshape', [builder.integers('map', [0, 0, map.rows, map.columns])]);
  }
  if (map.columns !== columns) {
    builder.then('MatMul', [builder.constant('columns', resamplingMatrix(map.columns, columns))]);
  }
  if (map.rows === rows) transpose(builder, [0, 2, 3, 1]);
  else {
    transpose(builder, [0, 1, 3, 2]);
    builder.then('MatMul', [builder.constant('rows', resamplingMatrix(map.rows, rows))]);
    transpose(builder, [0, 3, 2, 1]);
  }
  builder.then('Reshape', [builder.integers('places', [0, rows * columns, map.channels])]);
};

/** The bounds come in as inputs, so that one session serves all slices. */
const sliceColumns = (builder: Builder, chain: Chain, opset: number): void => {
  chain.inputs.push(
    { name: 'ventral.from', type: 'int64', shape: [1] },
    { name: 'ventral.to', type: 'int64', shape: [1] },
  );
  if (opset >= 10) {
    builder.then('Slice', ['ventral.from', 'ventral.to', builder.integers('axis', [1])]);
    return;
  }
  // Slice has fixed bounds in these opsets, and Range is onnxruntime's own.
  const bounds = ['ventral.from', 'ventral.to'].map((name) => {
    const scalar = `${name}/scalar`;
    const attributes = { axes: { ints: [0] } };
    chain.nodes.push({ op: 'Squeeze', inputs: [name], outputs: [scalar], attributes });
    return scalar;
  });
  const step = builder.constant('step', { data: BigInt64Array.of(1n), shape: [] });
  const columns = 'ventral.columns';
  const inputs = [...bounds, step];
  chain.nodes.push({ op: 'Range', domain: 'com.microsoft', inputs, outputs: [columns] });
  builder.then('Gather', [columns], { axis: { int: 1 } });
};

/** Taps read float32; half and double precision inside a model are converted on the way out. */
const castIfNeeded = (builder: Builder, type: ElementType | undefined): void => {
  if (type === 'float16' || type === 'bfloat16' || type === 'float64') {
    builder.then('Cast', [], { to: { int: codeOf('float32') } });
  }
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
  const facts = inferFacts(structure, {});
  const chain: Chain = { nodes: [], initialisers: [], inputs: [] };
  const { opset } = structure;
  for (const tap of taps) {
    const builder = chainBehind(chain, tap);
    castIfNeeded(builder, facts.get(tap.layer.tensor)?.type);
    if (tap.form.kind === 'whole') builder.then('Identity', []);
    else imagesFirst(builder, tap.layer);
    if (tap.form.kind === 'flatten') flatten(builder);
    else if (tap.form.kind === 'pool') pool(builder, tap, opset);
    else if (tap.form.kind === 'grid')
      grid(builder, tap, tap.form, { opset, image: imageSize(input, size) });
    if (sliced) sliceColumns(builder, chain, opset);
    builder.finish();
  }
  return spliceModel(bytes, structure, {
    outputs: taps.map(({ output }) => output),
    ...chain,
    ...(batch === 'symbolic' ? freeBatch(structure, input) : {}),
  });
};
