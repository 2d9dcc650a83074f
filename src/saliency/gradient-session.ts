import { differentiate } from '../gradient/differentiate.ts';
import { lower } from '../gradient/lower.ts';
import { decodeModel } from '../graph/decode.ts';
import { disarmedGraph } from '../graph/disarm.ts';
import { encodeModel } from '../graph/encode.ts';
import type { OnnxGraph } from '../graph/graph.ts';
import { cut, fixInputs } from '../graph/rewrite.ts';
import { widened } from '../graph/widen.ts';
import type { FrameSize } from '../models/frame.ts';
import type { Network } from '../models/network.ts';
import { sizeOf } from '../numeric/array.ts';
import type { Float32Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { ImageInput } from '../records/model.ts';
import type { Engine, EngineSession } from '../records/ports.ts';
import { canonical } from '../sketch/canonical.ts';

/** The whole graph of a model file (or of a part of it, `bytes`), its weights included. */
export const decodeNetwork = async (
  { name, externalData }: Network,
  bytes: Uint8Array,
): Promise<OnnxGraph> => {
  const external = new Map<string, Uint8Array>();
  for (const { name: location, path, files } of externalData)
    external.set(location, await files.read(path));
  return { ...decodeModel(bytes, name, Object.fromEntries(external)), name };
};

/** Images that the network takes at once; where that is fixed, the first is the one that counts. */
const batchOf = ({ batch }: ImageInput): number => batch ?? 1;

const inputShape = (input: ImageInput, { height, width }: FrameSize): readonly number[] =>
  input.layout === 'NCHW'
    ? [batchOf(input), input.channels, height, width]
    : [batchOf(input), height, width, input.channels];

/**
 * The graph for one size of image, in the canonical opset and in float32; only what leads to `outputs` (default: all).
 * Input errors: a size that cannot be fixed, or that the network does not take.
 */
export const graphFor = (
  graph: OnnxGraph,
  input: ImageInput,
  size: FrameSize,
  outputs: readonly string[] = graph.outputs.map(({ name }) => name),
): OnnxGraph => {
  const { height, width } = input;
  if ((height ?? size.height) !== size.height || (width ?? size.width) !== size.width)
    throw inputError({
      where: `${graph.name}: input`,
      expected: `images of ${height}×${width}, which the model fixes`,
      got: `${size.height}×${size.width}`,
      mend: 'choose a preprocessing of that size',
    });
  const fixed = fixInputs(graph, { [input.name]: inputShape(input, size) });
  return canonical(widened(cut(fixed, { to: outputs })));
};

/** Copies one image to every place of a fixed batch. */
export const repeated = (image: Float32Nd, input: ImageInput): Float32Nd => {
  const batch = batchOf(input);
  if (batch === 1) return image;
  const data = new Float32Array(image.data.length * batch);
  for (let index = 0; index < batch; index++) data.set(image.data, index * image.data.length);
  return { data, shape: [batch, ...image.shape.slice(1)] };
};

/** What a tensor weighs and how its weighted sum changes with the image. */
export interface ValueAndGradient {
  /** Σ weights · tensor. */
  readonly value: number;
  /** Its gradient with respect to the input, of the input's shape. */
  readonly gradient: Float32Nd;
  /** The tensor itself. */
  readonly values: Float32Array;
}

export interface GradientSession {
  /**
   * The weighted sum of the differentiated tensor and its gradient, for one preprocessed image; `weights` are those of
   * the elements of the tensor, the rest of a fixed batch having none.
   */
  valueAndGradient(
    image: Float32Nd,
    weights: ReadonlyMap<number, number>,
  ): Promise<ValueAndGradient>;
  release(): Promise<void>;
}

export const cotangentName = 'ventral.cotangent';
export const gradientName = 'ventral.gradient';

/**
 * A model with two outputs: the tensor, and its gradient with respect to the image. The graph is canonical and of one
 * size (`graphFor`). Input errors: an operation without a rule, a tensor that does not depend on the image or only
 * through integers (a quantised network).
 */
export const gradientModel = (graph: OnnxGraph, input: ImageInput, tensor: string): Uint8Array => {
  const differentiated = differentiate(cut(graph, { to: [tensor] }), tensor, [input.name], {
    names: [gradientName],
    cotangent: cotangentName,
  });
  return encodeModel(disarmedGraph(lower(differentiated)));
};

/** Opens the gradient of a tensor with respect to the image: `gradientModel`, unchecked. */
export const openGradient = async (
  engine: Engine,
  graph: OnnxGraph,
  input: ImageInput,
  tensor: string,
  shape: readonly number[],
): Promise<GradientSession> => {
  const bytes = gradientModel(graph, input, tensor);
  const session = await engine.open({ bytes, given: true });
  return gradientSession(session, input, tensor, shape);
};

/** An open `gradientModel`. */
export const gradientSession = (
  session: EngineSession,
  input: ImageInput,
  tensor: string,
  shape: readonly number[],
): GradientSession => ({
  valueAndGradient: async (image, weights) => {
    const cotangent = { data: new Float32Array(sizeOf(shape)), shape };
    for (const [place, weight] of weights) cotangent.data[place] = weight;
    const { fetched } = await session.run({
      [input.name]: repeated(image, input),
      [cotangentName]: cotangent,
    });
    const values = fetched[tensor]!.data as Float32Array;
    const gradient = fetched[gradientName]!.data as Float32Array;
    let value = 0;
    for (const [place, weight] of weights) value += weight * values[place]!;
    return {
      value,
      values,
      gradient: { data: gradient.slice(0, image.data.length), shape: image.shape },
    };
  },
  release: () => session.release(),
});

/** Runs a part of a network up to one tensor, on one image; of a fixed batch, all places hold it. */
export const openForward = async (
  engine: Engine,
  graph: OnnxGraph,
  input: ImageInput,
  tensor: string,
): Promise<{
  run(image: Float32Nd): Promise<Float32Array>;
  release(): Promise<void>;
}> => {
  const bytes = encodeModel(disarmedGraph(cut(graph, { to: [tensor] })));
  const session = await engine.open({ bytes });
  return {
    run: async (image) => {
      const { fetched } = await session.run({ [input.name]: repeated(image, input) });
      return fetched[tensor]!.data as Float32Array;
    },
    release: () => session.release(),
  };
};
