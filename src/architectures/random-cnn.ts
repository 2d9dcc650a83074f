import type { OnnxGraph } from '../graph/graph.ts';
import { createRandom, type Random } from '../numeric/random.ts';
import { convolve, finished, type Kernel, networkOf, rectify } from './operations.ts';
import { patchSide } from './planted.ts';

interface Stage {
  readonly name: string;
  readonly channels: number;
  readonly side: number;
  readonly stride: number;
}

const stages: readonly Stage[] = [
  { name: 'conv1', channels: 16, side: 7, stride: 3 },
  { name: 'conv2', channels: 24, side: 3, stride: 1 },
  { name: 'conv3', channels: 32, side: 3, stride: 1 },
  { name: 'conv4', channels: 48, side: 3, stride: 1 },
];

/** He et al. 2015, equation 10: normal weights with variance 2 / (inputs · side²). */
const heKernel = (random: Random, outputs: number, inputs: number, side: number): Kernel => {
  const deviation = Math.sqrt(2 / (inputs * side * side));
  return {
    data: Array.from({ length: outputs * inputs * side * side }, () => deviation * random.normal()),
    shape: [outputs, inputs, side, side],
  };
};

/** The candidate that nobody trained: four convolutions with random weights, each rectified. */
export const randomCnn = (seed: number): OnnxGraph => {
  const random = createRandom(seed);
  const net = networkOf('random-cnn', patchSide);
  let [tensor, channels] = ['image', 3];
  for (const stage of stages) {
    const kernel = heKernel(random.fork(stage.name), stage.channels, channels, stage.side);
    const { stride } = stage;
    tensor = rectify(net, stage.name, convolve(net, stage.name, tensor, kernel, { stride }));
    channels = stage.channels;
  }
  return finished(net, [tensor]);
};
