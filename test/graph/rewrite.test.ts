import { describe, expect, it } from 'vitest';
import { withoutAliases } from '../../src/graph/aliases.ts';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import { foldConstants } from '../../src/graph/fold-constants.ts';
import type { OnnxGraph, OnnxNode } from '../../src/graph/graph.ts';
import { renamed } from '../../src/graph/names.ts';
import { withoutRepeats } from '../../src/graph/repeats.ts';
import {
  append,
  cut,
  fixInputs,
  initialisersToInputs,
  inputsToInitialisers,
  sorted,
  withoutDeadCode,
} from '../../src/graph/rewrite.ts';
import { patterned, runOnnx } from '../onnx.ts';
import { smallGraph, smallModel } from './small-model.ts';

const node = (op: string, inputs: string[], outputs: string[], rest = {}): OnnxNode => ({
  op,
  inputs,
  outputs,
  ...rest,
});

const graphOf = (nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxGraph => ({
  name: 'test',
  opset: 18,
  inputs: [{ name: 'x', type: 'float32', shape: [2, 3] }],
  outputs: outputs.map((name) => ({ name, type: 'float32', shape: null })),
  initialisers: [
    { name: 'w', array: patterned([2, 3]) },
    { name: 'axes', array: { data: BigInt64Array.of(1n), shape: [1] } },
    { name: 'same', array: { data: BigInt64Array.of(1n), shape: [1] } },
  ],
  nodes,
});

const x = patterned([2, 3]);
const run = (graph: OnnxGraph, feeds = { x }) => runOnnx(encodeModel(graph), feeds);
const ops = ({ nodes }: OnnxGraph): string[] => nodes.map(({ op }) => op);

describe('sorted', () => {
  const nodes = [
    node('Abs', ['b'], ['y']),
    node('Neg', ['x'], ['a']),
    node('Add', ['a', 'w'], ['b']),
  ];

  it('puts every node behind what it needs and leaves the others where they are', () => {
    expect(ops(sorted(graphOf(nodes, ['y'])))).toEqual(['Neg', 'Add', 'Abs']);
    const ordered = graphOf([nodes[1]!, nodes[2]!, nodes[0]!], ['y']);
    expect(sorted(ordered).nodes).toEqual(ordered.nodes);
  });

  it('follows what subgraphs read', () => {
    const body = {
      ...graphOf([node('Neg', ['late'], ['z'])], ['z']),
      inputs: [],
      initialisers: [],
    };
    const branch = node('If', ['w'], ['y'], { attributes: { then_branch: { graph: body } } });
    const late = node('Abs', ['x'], ['late']);
    expect(ops(sorted(graphOf([branch, late], ['y'])))).toEqual(['Abs', 'If']);
  });

  it.each([
    ['a cycle', [node('Abs', ['b'], ['a']), node('Neg', ['a'], ['b'])], /tensor that needs itself/],
    ['a tensor from nowhere', [node('Abs', ['q'], ['y'])], /"q".*a tensor of no origin/],
    [
      'a tensor made twice',
      [node('Abs', ['x'], ['y']), node('Neg', ['x'], ['y'])],
      /two nodes make/,
    ],
    ['an output from nowhere', [node('Abs', ['x'], ['z'])], /"y".*an output of no origin/],
  ])('refuses %s', (_, given, message) => {
    expect(() => sorted(graphOf(given, ['y']))).toThrow(message);
  });

  it('takes a chain of 100,000 nodes without exhausting the stack', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => node('Neg', [`t${i + 1}`], [`t${i}`]));
    const graph = graphOf([...chain, node('Abs', ['x'], ['t100000'])], ['t0']);
    expect(sorted(graph).nodes[0]!.op).toBe('Abs');
  });
});

