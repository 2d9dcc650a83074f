import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { encodeModel } from '../../src/graph/encode.ts';
import type { OnnxNode } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import {
  everyTensor,
  listLayers,
  matchesAny,
  placesAmong,
  selectLayers,
} from '../../src/models/layers.ts';
import { goldenModel, patterned } from '../onnx.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';

/** Layers in all, and how many of them are maps (C×H×W), maps with channels last, tokens, and without space. */
const table: Readonly<
  Record<string, readonly [all: number, maps: number, last: number, tokens: number, flat: number]>
> = {
  alexnet: [7, 5, 0, 0, 2],
  convnext_tiny: [58, 40, 18, 0, 0],
  convnext_tiny_17: [58, 40, 18, 0, 0],
  deit_distilled: [9, 1, 0, 8, 0],
  densenet121: [120, 120, 0, 0, 0],
  efficientnet_b0: [49, 49, 0, 0, 0],
  efficientnet_v2_s: [112, 112, 0, 0, 0],
  eva_like: [9, 1, 0, 8, 0],
  glu_packed: [9, 1, 0, 8, 0],
  googlenet: [57, 57, 0, 0, 0],
  inception_v3: [94, 94, 0, 0, 0],
  maxvit_t: [124, 35, 88, 0, 1],
  mnasnet1_0: [52, 52, 0, 0, 0],
  mobilenet_v1: [27, 27, 0, 0, 0],
  mobilenet_v2: [52, 52, 0, 0, 0],
  mobilenet_v3_large: [47, 46, 0, 0, 1],
  mobilenet_v3_small: [35, 34, 0, 0, 1],
  regnet_x_400mf: [67, 67, 0, 0, 0],
  regnet_y_400mf: [49, 49, 0, 0, 0],
  resnet18: [17, 17, 0, 0, 0],
  resnet18_group_norm: [17, 17, 0, 0, 0],
  resnet18_trunk: [17, 17, 0, 0, 0],
  resnet50: [49, 49, 0, 0, 0],
  resnet50_9: [49, 49, 0, 0, 0],
  resnet_v2: [9, 9, 0, 0, 0],
  shufflenet_v2_x1_0: [56, 56, 0, 0, 0],
  squeezenet1_1: [26, 26, 0, 0, 0],
  swin_t: [52, 1, 51, 0, 0],
  timm_vit_registers: [13, 1, 0, 12, 0],
  vgg16: [15, 13, 0, 0, 2],
  vit_b_16: [49, 1, 0, 48, 0],
  vit_b_16_17: [49, 1, 0, 48, 0],
  vit_tiny: [49, 1, 0, 48, 0],
};

const architecture = (name: string) => goldenModel(`architectures/${name}.onnx.gz`).structure;

