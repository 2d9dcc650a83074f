import type { OnnxGraph } from '../graph/graph.ts';
import {
  type CheckPorts,
  contrastImages,
  type Feeds,
  keptVerdict,
  type Runs,
  relativeDifference,
  runsOf,
  SINGLE_LIMIT,
  summaryOf,
  type Verdict,
  verdictOf,
} from '../models/engine-check.ts';
import { type FrameSize, inputOf } from '../models/frame.ts';
import { sizeOf } from '../numeric/array.ts';
import { createRandom } from '../numeric/random.ts';
import type { Float32Nd } from '../records/array.ts';
import type { ImageInput, Preprocessing } from '../records/model.ts';
import type { GradientCheck } from '../records/provenance.ts';
import {
  cotangentName,
  type GradientSession,
  gradientModel,
  gradientName,
  gradientSession,
  repeated,
} from './gradient-session.ts';

/**
 * Of the gradient's e, the middle one of the inputs. Rounding decides the side of a kink on which a value of a rectifier
 * falls, and the slopes there are others: one input in some tens shows it, by some thousandths.
 */
const GRADIENT_LIMIT = 1e-2;

/** What is differentiated, and what it is tried on. */
export interface CheckedGradientRequest {
  /** Canonical and of one size (`graphFor`). */
  readonly graph: OnnxGraph;
  readonly input: ImageInput;
  readonly size: FrameSize;
  readonly tensor: string;
  readonly shape: readonly number[];
  /** Preprocessed images. */
  readonly examples: readonly Float32Nd[];
  /** What identifies graph and examples, for the cache. */
  readonly identity: readonly unknown[];
}

/** What was found of one session. Survives JSON. */
export interface GradientVerdict extends Verdict {
  readonly gradientError: number | null;
}

/** A session by the size of its images, and what was found of it. Survives JSON. */
export interface CheckedSession extends FrameSize {
  readonly tensor: string;
  readonly verdict: GradientVerdict;
}

export interface CheckedGradient {
  readonly session: GradientSession;
  readonly checked: CheckedSession;
}

/** Two inputs at full contrast, and an image, of which the levels `[height, width, 3]` are given. */
export const exampleInputs = (
  intensities: Float32Nd,
  preprocessing: Preprocessing,
  layout: ImageInput['layout'],
): readonly Float32Nd[] => {
  const [height, width] = intensities.shape as readonly [number, number, number];
  return [...contrastImages(height, width), intensities].map((each) =>
    inputOf(each, preprocessing, layout),
  );
};

/** Every element of the tensor counts, up or down by chance. */
const cotangentOf = (shape: readonly number[]): Float32Nd => {
  const random = createRandom('cotangent');
  return { data: Float32Array.from({ length: sizeOf(shape) }, () => 2 * random.int(2) - 1), shape };
};

const middle = (values: readonly number[]): number | null =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;

const compared = (optimised: Runs | null, plain: Runs | null, tensor: string): GradientVerdict => {
  const verdict = verdictOf(optimised, plain, new Map([[tensor, tensor]]), SINGLE_LIMIT);
  if (optimised === null || plain === null) return { ...verdict, gradientError: null };
  const gradients = plain.get(gradientName) ?? [];
  const errors = gradients.flatMap((each, run) => {
    const error = relativeDifference([optimised.get(gradientName)![run]!], [each]);
    return error === null ? [] : [error];
  });
  const error = middle(errors);
  const gradientError = error !== null && Number.isFinite(error) ? error : null;
  if (!verdict.optimised || error === null || error <= GRADIENT_LIMIT)
    return { ...verdict, gradientError };
  const at = `the gradient of ${tensor}`;
  return { optimised: false, reason: 'differs', error: gradientError, at, gradientError };
};

/**
 * Opens the gradient of a tensor with respect to the image as optimised as the comparison with the unoptimised session
 * allows. The verdict is kept in the cache. Input errors: those of `gradientModel`.
 */
export const openCheckedGradient = async (
  ports: CheckPorts,
  { graph, input, size, tensor, shape, examples, identity }: CheckedGradientRequest,
): Promise<CheckedGradient> => {
  const bytes = gradientModel(graph, input, tensor);
  const open = (optimised: boolean, given: boolean) =>
    ports.engine.open({ bytes, given, optimised });
  const cotangent = cotangentOf(shape);
  const feeds = examples.map(
    (image): Feeds => ({ [input.name]: repeated(image, input), [cotangentName]: cotangent }),
  );
  const verdict = await keptVerdict(ports, [...identity, size, tensor, shape], async () => {
    const plain = await runsOf(() => open(false, false), feeds);
    return compared(await runsOf(() => open(true, false), feeds), plain, tensor);
  });
  const session = await open(verdict.optimised, true);
  const { height, width } = size;
  return {
    session: gradientSession(session, input, tensor, shape),
    checked: { height, width, tensor, verdict },
  };
};

/**
 * What is said of the sessions that images were looked at in, of which those of one size are one; null where no image
 * was.
 */
export const gradientSummary = (
  images: readonly (CheckedSession | null)[],
): { readonly engineCheck: GradientCheck | null; readonly notes: readonly string[] } => {
  const sizes = new Map(
    images.flatMap((each) => (each === null ? [] : [[`${each.height}×${each.width}`, each]])),
  );
  const sessions = [...sizes.values()].map(({ verdict, tensor }) => ({ verdict, names: [tensor] }));
  if (sessions.length === 0) return { engineCheck: null, notes: [] };
  const { engineCheck, notes } = summaryOf(sessions, SINGLE_LIMIT, null);
  const errors = sessions.flatMap(({ verdict: { optimised, gradientError } }) =>
    optimised && gradientError !== null ? [gradientError] : [],
  );
  const gradientError = errors.length === 0 ? null : Math.max(...errors);
  return { engineCheck: { ...engineCheck, gradientError }, notes };
};
