import type { Random } from '../numeric/random.ts';
import type { Float32Nd } from '../records/array.ts';
import { engineError } from '../records/errors.ts';
import type { ImageInput } from '../records/model.ts';
import type { SaliencySettings } from '../records/saliency.ts';
import type { ValueAndGradient } from './gradient-session.ts';

/** The gradient of what is looked at, at any input. */
export type ValueAndGradientAt = (input: Float32Nd) => Promise<ValueAndGradient>;

export interface Saliency {
  /** `[height, width]` of the input. */
  readonly map: Float32Nd;
  /** The logit or response at the image itself. */
  readonly value: number;
}

/** From the three values of a pixel to one. */
type Reduce = (red: number, green: number, blue: number) => number;

const meanOf: Reduce = (a, b, c) => (a + b + c) / 3;
const sumOf: Reduce = (a, b, c) => a + b + c;
const largest: Reduce = (a, b, c) => Math.max(Math.abs(a), Math.abs(b), Math.abs(c));

const overChannels = (
  values: ArrayLike<number>,
  shape: readonly number[],
  layout: ImageInput['layout'],
  reduce: Reduce,
): Float32Nd => {
  const [height, width] = (layout === 'NCHW' ? shape.slice(2) : shape.slice(1)) as [number, number];
  const plane = height * width;
  const channels = layout === 'NCHW' ? shape[1]! : shape[3]!;
  // Of grey, each way of three is that of the one.
  if (channels === 1)
    return {
      data: Float32Array.from(values, (x) => (reduce === largest ? Math.abs(x) : x)),
      shape: [height, width],
    };
  const [step, channelStep] = layout === 'NCHW' ? [1, plane] : [3, 1];
  const data = Float32Array.from({ length: plane }, (_, i) => {
    const at = i * step;
    return reduce(values[at]!, values[at + channelStep]!, values[at + 2 * channelStep]!);
  });
  return { data, shape: [height, width] };
};

/** Mean of the gradient over several inputs. */
const meanGradient = async (
  inputs: Iterable<Float32Nd>,
  count: number,
  valueAndGradientAt: ValueAndGradientAt,
): Promise<Float64Array> => {
  let sum: Float64Array | null = null;
  for (const input of inputs) {
    const { gradient } = await valueAndGradientAt(input);
    sum ??= new Float64Array(gradient.data.length);
    for (let i = 0; i < sum.length; i++) sum[i]! += gradient.data[i]! / count;
  }
  return sum!;
};

function* noisy(
  { data, shape }: Float32Nd,
  samples: number,
  noise: number,
  random: Random,
): Generator<Float32Nd> {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const spread = noise * (most - least);
  for (let sample = 0; sample < samples; sample++)
    yield { data: data.map((value) => value + spread * random.normal()), shape };
}

function* between(from: Float32Nd, to: Float32Nd, steps: number): Generator<Float32Nd> {
  for (let step = 0; step < steps; step++) {
    const share = (step + 0.5) / steps;
    const data = to.data.map((value, i) => from.data[i]! + share * (value - from.data[i]!));
    yield { data, shape: to.shape };
  }
}

/** One preprocessed image. */
export interface SaliencyInput {
  readonly input: Float32Nd;
  readonly layout: ImageInput['layout'];
  /** A black image, preprocessed. */
  readonly black: Float32Nd;
  /** For messages. */
  readonly where: string;
}

/**
 * The saliency of an image, by the method of the settings (`saliencySchema` has the definitions); `random` draws the
 * noise of smoothgrad. Engine error, naming `where`: gradients that are not finite.
 */
export const saliencyOf = async (
  { input, layout, black, where }: SaliencyInput,
  settings: SaliencySettings,
  random: Random,
  valueAndGradientAt: ValueAndGradientAt,
): Promise<Saliency> => {
  const { value, gradient } = await valueAndGradientAt(input);
  const reduced = (values: ArrayLike<number>, reduce: Reduce): Float32Nd =>
    overChannels(values, input.shape, layout, reduce);
  const map = await (async (): Promise<Float32Nd> => {
    switch (settings.method) {
      case 'gradient':
        return reduced(gradient.data, meanOf);
      case 'abs-max':
        return reduced(gradient.data, largest);
      case 'gradient-times-input':
        return reduced(
          Float64Array.from(gradient.data, (each, i) => each * input.data[i]!),
          sumOf,
        );
      case 'smoothgrad': {
        const { samples, noise } = settings;
        const inputs = noisy(input, samples, noise, random);
        return reduced(await meanGradient(inputs, samples, valueAndGradientAt), largest);
      }
      case 'integrated': {
        const { steps, baseline } = settings;
        const from =
          baseline === 'black'
            ? black
            : { data: new Float32Array(input.data.length), shape: input.shape };
        const mean = await meanGradient(between(from, input, steps), steps, valueAndGradientAt);
        return reduced(
          mean.map((each, i) => each * (input.data[i]! - from.data[i]!)),
          sumOf,
        );
      }
    }
  })();
  if (!(Number.isFinite(value) && map.data.every(Number.isFinite)))
    throw engineError({
      code: 'gradients-not-finite',
      where,
      expected: 'finite gradients',
      got: 'NaN or infinity',
      mend: 'check the preprocessing and the network',
    });
  return { map, value };
};
