import type { OnnxGraph } from '../graph/encode.ts';
import type { Random } from '../numeric/random.ts';
import type { Float32Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Preprocessing } from '../records/model.ts';
import type { Engine, Files } from '../records/ports.ts';
import type { SaliencySettings } from '../records/saliency.ts';
import { checkFixedFunction } from './fixed-function.ts';
import { blackLike, type FrameSize, inputOf } from './frame.ts';
import {
  decodeNetwork,
  type GradientSession,
  graphFor,
  openForward,
  openGradient,
} from './gradient-session.ts';
import { type ClassLogits, classLogits } from './logit.ts';
import type { Network } from './network.ts';
import { type Saliency, saliencyOf } from './saliency.ts';
import { openSized } from './sized.ts';

export interface ClassSaliency extends Saliency {
  readonly class: number;
}

export interface ClassExplainer {
  /**
   * Saliency of an image's levels at the size of the input (`frame.ts`) for a class, or for the one that the network
   * says (null). Input error, naming `where`: a class that the network does not have, and those of opening.
   */
  explain(
    levels: Float32Nd,
    classIndex: number | null,
    random: Random,
    where: string,
  ): Promise<ClassSaliency>;
  /** Name of the tensor that is differentiated; null before the first image. */
  tensor(): string | null;
  release(): Promise<void>;
}

/** The network made ready for one size of image. */
interface Opened {
  readonly logits: ClassLogits;
  readonly gradient: GradientSession;
  readonly forward: Awaited<ReturnType<typeof openForward>> | null;
}

const open = async (
  engine: Engine,
  whole: OnnxGraph,
  { input }: Network,
  size: FrameSize,
  withForward: boolean,
): Promise<Opened> => {
  const graph = graphFor(whole, input, size);
  const logits = classLogits(graph);
  const { tensor, shape, output } = logits;
  const gradient = await openGradient(engine, graph, input, tensor, shape);
  const forward = withForward ? await openForward(engine, graph, input, output) : null;
  return { logits, gradient, forward };
};

const close = async ({ gradient, forward }: Opened): Promise<void> => {
  await gradient.release();
  await forward?.release();
};

/** The first of the highest values. */
const argmax = (values: Float32Array): number =>
  values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);

/**
 * Saliency of class logits. Sessions are of one size of image; where images differ in size, one is opened after another.
 * Input errors of the first call: a network that cannot be differentiated (see `graphFor`, `classLogits`,
 * `openGradient`).
 *
 * @param choosesClass whether the network will be asked for its own class.
 */
export const openClassSaliency = async (
  network: Network,
  preprocessing: Preprocessing,
  settings: SaliencySettings,
  choosesClass: boolean,
  { engine, files }: { readonly engine: Engine; readonly files: Files },
): Promise<ClassExplainer> => {
  checkFixedFunction(
    network,
    network.structure.outputs.map(({ name }) => name),
  );
  const graph = await decodeNetwork(network, network.bytes, { files });
  const { layout } = network.input;
  const sized = openSized((size) => open(engine, graph, network, size, choosesClass), close);
  return {
    tensor: () => sized.current()?.logits.tensor ?? null,
    release: sized.release,
    explain: async (levels, wanted, random, where) => {
      const [height, width] = levels.shape as readonly [number, number, number];
      const { logits, gradient, forward } = await sized.at({ height, width });
      checkClass(wanted, logits.classes, where);
      const input = inputOf(levels, preprocessing, layout);
      const chosen = wanted ?? argmax(await forward!.run(input));
      const weights = new Map([[logits.placeOf(chosen), 1]]);
      const saliency = await saliencyOf(
        input,
        settings,
        layout,
        blackLike(levels, preprocessing, layout),
        random,
        (at) => gradient.slope(at, weights),
        where,
      );
      return { ...saliency, class: chosen };
    },
  };
};

const checkClass = (wanted: number | null, classes: number, where: string): void => {
  if (wanted === null || (Number.isInteger(wanted) && wanted >= 0 && wanted < classes)) return;
  throw inputError({
    where: `${where}: class`,
    expected: `a class of the network, 0 to ${classes - 1}`,
    got: `${wanted}`,
    mend: 'check the labels, or take top1',
  });
};