describe('listLayers', () => {
  it('has a line for every stored architecture', () => {
    const folder = new URL('../golden/architectures', import.meta.url);
    const stored = readdirSync(folder).filter((file) => file.endsWith('.gz'));
    expect(stored.map((file) => file.replace('.onnx.gz', '')).sort()).toEqual(
      Object.keys(table).sort(),
    );
  });

  it.each(Object.entries(table))('%s', (name, counts) => {
    const layers = listLayers(architecture(name));
    const having = (axes: string) => layers.filter((layer) => layer.axes === axes).length;
    expect([
      layers.length,
      having('channel-row-column'),
      having('row-column-channel'),
      having('token-channel'),
      having('channel'),
    ]).toEqual(counts);
    expect(new Set(layers.map((layer) => layer.name)).size).toBe(layers.length);
    expect(layers.filter(({ shape }) => shape.length === 0 || shape.includes(null))).toEqual([]);
  });

  const names = (name: string, count: number) =>
    listLayers(architecture(name))
      .slice(0, count)
      .map((layer) => `${layer.name} ${layer.shape}`);

  it('names layers as torchvision names its modules', () => {
    expect(names('resnet50', 5)).toEqual([
      'conv1 64,112,112',
      'layer1.0.conv1 64,56,56',
      'layer1.0.conv2 64,56,56',
      'layer1.0 256,56,56',
      'layer1.1.conv1 64,56,56',
    ]);
    expect(names('vit_b_16', 5)).toEqual([
      'conv_proj 768,14,14',
      'encoder.layers.encoder_layer_0.self_attention 197,768',
      'encoder.layers.encoder_layer_0.Add 197,768',
      'encoder.layers.encoder_layer_0.mlp.0 197,3072',
      'encoder.layers.encoder_layer_0.Add_1 197,768',
    ]);
    expect(names('convnext_tiny', 4)).toEqual([
      'features.0.0 96,56,56',
      'features.1.0.block.0 96,56,56',
      'features.1.0.block.3 56,56,384',
      'features.1.0 96,56,56',
    ]);
  });

  it('takes windowed attention after the windows are put back', () => {
    expect(names('swin_t', 3).slice(1)).toEqual([
      'features.1.0.attn 56,56,96',
      'features.1.0.Add 56,56,96',
    ]);
  });

  it('leaves out gates: MobileNetV3 has no squeeze-excite convolution among its layers', () => {
    const { nodes } = architecture('mobilenet_v3_large');
    const gates = nodes.filter(({ name }) => /fc[12]\/Conv/.test(name));
    expect(gates).toHaveLength(16);
    const listed = listLayers(architecture('mobilenet_v3_large')).map((layer) => layer.name);
    expect(listed.filter((name) => /fc[12]/.test(name))).toEqual([]);
    expect(listed).toContain('features.4.block.1.0');
  });

  it('counts class, distillation and register tokens', () => {
    const prefixes = (name: string) =>
      new Set(
        listLayers(architecture(name))
          .filter(({ axes }) => axes === 'token-channel')
          .map(({ prefixTokens }) => prefixTokens),
      );
    expect(prefixes('vit_b_16')).toEqual(new Set([1]));
    expect(prefixes('deit_distilled')).toEqual(new Set([2]));
    expect(prefixes('timm_vit_registers')).toEqual(new Set([5]));
  });

  it('lists the same layers for the unfolded export of 2,292 nodes as for its folded twin', ({
    skip,
  }) => {
    const path = sharedPath('data', 'models');
    if (path === null) return skip(sharedSkipReason);
    const layers = (file: string) => listLayers(readModel(readFileSync(`${path}/${file}`), file));
    const folded = layers('mobilenet_v1_0.25_128.onnx');
    expect(layers('mobilenet_v1_0.25_128_unfolded.onnx')).toEqual(folded);
    expect(folded).toHaveLength(27);
    expect(layers('mobilenet_v2_1.0_224.onnx')).toHaveLength(52);
  });
});

/** A model of one chain behind a convolution `c` of the image, with weights `w` (4×3×1×1), `v` (4×4×1×1), `m` (4×4). */
const chain = (
  nodes: readonly OnnxNode[],
  output: string,
  size: readonly (number | string)[] = ['n', 3, 8, 8],
) =>
  readModel(
    encodeModel({
      name: 'chain',
      opset: 13,
      inputs: [{ name: 'x', type: 'float32', shape: size }],
      outputs: [{ name: output, type: 'float32', shape: null }],
      initialisers: [
        { name: 'w', array: patterned([4, 3, 1, 1]) },
        { name: 'v', array: patterned([4, 4, 1, 1]) },
        { name: 'm', array: patterned([4, 4]) },
        { name: 'zero', array: { data: Float32Array.of(0), shape: [] } },
        { name: 'minus', array: { data: Float32Array.of(-1), shape: [] } },
        { name: 'six', array: { data: Float32Array.of(6), shape: [] } },
      ],
      nodes: [{ op: 'Conv', name: 'stem', inputs: ['x', 'w'], outputs: ['c'] }, ...nodes],
    }),
    'chain.onnx',
  );

const tensors = (structure: ReturnType<typeof chain>) =>
  listLayers(structure).map(({ tensor }) => tensor);