describe('withoutDeadCode, withoutRepeats', () => {
  it('drop what no output needs, but no input', () => {
    const nodes = [
      node('Neg', ['x'], ['a']),
      node('Abs', ['a'], ['dead']),
      node('Split', ['a', 'axes'], ['y', 'unused'], { attributes: { axis: { int: 0 } } }),
    ];
    const kept = withoutDeadCode(graphOf(nodes, ['y']));
    expect(ops(kept)).toEqual(['Neg', 'Split']);
    expect(kept.initialisers.map(({ name }) => name)).toEqual(['axes']);
    expect(withoutDeadCode(graphOf([node('Neg', ['w'], ['y'])], ['y'])).inputs).toHaveLength(1);
  });

  it('make equal nodes one, through equal constants and in chains, and keep public names', async () => {
    const keep = { attributes: { keepdims: { int: 1 } } };
    const nodes = [
      node('Neg', ['x'], ['a']),
      node('Neg', ['x'], ['b']),
      node('ReduceSum', ['a', 'axes'], ['c'], keep),
      node('ReduceSum', ['b', 'same'], ['d'], keep),
      node('ReduceSum', ['b', 'same'], ['e'], { attributes: { keepdims: { int: 0 } } }),
      node('Add', ['c', 'd'], ['f']),
      node('Abs', ['f'], ['y']),
      node('Abs', ['f'], ['z']),
    ];
    const graph = graphOf(nodes, ['y', 'z', 'e']);
    const once = withoutRepeats(graph);
    expect(ops(once)).toEqual(['Neg', 'ReduceSum', 'ReduceSum', 'Add', 'Abs', 'Abs']);
    expect(await run(once)).toEqual(await run(graph));
  });

  it('tell apart what is not equal: chance, zero and minus zero, weights that begin equal', () => {
    const random = { attributes: { shape: { ints: [2] } } };
    const chance = [
      node('RandomNormal', [], ['y'], random),
      node('RandomNormal', [], ['z'], random),
    ];
    expect(withoutRepeats(graphOf(chance, ['y', 'z'])).nodes).toHaveLength(2);
    const weights = {
      ...graphOf([node('Add', ['p', 'q'], ['y'])], ['y']),
      initialisers: ['p', 'q'].map((name) => ({ name, array: patterned([2]) })),
    };
    expect(withoutRepeats(weights)).toEqual(weights);
    const zero = (value: number) => ({
      attributes: { value: { tensor: { data: Float32Array.of(value), shape: [1] } } },
    });
    const filled = [
      node('ConstantOfShape', ['axes'], ['y'], zero(0)),
      node('ConstantOfShape', ['axes'], ['z'], zero(-0)),
      node('ConstantOfShape', ['axes'], ['q'], zero(0)),
      node('Add', ['q', 'z'], ['sum']),
    ];
    expect(withoutRepeats(graphOf(filled, ['y', 'z', 'sum'])).nodes).toHaveLength(3);
  });
});

describe('foldConstants', () => {
  it('computes shapes with the arithmetic of the types', async () => {
    const int = (value: bigint) => ({ data: BigInt64Array.of(value), shape: [1] });
    const graph: OnnxGraph = {
      ...graphOf(
        [
          node('Shape', ['x'], ['s']),
          node('Gather', ['s', 'axes'], ['columns']),
          node('Div', ['minus', 'columns'], ['towards zero']),
          node('Mod', ['minus', 'columns'], ['mod']),
          node('Cast', ['columns'], ['real'], { attributes: { to: { int: 1 } } }),
          node('Sqrt', ['real'], ['root']),
          node('Div', ['x', 'root'], ['scaled']),
          node('Concat', ['towards zero', 'mod', 'columns'], ['all'], {
            attributes: { axis: { int: 0 } },
          }),
          node('Cast', ['all'], ['numbers'], { attributes: { to: { int: 1 } } }),
          node('Add', ['scaled', 'numbers'], ['y']),
        ],
        ['y'],
      ),
      initialisers: [
        { name: 'axes', array: int(1n) },
        { name: 'minus', array: int(-7n) },
      ],
    };
    const folded = foldConstants(graph);
    expect(ops(folded)).toEqual(['Div', 'Add']);
    const root = folded.initialisers.find(({ name }) => name === 'root')!;
    expect(root.array.data).toEqual(Float32Array.of(Math.sqrt(3)));
    expect(await run(folded)).toEqual(await run(graph));
  });

  it('leaves a division by zero and free sizes to the run', () => {
    const zero = { data: BigInt64Array.of(0n), shape: [1] };
    const divided = graphOf(
      [node('Div', ['axes', 'zero'], ['a']), node('Neg', ['a'], ['y'])],
      ['y'],
    );
    const graph = {
      ...divided,
      initialisers: [...divided.initialisers, { name: 'zero', array: zero }],
    };
    expect(foldConstants(graph).nodes).toHaveLength(2);
    const free = graphOf([node('Shape', ['x'], ['s']), node('Neg', ['s'], ['y'])], ['y']);
    const open = { ...free, inputs: [{ ...free.inputs[0]!, shape: ['n', 3] }] };
    expect(foldConstants(open).nodes).toHaveLength(2);
    expect(foldConstants(fixInputs(open, { x: [4, 3] })).nodes).toHaveLength(1);
  });
});

