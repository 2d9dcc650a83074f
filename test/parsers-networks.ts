import { gunzipSync } from 'node:zlib';
import { differentiate } from '../src/gradient/differentiate.ts';
import { lower } from '../src/gradient/lower.ts';
import { decodeModel } from '../src/graph/decode.ts';
import { encodeModel } from '../src/graph/encode.ts';
import type { ValueInfo } from '../src/graph/graph.ts';
import { cut, fixInputs } from '../src/graph/rewrite.ts';
import { staticShapes } from '../src/graph/static-shapes.ts';
import { hiddenProducts } from '../src/models/bodies.ts';
import { checkFixedFunction } from '../src/models/fixed-function.ts';
import { everyTensor, listLayers } from '../src/models/layers.ts';
import { type Network, openNetwork } from '../src/models/network.ts';
import { tapModel } from '../src/models/taps.ts';
import { randomTwin } from '../src/models/twin.ts';
import { VentralError } from '../src/records/errors.ts';
import { decodeNetwork, graphFor } from '../src/saliency/gradient-session.ts';
import { classLogits } from '../src/saliency/logit.ts';
import { canonical } from '../src/sketch/canonical.ts';
import { renamedModel, rewiredModel } from './changed-graph.ts';
import { branchModel, smallModel } from './graph/small-model.ts';
import { convolutionalModel, tokenModel } from './graph/small-networks.ts';
import { createMemoryFiles, createMemoryHash } from './memory-files.ts';
import { golden, type Parser } from './parser.ts';

const families = (...names: readonly string[]): Uint8Array[] =>
  names.map((name) => new Uint8Array(gunzipSync(golden(`families/${name}.onnx.gz`))));

const changes = { names: renamedModel, wires: rewiredModel };
const size = { height: 4, width: 4 };

const portsOf = (bytes: Uint8Array) => {
  const files = createMemoryFiles({ 'x.onnx': bytes });
  return { files, hash: createMemoryHash(files), checkStop: () => undefined };
};

/** Some layers tapped in every form; throws the first refusal once all have been tried. */
const tapAll = ({ bytes, structure }: Network): void => {
  const refusals: unknown[] = [];
  const forms = [
    { kind: 'whole' },
    { kind: 'flatten' },
    { kind: 'pool' },
    { kind: 'grid', rows: 2, columns: 2 },
  ] as const;
  const layers = everyTensor(structure, size);
  for (const [place, form] of forms.entries()) {
    for (const layer of layers.slice(2 * place, 2 * place + 2)) {
      try {
        const tap = { layer, form, output: 'ventral.0' };
        tapModel(bytes, structure, [tap], { sliced: false, batch: 'symbolic', size });
      } catch (thrown) {
        if (!(thrown instanceof VentralError)) throw thrown;
        refusals.push(thrown);
      }
    }
  }
  // A layer without a map is no damage.
  const [first] = refusals.filter((thrown) => !/without space|of known size/.test(String(thrown)));
  if (first !== undefined) throw first;
};

/** Parsers of models: the whole graph, its layers and taps, its random twin, its gradient. */
export const networkParsers: Readonly<Record<string, Parser>> = {
  onnx: {
    seeds: () => [
      smallModel,
      branchModel,
      ...[convolutionalModel, tokenModel, smallModel, branchModel],
      ...families('pyramid-13', 'pyramid-19', 'deit_einsum-13', 'resnet_group_norm-18'),
    ],
    parse: async (bytes) => {
      const graph = decodeModel(bytes, 'x.onnx');
      encodeModel(graph);
      const one = (shape: ValueInfo['shape']) =>
        shape!.map((size) => (typeof size === 'number' ? size : 1));
      const sizes = graph.inputs.flatMap(({ name, shape }) =>
        shape === null ? [] : [[name, one(shape)]],
      );
      staticShapes(canonical(fixInputs(graph, Object.fromEntries(sizes))));
    },
    seconds: 5,
    changes,
  },
  layers: {
    seeds: () => [
      ...[convolutionalModel, tokenModel, convolutionalModel, tokenModel],
      ...families('pyramid-13', 'levit-14'),
    ],
    parse: async (bytes) => {
      const network = await openNetwork('x.onnx', portsOf(bytes));
      hiddenProducts(network);
      checkFixedFunction(
        network,
        listLayers(network.structure, size).map(({ tensor }) => tensor),
      );
      tapAll(network);
    },
    seconds: 5,
    changes,
  },
  twin: {
    seeds: () => [convolutionalModel, tokenModel, ...families('pyramid-13')],
    parse: async (bytes) => {
      const ports = portsOf(bytes);
      await randomTwin(await openNetwork('x.onnx', ports), 1, ports);
    },
    seconds: 5,
    changes,
  },
  gradient: {
    seeds: () => [convolutionalModel, tokenModel, tokenModel, ...families('mixer-18')],
    parse: async (bytes) => {
      const ports = portsOf(bytes);
      const network = await openNetwork('x.onnx', ports);
      const { input } = network;
      const whole = await decodeNetwork(network, bytes);
      const graph = graphFor(whole, input, {
        height: input.height ?? 4,
        width: input.width ?? 4,
      });
      const { tensor } = classLogits(graph);
      const part = cut(graph, { to: [tensor] });
      encodeModel(lower(differentiate(part, tensor, [input.name], { cotangent: 'ventral.c' })));
    },
    seconds: 10,
    changes,
  },
};