describe('the rule', () => {
  const head: readonly OnnxNode[] = [
    { op: 'GlobalAveragePool', inputs: ['last'], outputs: ['pooled'] },
    { op: 'Flatten', inputs: ['pooled'], outputs: ['flat'] },
    { op: 'MatMul', inputs: ['flat', 'm'], outputs: ['logits'] },
    { op: 'Softmax', inputs: ['logits'], outputs: ['y'] },
  ];

  it('takes a Clip from 0 for a nonlinearity, and one from −1 for none', () => {
    const clipped = (low: string) =>
      chain(
        [
          { op: 'Clip', inputs: ['c', low, 'six'], outputs: ['a'] },
          {
            op: 'Pad',
            inputs: ['a'],
            outputs: ['last'],
            attributes: { pads: { ints: [0, 0, 0, 0] } },
          },
          ...head,
        ],
        'y',
      );
    expect(tensors(clipped('zero'))).toEqual(['a']);
    expect(tensors(clipped('minus'))).toEqual(['a']);
    const residual = (low: string) =>
      chain(
        [
          { op: 'Conv', inputs: ['c', 'v'], outputs: ['d'] },
          { op: 'Clip', inputs: ['d', low, 'six'], outputs: ['branch'] },
          { op: 'Add', inputs: ['c', 'branch'], outputs: ['last'] },
          ...head,
        ],
        'y',
      );
    expect(tensors(residual('zero'))).toEqual(['c', 'branch', 'last']);
    expect(tensors(residual('minus'))).toEqual(['c', 'last']);
  });

  it('follows activations that are exported as several operations to their end', () => {
    const silu = chain(
      [
        { op: 'Sigmoid', inputs: ['c'], outputs: ['s'] },
        { op: 'Mul', inputs: ['c', 's'], outputs: ['last'] },
        ...head,
      ],
      'y',
    );
    expect(tensors(silu)).toEqual(['last']);
    const hardSwish = chain(
      [
        { op: 'Add', inputs: ['c', 'six'], outputs: ['moved'] },
        { op: 'Clip', inputs: ['moved', 'zero', 'six'], outputs: ['clipped'] },
        { op: 'Mul', inputs: ['c', 'clipped'], outputs: ['scaled'] },
        { op: 'Div', inputs: ['scaled', 'six'], outputs: ['last'] },
        ...head,
      ],
      'y',
    );
    expect(tensors(hardSwish)).toEqual(['last']);
  });

  it('crosses a change of layout to the nonlinearity behind it, as TensorFlow exports have it', () => {
    const structure = chain(
      [
        {
          op: 'Transpose',
          inputs: ['c'],
          outputs: ['turned'],
          attributes: { perm: { ints: [0, 2, 3, 1] } },
        },
        { op: 'Add', inputs: ['turned', 'six'], outputs: ['biased'] },
        { op: 'Relu', inputs: ['biased'], outputs: ['active'] },
        {
          op: 'Transpose',
          inputs: ['active'],
          outputs: ['last'],
          attributes: { perm: { ints: [0, 3, 1, 2] } },
        },
        ...head,
      ],
      'y',
    );
    expect(listLayers(structure)).toEqual([
      {
        name: 'stem',
        tensor: 'active',
        operation: 'Conv',
        shape: [8, 8, 4],
        rearranged: null,
        axes: 'row-column-channel',
        prefixTokens: 0,
      },
    ]);
  });

  const sliced = (input: string, output: string, from: string, to: string): OnnxNode => ({
    op: 'Slice',
    inputs: [input, from, to, 'axis'],
    outputs: [output],
  });
  const bounds = [0n, 2n, 4n].map((at) => ({
    name: `at${at}`,
    array: { data: BigInt64Array.of(at), shape: [1] },
  }));

  it("takes VOneNet's block for a layer, and its simple and complex cells for none", () => {
    const joined = (last: OnnxNode) =>
      readModel(
        encodeModel({
          name: 'vone',
          opset: 13,
          inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 8, 8] }],
          outputs: [{ name: 'y', type: 'float32', shape: null }],
          initialisers: [
            { name: 'w', array: patterned([4, 3, 1, 1]) },
            { name: 'u', array: patterned([4, 3, 1, 1]) },
            { name: 'v', array: patterned([4, 4, 1, 1]) },
            { name: 'two', array: { data: Float32Array.of(2), shape: [] } },
            { name: 'axis', array: { data: BigInt64Array.of(1n), shape: [1] } },
            ...bounds,
          ],
          nodes: [
            { op: 'Conv', name: 'q0', inputs: ['x', 'w'], outputs: ['q0'] },
            { op: 'Conv', name: 'q1', inputs: ['x', 'u'], outputs: ['q1'] },
            sliced('q0', 'complex0', 'at2', 'at4'),
            { op: 'Pow', inputs: ['complex0', 'two'], outputs: ['squared0'] },
            sliced('q1', 'complex1', 'at2', 'at4'),
            { op: 'Pow', inputs: ['complex1', 'two'], outputs: ['squared1'] },
            { op: 'Add', inputs: ['squared0', 'squared1'], outputs: ['energy'] },
            { op: 'Sqrt', inputs: ['energy'], outputs: ['root'] },
            { op: 'Div', inputs: ['root', 'two'], outputs: ['complex'] },
            sliced('q0', 'simple0', 'at0', 'at2'),
            { op: 'Relu', inputs: ['simple0'], outputs: ['simple'] },
            {
              op: 'Concat',
              name: '/vone_block/Concat',
              inputs: ['simple', 'complex'],
              outputs: ['cells'],
              attributes: { axis: { int: 1 } },
            },
            last,
            { op: 'Conv', name: 'bottleneck', inputs: ['block', 'v'], outputs: ['d'] },
            { op: 'Relu', inputs: ['d'], outputs: ['y'] },
          ],
        }),
        'vone.onnx',
      );
    const named = (last: OnnxNode) =>
      listLayers(joined(last)).map(({ name, tensor }) => [name, tensor]);
    expect(named({ op: 'Relu', inputs: ['cells'], outputs: ['block'] })).toEqual([
      ['vone_block', 'block'],
      ['bottleneck', 'y'],
    ]);
    const scaled: OnnxNode = { op: 'Mul', inputs: ['cells', 'two'], outputs: ['block'] };
    expect(named(scaled)[0]).toEqual(['vone_block', 'block']);
  });

  it('takes a layer that is joined with its own negative after the joining, and branches as they are', () => {
    const negative = chain(
      [
        { op: 'Neg', inputs: ['c'], outputs: ['n'] },
        {
          op: 'Concat',
          inputs: ['c', 'n'],
          outputs: ['both'],
          attributes: { axis: { int: 1 } },
        },
        { op: 'Relu', inputs: ['both'], outputs: ['y'] },
      ],
      'y',
    );
    expect(tensors(negative)).toEqual(['y']);
    const branches = chain(
      [
        { op: 'Conv', inputs: ['x', 'w'], outputs: ['other'] },
        { op: 'Relu', inputs: ['c'], outputs: ['a'] },
        { op: 'Relu', inputs: ['other'], outputs: ['b'] },
        { op: 'Concat', inputs: ['a', 'b'], outputs: ['y'], attributes: { axis: { int: 1 } } },
      ],
      'y',
    );
    expect(tensors(branches)).toEqual(['a', 'b']);
  });

  /** A product as onnxruntime's dynamic quantisation leaves it, its result times both scales. */
  const dynamicProduct = (input: string, output: string): readonly OnnxNode[] => [
    {
      op: 'DynamicQuantizeLinear',
      inputs: [input],
      outputs: [`${output}.q`, `${output}.scale`, `${output}.zero`],
    },
    {
      op: 'MatMulInteger',
      inputs: [`${output}.q`, 'bytes', `${output}.zero`],
      outputs: [`${output}.int`],
    },
    {
      op: 'Cast',
      inputs: [`${output}.int`],
      outputs: [`${output}.float`],
      attributes: { to: { int: 1 } },
    },
    { op: 'Mul', inputs: [`${output}.scale`, 'six'], outputs: [`${output}.both`] },
    { op: 'Mul', inputs: [`${output}.float`, `${output}.both`], outputs: [`${output}.scaled`] },
    { op: 'Add', inputs: [`${output}.scaled`, 'six'], outputs: [output] },
  ];

  it('takes logits for no layer where products are quantised as they run', () => {
    const structure = readModel(
      encodeModel({
        name: 'dynamic',
        opset: 13,
        inputs: [{ name: 'x', type: 'float32', shape: ['n', 3, 8, 8] }],
        outputs: [{ name: 'logits', type: 'float32', shape: null }],
        initialisers: [
          { name: 'w', array: patterned([4, 3, 1, 1]) },
          { name: 'bytes', array: { data: new Uint8Array(16), shape: [4, 4] } },
          { name: 'six', array: { data: Float32Array.of(6), shape: [] } },
        ],
        nodes: [
          { op: 'Conv', name: 'stem', inputs: ['x', 'w'], outputs: ['c'] },
          { op: 'GlobalAveragePool', inputs: ['c'], outputs: ['pooled'] },
          { op: 'Flatten', inputs: ['pooled'], outputs: ['flat'] },
          ...dynamicProduct('flat', 'hidden'),
          { op: 'Relu', inputs: ['hidden'], outputs: ['active'] },
          ...dynamicProduct('active', 'logits'),
        ],
      }),
      'dynamic.onnx',
    );
    expect(tensors(structure)).toEqual(['c', 'active']);
  });

  it('ends in real numbers where tensors are quantised on the way', () => {
    const structure = chain(
      [
        { op: 'Relu', inputs: ['c'], outputs: ['active'] },
        { op: 'QuantizeLinear', inputs: ['active', 'six'], outputs: ['bytes'] },
        { op: 'DequantizeLinear', inputs: ['bytes', 'six'], outputs: ['one'] },
        { op: 'DequantizeLinear', inputs: ['bytes', 'six'], outputs: ['two'] },
        {
          op: 'Concat',
          inputs: ['one', 'two'],
          outputs: ['both'],
          attributes: { axis: { int: 1 } },
        },
      ],
      'both',
    );
    expect(tensors(structure)).toEqual(['active']);
  });

  it('takes logits for no layer, also behind a final Sigmoid, but keeps the last ReLU of a trunk', () => {
    const last: OnnxNode = { op: 'Relu', inputs: ['c'], outputs: ['last'] };
    expect(tensors(chain([last, ...head], 'y'))).toEqual(['last']);
    const sigmoid: OnnxNode = { op: 'Sigmoid', inputs: ['logits'], outputs: ['y'] };
    expect(tensors(chain([last, ...head.slice(0, 3), sigmoid], 'y'))).toEqual(['last']);
    expect(tensors(chain([last], 'last'))).toEqual(['last']);
  });

  it('does not look at what depends on another input', () => {
    const structure = readModel(
      encodeModel({
        name: 'two towers',
        opset: 13,
        inputs: [
          { name: 'pixels', type: 'float32', shape: [1, 3, 4, 4] },
          { name: 'words', type: 'float32', shape: [1, 4, 4, 4] },
        ],
        outputs: [{ name: 'joined', type: 'float32', shape: null }],
        initialisers: [
          { name: 'w', array: patterned([4, 3, 1, 1]) },
          { name: 'v', array: patterned([4, 4, 1, 1]) },
        ],
        nodes: [
          { op: 'Conv', name: 'image', inputs: ['pixels', 'w'], outputs: ['c'] },
          { op: 'Relu', inputs: ['c'], outputs: ['seen'] },
          { op: 'Conv', name: 'text', inputs: ['words', 'v'], outputs: ['d'] },
          { op: 'Relu', inputs: ['d'], outputs: ['read'] },
          { op: 'Mul', inputs: ['seen', 'read'], outputs: ['joined'] },
        ],
      }),
      'towers.onnx',
    );
    expect(tensors(structure)).toEqual(['seen']);
  });

  it('leaves sizes open that only a run can tell, and works them out where the size is given', () => {
    const structure = chain([{ op: 'Relu', inputs: ['c'], outputs: ['last'] }, ...head], 'y', [
      'n',
      3,
      'h',
      'w',
    ]);
    expect(listLayers(structure)[0]).toMatchObject({
      shape: [4, null, null],
      axes: 'channel-row-column',
    });
    expect(listLayers(structure, { height: 20, width: 30 })[0]!.shape).toEqual([4, 20, 30]);
  });
});

