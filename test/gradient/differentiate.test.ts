import { afterAll, expect, test } from 'vitest';
import { differentiate } from '../../src/gradient/differentiate.ts';
import { lower } from '../../src/gradient/lower.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { withoutRepeats } from '../../src/graph/repeats.ts';
import { withoutDeadCode } from '../../src/graph/rewrite.ts';
import { createRandom } from '../../src/numeric/random.ts';
import type { NdArray } from '../../src/records/array.ts';
import { closeEngine, float32, graphOf, int64, runGraph } from './run.ts';

afterAll(closeEngine);

/** `op(inputs) → outputs`, names separated by spaces. */
const node = (
  op: string,
  inputs: string,
  outputs: string,
  more: Partial<OnnxNode> = {},
): OnnxNode => ({ op, inputs: inputs.split(' '), outputs: outputs.split(' '), ...more });

const total = (input: string, output: string): OnnxNode =>
  node('ReduceSum', input, output, { attributes: { keepdims: { int: 0 } } });

const drawn = (seed: string, ...shape: number[]): NdArray => {
  const random = createRandom(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
};

const numbers = ({ data }: NdArray): number[] => Array.from(data as Float32Array, Number);

const expectClose = (got: NdArray, expected: readonly number[], within = 1e-6): void => {
  const scale = Math.max(...expected.map(Math.abs));
  numbers(got).forEach((value, at) => {
    expect(Math.abs(value - expected[at]!) / scale).toBeLessThan(within);
  });
  expect(got.data.length).toBe(expected.length);
};

/** A small perceptron with softmax: inputs x [4, 3], w [3, 5], v [5, 2]; numbers `a` and `b` of it. */
const inputs = { x: drawn('x', 4, 3), w: drawn('w', 3, 5), v: drawn('v', 5, 2) };
const nodes: readonly OnnxNode[] = [
  node('MatMul', 'x w', 'h'),
  node('Tanh', 'h', 't'),
  node('MatMul', 't v', 'logits'),
  node('Softmax', 'logits', 'p', { attributes: { axis: { int: -1 } } }),
  node('Mul', 'p p', 'squares'),
  total('squares', 'a'),
  node('Exp', 'h', 'e'),
  total('e', 'b'),
];
const perceptron = (more: readonly OnnxNode[] = []): OnnxGraph =>
  graphOf([...nodes, ...more], inputs);

test('the gradient of a sum is the sum of the gradients', async () => {
  const values = ['a', 'b', 'sum'].map((name) => ({ name, type: 'float32', shape: [] }) as const);
  const graph = { ...perceptron([node('Add', 'a b', 'sum')]), outputs: values };
  const all = ['a', 'b', 'sum'].reduce<OnnxGraph>(
    (current, of) => differentiate(current, of, ['x', 'w']),
    graph,
  );
  const results = await runGraph(all, inputs);
  for (const tensor of ['x', 'w']) {
    const [a, b] = ['a', 'b'].map((of) => numbers(results[`d(${of})/d(${tensor})`]!));
    expectClose(
      results[`d(sum)/d(${tensor})`]!,
      a!.map((value, at) => value + b![at]!),
    );
  }
});

test('a constant sub-graph has no gradient and costs no operation', () => {
  const constant = [
    node('Exp', 'c', 'ec'),
    node('Sigmoid', 'ec', 'sc'),
    node('Mul', 'e sc', 'both'),
    total('both', 'sum'),
  ];
  const withConstant: OnnxGraph = graphOf([...nodes, ...constant], inputs, { c: drawn('c', 5) });
  const graph = differentiate(withConstant, 'sum', ['x']);
  // d(sum)/dh = e · sc, and one product with w: nothing of the slope of Sigmoid or Exp(c).
  const ops = graph.nodes.map(({ op }) => op).toSorted();
  expect(ops).toEqual(['Exp', 'Exp', 'Gemm', 'MatMul', 'Mul', 'Sigmoid']);
  expect(() => differentiate(withConstant, 'sum', ['v'])).toThrowError(
    'd(sum)/d(v): expected an output that depends on v, got sum, which does not',
  );
});

test('plain and optimised graphs agree', async () => {
  // The same layers twice, and one that nobody needs.
  const twice = perceptron([
    node('MatMul', 'x w', 'h2'),
    node('Tanh', 'h2', 't2'),
    node('Sub', 'e t2', 'difference'),
    node('Erf', 'difference', 'unused'),
    node('Mul', 'difference difference', 'square'),
    total('square', 'loss'),
  ]);
  const second = (graph: OnnxGraph): OnnxGraph =>
    differentiate(differentiate(graph, 'loss', ['x']), 'd(loss)/d(x)', ['x', 'w'], {
      cotangent: 'direction',
      names: ['hx', 'hw'],
    });
  const plain = second(twice);
  const cleaned = withoutRepeats(plain);
  const loss = { ...twice, outputs: [{ name: 'loss', type: 'float32', shape: [] } as const] };
  const reduced = second(withoutDeadCode(withoutRepeats(loss)));
  expect(reduced.nodes.length).toBeLessThan(plain.nodes.length);
  const feeds = { ...inputs, direction: drawn('direction', 4, 3) };
  const [expected, got, clean] = await Promise.all(
    [plain, reduced, cleaned].map((graph) => runGraph(graph, feeds)),
  );
  for (const name of ['hx', 'hw', 'd(loss)/d(x)']) {
    expectClose(got![name]!, numbers(expected![name]!));
    expectClose(clean![name]!, numbers(expected![name]!));
  }
});

test('cotangents of slices are joined', async () => {
  const x = drawn('slices', 3, 4, 2);
  const gather = (index: string, output: string): OnnxNode =>
    node('Gather', `x ${index}`, output, { attributes: { axis: { int: 0 } } });
  const slice = (from: string, to: string, output: string): OnnxNode =>
    node('Slice', `x ${from} ${to} one`, output);
  const constants = {
    first: int64([0], []),
    second: int64([1], []),
    third: int64([2], []),
    zero: int64([0]),
    one: int64([1]),
    four: int64([4]),
  };
  const graph = graphOf(
    [
      gather('first', 'q'),
      gather('second', 'k'),
      gather('third', 'v'),
      node('Mul', 'q k', 'qk'),
      node('Sub', 'qk v', 'attended'),
      node('Add', 'attended q', 'more'),
      // A cyclic shift, and a slice that is read twice.
      slice('one', 'four', 'tail'),
      slice('zero', 'one', 'head'),
      node('Concat', 'tail head', 'shifted', { attributes: { axis: { int: 1 } } }),
      node('Exp', 'shifted', 'e'),
      node('Mul', 'e more', 'product'),
      node('Tanh', 'head', 'squashed'),
      total('product', 'a'),
      total('squashed', 'b'),
      node('Add', 'a b', 'sum'),
    ],
    { x },
    constants,
  );
  const first = differentiate(graph, 'sum', ['x'], { names: ['gradient'] });
  expect(first.nodes.filter(({ op }) => op === 'Pad')).toEqual([]);
  const { gradient } = await runGraph(first, { x });
  const at = (values: readonly number[], i: number, j: number, k: number): number =>
    values[(i * 4 + j) * 2 + k]!;
  const own = numbers(x);
  const places = Array.from({ length: 24 }, (_, at) => [at >> 3, (at >> 1) & 3, at & 1] as const);
  const more = places.slice(0, 8).map(([, j, k]) => {
    const [q, key, v] = [0, 1, 2].map((i) => at(own, i, j, k));
    return q! * key! - v! + q!;
  });
  const expected = places.map(([i, j, k]) => {
    // d sum/d more at (j, k), and what the shift put there.
    const e = [0, 1, 2].reduce((sum, each) => sum + Math.exp(at(own, each, (j + 1) % 4, k)), 0);
    const [q, key] = [at(own, 0, j, k), at(own, 1, j, k)];
    const attention = [key + 1, q, -1][i]! * e;
    const shift = Math.exp(at(own, i, j, k)) * more[((j + 3) % 4) * 2 + k]!;
    const squash = j === 0 ? 1 - Math.tanh(at(own, i, j, k)) ** 2 : 0;
    return attention + shift + squash;
  });
  expectClose(gradient!, expected, 1e-5);
});

test('derivatives of any order follow', async () => {
  const x = float32([-1.2, -0.3, 0.4, 1.5], [4]);
  let graph = graphOf([node('Tanh', 'x', 'y'), total('y', 'sum')], { x });
  let of = 'sum';
  for (const order of [1, 2, 3, 4]) {
    graph = differentiate(graph, of, ['x'], { names: [`order${order}`] });
    graph = { ...graph, nodes: [...graph.nodes, total(`order${order}`, `sum${order}`)] };
    of = `sum${order}`;
  }
  const results = await runGraph(graph, { x });
  const t = numbers(x).map(Math.tanh);
  // Derivatives of tanh in t = tanh x, each (1 − t²) times the derivative of the one before.
  expectClose(
    results.order3!,
    t.map((y) => (1 - y * y) * (6 * y * y - 2)),
    1e-5,
  );
  expectClose(
    results.order4!,
    t.map((y) => (1 - y * y) * (16 * y - 24 * y ** 3)),
    1e-5,
  );
});

test('a cotangent weighs the elements; gradients of inner tensors and initialisers', async () => {
  const constants = { w: inputs.w };
  const feeds = { x: inputs.x, ct: drawn('ct', 4, 5) };
  const plain = [node('MatMul', 'x w', 'h'), node('Tanh', 'h', 't')];
  const weighted = [...plain, node('Mul', 't ct', 'product'), total('product', 'sum')];
  const product = differentiate(graphOf(plain, { x: inputs.x }, constants), 't', ['x', 'h', 'w'], {
    cotangent: 'ct',
    names: ['dx', 'dh', 'dw'],
  });
  expect(product.inputs.map(({ name }) => name)).toEqual(['x', 'ct']);
  const sum = differentiate(graphOf(weighted, feeds, constants), 'sum', ['x', 'h', 'w'], {
    names: ['dx', 'dh', 'dw'],
  });
  const [got, expected] = await Promise.all([runGraph(product, feeds), runGraph(sum, feeds)]);
  for (const name of ['dx', 'dh', 'dw']) expectClose(got[name]!, numbers(expected[name]!));
});

test('float64 graphs have float64 gradients', async () => {
  const x: NdArray = { data: Float64Array.of(0.3, -0.7), shape: [2] };
  const graph = graphOf(
    [node('Tanh', 'x', 't'), node('Pow', 't three', 'c'), total('c', 'sum')],
    { x },
    { three: float32([3], []) },
  );
  const { gradient } = await runGraph(differentiate(graph, 'sum', ['x'], { names: ['gradient'] }), {
    x,
  });
  expect(gradient!.data).toBeInstanceOf(Float64Array);
  expectClose(
    gradient!,
    [0.3, -0.7].map((value) => 3 * Math.tanh(value) ** 2 * (1 - Math.tanh(value) ** 2)),
    1e-14,
  );
});

test('a cotangent takes the type of what it flows to', async () => {
  const graph = graphOf(
    [
      node('Cast', 'x', 'wide', { attributes: { to: { int: 11 } } }),
      node('Mul', 'wide wide', 'square'),
      node('CastLike', 'square x', 'narrow'),
      total('narrow', 'sum'),
    ],
    { x: inputs.x },
  );
  const names = { names: ['gradient'] };
  const { gradient } = await runGraph(differentiate(graph, 'sum', ['x'], names), inputs);
  expect(gradient!.data).toBeInstanceOf(Float32Array);
  expectClose(
    gradient!,
    numbers(inputs.x).map((value) => 2 * value),
  );
  const inner = differentiate(graph, 'sum', ['wide'], names);
  expect((await runGraph(inner, inputs)).gradient!.data).toBeInstanceOf(Float64Array);
});

test('an operation with no rule is named, with its layer, before anything runs', () => {
  const graph = graphOf(
    [
      node('Hardmax', 'x', 'y', { name: '/blocks/blocks.2/gate/Hardmax' }),
      node('Mul', 'x y', 'z'),
      total('z', 'sum'),
    ],
    { x: inputs.x },
  );
  expect(() => differentiate(graph, 'sum', ['x'])).toThrowError(
    'node /blocks/blocks.2/gate/Hardmax (Hardmax, layer blocks.2.gate): expected an operation that can be ' +
      'differentiated, got Hardmax in layer blocks.2.gate, which has no rule',
  );
});

test('the layer of an operation with no rule is known from metadata, too', () => {
  const scopes = "['', 'blocks', 'blocks.2', 'blocks.2.gate', 'hardmax']";
  const graph = graphOf(
    [
      node('Hardmax', 'x', 'y', {
        name: 'node_hardmax_3',
        metadata: { 'pkg.torch.onnx.name_scopes': scopes },
      }),
      total('y', 'sum'),
    ],
    { x: inputs.x },
  );
  expect(() => differentiate(graph, 'sum', ['x'])).toThrowError(
    'node node_hardmax_3 (Hardmax, layer blocks.2.gate)',
  );
});

test('an operation with no rule is no matter where no gradient comes along', async () => {
  const graph = graphOf(
    [
      node('Hardmax', 'x', 'top'),
      node('ArgMax', 'top', 'place'),
      node('Cast', 'place', 'weight', { attributes: { to: { int: 1 } } }),
      node('Hardmax', 'weights', 'fixed'),
      node('Mul', 'x weight', 'y'),
      node('Mul', 'y fixed', 'z'),
      total('z', 'sum'),
    ],
    { x: float32([1, 5, 2], [1, 3]) },
    { weights: float32([4, 3, 1], [3]) },
  );
  const { gradient } = await runGraph(differentiate(graph, 'sum', ['x'], { names: ['gradient'] }), {
    x: float32([2, 5, 7], [1, 3]),
  });
  expect(numbers(gradient!)).toEqual([0, 0, 0]);
});

test('quantised networks, jumps and missing paths are told apart', () => {
  const quantised = graphOf(
    [
      node('QuantizeLinear', 'x scale zero', 'q', { name: 'conv1_quant' }),
      node('DequantizeLinear', 'q scale zero', 'y'),
      total('y', 'sum'),
    ],
    { x: inputs.x },
    { scale: float32([0.1], []), zero: { data: Uint8Array.of(128), shape: [] } },
  );
  expect(() => differentiate(quantised, 'sum', ['x'])).toThrowError(
    'd(sum)/d(x): expected a network that computes with real numbers, got an integer-only (quantised) one: node ' +
      'conv1_quant (QuantizeLinear)',
  );
  const rounded = graphOf([node('Round', 'x', 'y'), total('y', 'sum')], { x: inputs.x });
  expect(() => differentiate(rounded, 'sum', ['x'])).toThrowError(
    'got only operations that are constant but for jumps',
  );
  const half = graphOf(
    [
      node('Cast', 'x', 'short', { attributes: { to: { int: 10 } }, name: 'to_half' }),
      node('Cast', 'short', 'y', { attributes: { to: { int: 1 } } }),
      total('y', 'sum'),
    ],
    { x: inputs.x },
  );
  expect(() => differentiate(half, 'sum', ['x'])).toThrowError('got half precision: node to_half');
});

test('where nothing flows the gradient may be asked for as zeros', async () => {
  const graph = graphOf([node('Round', 'x', 'y'), total('y', 'sum')], { x: inputs.x });
  const zeros = differentiate(graph, 'sum', ['x'], { independent: 'zeros', names: ['none'] });
  const { none } = await runGraph(zeros, { x: inputs.x });
  expect(none).toEqual(float32(new Float32Array(12), [4, 3]));
});

test.each([
  ['a tensor that is not there', 'a', ['y'], {}, 'tensor y: expected a tensor of the graph'],
  ['an integer tensor', 'a', ['axes'], {}, 'tensor axes: expected a tensor of float32 or float64'],
  ['more than one number', 'h', ['x'], {}, 'tensor h: expected a single number to differentiate'],
  ['another cotangent', 'h', ['x'], { cotangent: 'w' }, 'tensor w: expected a cotangent of h'],
  ['a name that is taken', 'a', ['x'], { names: ['h'] }, 'got h, which is there'],
  ['a name too few', 'a', ['x', 'w'], { names: ['dx'] }, 'expected 2 new names'],
])('%s is refused', (_, of, tensors, options, message) => {
  const graph = graphOf(nodes, { ...inputs, axes: int64([1]) });
  expect(() => differentiate(graph, of, tensors, options)).toThrowError(message);
});

test('graphs of another opset are refused', () => {
  expect(() => differentiate({ ...perceptron(), opset: 13 }, 'a', ['x'])).toThrowError(
    'graph test: expected operations of opset 18 to 21, got opset 13',
  );
});

test('a subgraph that reads a tensor on the way is no way around it', () => {
  const branch = (name: string) => ({
    name,
    inputs: [],
    outputs: [{ name: `${name}/y`, type: 'float32', shape: [4, 3] } as const],
    initialisers: [],
    nodes: [node('Neg', 'x', `${name}/y`)],
  });
  const graph = graphOf(
    [
      node('If', 'condition', 'y', {
        name: 'choice',
        attributes: {
          then_branch: { graph: branch('then') },
          else_branch: { graph: branch('else') },
        },
      }),
      total('y', 'sum'),
    ],
    { x: inputs.x },
    { condition: int64([1], []) },
    [{ name: 'y', type: 'float32', shape: [4, 3] }],
  );
  expect(() => differentiate(graph, 'sum', ['x'])).toThrowError('node choice (If)');
});

test('operations of our own are written out', async () => {
  const x = drawn('layer', 3, 6);
  const feeds = { x, scale: drawn('scale', 6), shift: drawn('shift', 6) };
  const graph = graphOf(
    [
      node('LayerNormalization', 'x scale shift', 'y'),
      node('Mul', 'y y', 'square'),
      total('square', 'sum'),
    ],
    feeds,
  );
  const gradient = differentiate(graph, 'sum', ['x']);
  expect(gradient.nodes.some(({ domain }) => domain === 'ventral')).toBe(true);
  expect(lower(gradient).nodes.some(({ domain }) => domain === 'ventral')).toBe(false);
});
