import type { OnnxGraph } from '../graph/graph.ts';
import type { CheckPorts } from '../models/engine-check.ts';
import { checkFixedFunction } from '../models/fixed-function.ts';
import { blackLike, type FrameSize, inputOf } from '../models/frame.ts';
import type { Network } from '../models/network.ts';
import type { Random } from '../numeric/random.ts';
import type { Float32Nd } from '../records/array.ts';
import { inputError } from '../records/errors.ts';
import type { Preprocessing } from '../records/model.ts';
import type { SaliencySettings } from '../records/saliency.ts';
import {
  type CheckedGradient,
  type CheckedSession,
  exampleInputs,
  openCheckedGradient,
} from './gradient-check.ts';
import { decodeNetwork, graphFor, openForward, type ValueAndGradient } from './gradient-session.ts';
import { type ClassLogits, classLogits } from './logit.ts';
import { type Saliency, saliencyOf } from './methods.ts';
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
    intensities: Float32Nd,
    classIndex: number | null,
    random: Random,
    where: string,
  ): Promise<ClassSaliency>;
  /** Name of the tensor that is differentiated; null before the first image. */
  tensor(): string | null;
  /** The session of the last image, held against an unoptimised one; null before the first. */
  checked(): CheckedSession | null;
  release(): Promise<void>;
}

/** The network made ready for one size of image. */
interface Opened {
  readonly logits: ClassLogits;
  readonly gradient: CheckedGradient;
  readonly forward: Awaited<ReturnType<typeof openForward>> | null;
}

/** What does not change with the size of the image. */
interface Whole {
  readonly network: Network;
  readonly preprocessing: Preprocessing;
  readonly graph: OnnxGraph;
  readonly choosesClass: boolean;
}

const open = async (
  { network, preprocessing, graph: whole, choosesClass }: Whole,
  size: FrameSize,
  first: Float32Nd,
  ports: CheckPorts,
): Promise<Opened> => {
  const { input, sha256 } = network;
  const graph = graphFor(whole, input, size);
  const logits = classLogits(graph);
  const { tensor, shape } = logits;
  const gradient = await openCheckedGradient(ports, {
    ...{ graph, input, size, tensor, shape },
    examples: exampleInputs(first, preprocessing, input.layout),
    identity: ['class', sha256, preprocessing],
  });
  const forward = choosesClass ? await openForward(ports.engine, graph, input, tensor) : null;
  return { logits, gradient, forward };
};

const close = async ({ gradient, forward }: Opened): Promise<void> => {
  await gradient.session.release();
  await forward?.release();
};

/** The first class of the highest logit. */
const bestClass = ({ classes, placeOf }: ClassLogits, values: Float32Array): number => {
  let best = 0;
  for (let each = 1; each < classes; each++)
    if (values[placeOf(each)]! > values[placeOf(best)]!) best = each;
  return best;
};

/** A class, and the slope of its logit where that is known already. */
interface Chosen {
  readonly class: number;
  readonly valueAndGradient: ValueAndGradient | null;
}

/**
 * The network's own class, by the very session that differentiates it: a forward run, which is cheap, proposes, and where
 * rounding made it differ, the gradient's logits decide.
 */
const ownClass = async (
  { logits, gradient, forward }: Opened,
  input: Float32Nd,
): Promise<Chosen> => {
  const proposed = bestClass(logits, await forward!.run(input));
  const valueAndGradient = await gradient.session.valueAndGradient(
    input,
    new Map([[logits.placeOf(proposed), 1]]),
  );
  const own = bestClass(logits, valueAndGradient.values);
  return { class: own, valueAndGradient: own === proposed ? valueAndGradient : null };
};

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
  ports: CheckPorts,
): Promise<ClassExplainer> => {
  checkFixedFunction(
    network,
    network.structure.outputs.map(({ name }) => name),
  );
  const graph = await decodeNetwork(network, network.bytes);
  const { layout } = network.input;
  const whole = { network, preprocessing, graph, choosesClass };
  const sized = openSized((size, first) => open(whole, size, first, ports), close);
  return {
    tensor: () => sized.current()?.logits.tensor ?? null,
    checked: () => sized.current()?.gradient.checked ?? null,
    release: sized.release,
    explain: async (intensities, wanted, random, where) => {
      const opened = await sized.at(intensities);
      const { logits, gradient } = opened;
      checkClass(wanted, logits.classes, where);
      const input = inputOf(intensities, preprocessing, layout);
      const { class: chosen, valueAndGradient } =
        wanted === null ? await ownClass(opened, input) : { class: wanted, valueAndGradient: null };
      const weights = new Map([[logits.placeOf(chosen), 1]]);
      const saliency = await saliencyOf(
        { input, layout, black: blackLike(intensities, preprocessing, layout), where },
        settings,
        random,
        async (at) =>
          (at === input ? valueAndGradient : null) ??
          gradient.session.valueAndGradient(at, weights),
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