describe('everyTensor', () => {
  it('gives all image-dependent tensors with a row per image, layers under their names', () => {
    const structure = architecture('resnet18');
    const all = everyTensor(structure);
    expect(all.map(({ name }) => name).slice(0, 6)).toEqual([
      'conv1.Conv',
      'conv1',
      'maxpool.MaxPool',
      'layer1.0.conv1.Conv',
      'layer1.0.conv1',
      'layer1.0.conv2.Conv',
    ]);
    expect(all).toHaveLength(49);
    expect(all.at(-1)).toMatchObject({ name: 'fc.Gemm', shape: [1000], axes: 'channel' });
  });

  it('drops tensors that compute shapes or mix images with tokens', () => {
    const names = everyTensor(architecture('vit_tiny')).map(({ name }) => name);
    const { nodes } = architecture('vit_tiny');
    expect(nodes.length).toBeGreaterThan(1600);
    expect(names.length).toBe(376);
    expect(names.filter((name) => /Shape|Gather_1|Unsqueeze/.test(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('selectLayers', () => {
  const layers = listLayers(architecture('resnet18'));
  const chosen = (...patterns: string[]) =>
    selectLayers(layers, patterns, 'resnet18.onnx').map(({ name }) => name);

  it('matches * across dots, ? once, in the order of the layers', () => {
    expect(chosen('layer4.*', 'conv?')).toEqual(
      ['conv1', 'layer4.0.conv1', 'layer4.0', 'layer4.1.conv1', 'layer4.1'].filter(
        (name) => name !== '',
      ),
    );
    expect(chosen('layer?.0')).toEqual(['layer1.0', 'layer2.0', 'layer3.0', 'layer4.0']);
    expect(chosen('*')).toHaveLength(17);
    expect(matchesAny('a/b.c', ['a*c'])).toBe(true);
    expect(matchesAny('abc', ['a.c', '[ab]*'])).toBe(false);
  });

  it('names what comes near a pattern that matches nothing, or the first layers', () => {
    expect(() => chosen('layer1.0.conv9')).toThrow(
      'layers: layer1.0.conv9: expected a pattern that matches layers of resnet18.onnx, got none among its 17; did you mean layer1.0.conv1',
    );
    expect(() => chosen('conv1', 'inception*')).toThrow(
      /layers: inception\*: .* its layers begin with conv1, layer1\.0\.conv1, layer1\.0;/,
    );
  });
});

describe('the place of a tensor', () => {
  const layers = ['a', 'b', 'c'].map((tensor) => ({ tensor }));
  const indices = (...names: string[]) => placesAmong(names, layers).map(({ index }) => index);

  it('is that of its layer, of others between the layers around them', () => {
    expect(indices('a', 'b', 'c')).toEqual([0, 1, 2]);
    expect(indices('before', 'a', 'x', 'b', 'y', 'z', 'w', 'c', 'after')).toEqual([
      0, 0, 0.5, 1, 1.25, 1.5, 1.75, 2, 2,
    ]);
    expect(placesAmong(['x', 'y'], [])).toEqual([
      { index: 0, of: 2 },
      { index: 1, of: 2 },
    ]);
  });
});