describe('cut, append, renamed', () => {
  const decoded = fixInputs(decodeModel(smallModel, 'small.onnx'), { x: [2, 2, 4, 4] });
  const image = { x: patterned([2, 2, 4, 4]) };

  it('a network cut in two and joined again is the network', async () => {
    const front = cut(decoded, { to: ['p'] });
    const back = cut(decoded, { from: ['p'], to: ['y', 'mean'] });
    expect(front.nodes.length + back.nodes.length).toBe(decoded.nodes.length);
    expect(back.inputs).toEqual([{ name: 'p', type: 'float32', shape: [2, 2, 2, 2] }]);
    const joined = append(front, renamed(back, 'back.'), { 'back.p': 'p' });
    const { 'back.y': y, p, ...rest } = await runOnnx(encodeModel(joined), image);
    const whole = await runOnnx(encodeModel(decoded), image);
    expect({ y, mean: rest['back.mean'] }).toEqual(whole);
    expect(p!.shape).toEqual([2, 2, 2, 2]);
  });

  it('a cut keeps what other paths need, and refuses names that are not there', () => {
    const part = cut(decoded, { from: ['g'], to: ['chosen'] });
    // `chosen` still needs the convolution that came before `g`.
    expect(ops(part)).toEqual(['Conv', 'Where']);
    expect(part.inputs.map(({ name }) => name)).toEqual(['x', 'g']);
    expect(() => cut(decoded, { to: ['nowhere'] })).toThrow(/"nowhere".*a tensor of the graph/);
  });

  it('names stay apart', () => {
    expect(() => append(decoded, decoded, { x: 'c' })).toThrow(/both graphs have a tensor/);
    expect(() => append(decoded, renamed(decoded, 'b.'), { y: 'c' })).toThrow(/expected an input/);
    const one = renamed(smallGraph, { x: 'image', y: 'logits' });
    expect(one.inputs[0]!.name).toBe('image');
    expect(one.outputs[0]!.name).toBe('logits');
    expect(one.nodes.at(-1)!.inputs[0]).toBe('logits');
  });
});

describe('withoutAliases', () => {
  it('gives every weight its own name, through chains, and leaves outputs computed', async () => {
    const nodes = [
      node('Identity', ['w'], ['v']),
      node('Identity', ['v'], ['u']),
      node('Identity', ['w'], ['z']),
      node('Mul', ['x', 'v'], ['a']),
      node('Add', ['a', 'u'], ['y']),
    ];
    const graph = graphOf(nodes, ['y', 'z']);
    const own = withoutAliases(graph);
    expect(ops(own)).toEqual(['Identity', 'Mul', 'Add']);
    expect(own.initialisers.map(({ name }) => name)).toEqual(['w', 'axes', 'same', 'v', 'u']);
    expect(own.initialisers.at(-1)!.array).toBe(graph.initialisers[0]!.array);
    expect(await run(own)).toEqual(await run(graph));
  });
});

describe('inputs', () => {
  it('weights become inputs and inputs weights', async () => {
    const graph = graphOf([node('Add', ['x', 'w'], ['y'])], ['y']);
    const { graph: open, values } = initialisersToInputs(graph, ['w']);
    expect(open.inputs.at(-1)).toEqual({ name: 'w', type: 'float32', shape: [2, 3] });
    expect(await runOnnx(encodeModel(open), { x, ...values })).toEqual(await run(graph));
    expect(inputsToInitialisers(open, values).inputs).toEqual(graph.inputs);
    expect(await run(inputsToInitialisers(open, values))).toEqual(await run(graph));
    expect(() => initialisersToInputs(graph, ['x'])).toThrow(/"x": expected an initialiser/);
    expect(() => inputsToInitialisers(open, { w: patterned([3, 2]) })).toThrow(
      /input "w": expected float32 \[2, 3\], got float32 \[3, 2\]/,
    );
  });

  it('are fixed by name, with a size for each dimension', () => {
    const fixed = fixInputs(smallGraph, { x: [5, 2, 4, 4] });
    expect(fixed.inputs[0]!.shape).toEqual([5, 2, 4, 4]);
    expect(fixed.outputs[0]!.shape).toBeNull();
    expect(() => fixInputs(smallGraph, { image: [1] })).toThrow(/"image": expected an input/);
    expect(() => fixInputs(smallGraph, { x: [1, 2, 4] })).toThrow(/expected 4 sizes/);
  });
});
