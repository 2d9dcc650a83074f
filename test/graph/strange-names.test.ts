import { describe, expect, it } from 'vitest';
import { lower } from '../../src/gradient/lower.ts';
import { decodeModel } from '../../src/graph/decode.ts';
import { encodeModel } from '../../src/graph/encode.ts';
import { inferFacts } from '../../src/graph/facts.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { readModel } from '../../src/graph/read.ts';
import { spliceModel } from '../../src/graph/splice.ts';
import { listLayers } from '../../src/models/layers.ts';
import { convolutionalModel } from './small-networks.ts';

/** Names under which every object of JavaScript has something. */
const inherited = ['__proto__', 'constructor', 'toString', 'valueOf'];

const graph = decodeModel(convolutionalModel, 'x.onnx');

const withNode = (change: object): OnnxGraph => ({
  ...graph,
  nodes: graph.nodes.map((node, index) => (index === 0 ? { ...node, ...change } : node)),
});

describe.each(inherited)('%s', (name) => {
  it('is an attribute, a key of metadata and a domain like any other', () => {
    const changed = withNode({
      domain: name,
      attributes: Object.fromEntries([[name, { int: 3 }]]),
      metadata: Object.fromEntries([[name, 'stem']]),
    });
    const bytes = encodeModel({ ...changed, opsets: Object.fromEntries([[name, 2]]) });
    const [node] = decodeModel(bytes, 'x.onnx').nodes;
    expect(Object.entries(node!.attributes!)).toEqual([[name, { int: 3 }]]);
    expect(Object.entries(node!.metadata!)).toEqual([[name, 'stem']]);
    expect(Object.entries(readModel(bytes, 'x.onnx').opsets)).toContainEqual([name, 2]);
  });

  it('is imported as version 1 where no version is said', () => {
    const bytes = encodeModel(withNode({ domain: name }));
    expect(Object.entries(readModel(bytes, 'x.onnx').opsets)).toContainEqual([name, 1]);
  });

  it('gets its version where a node of it is appended', () => {
    const structure = readModel(convolutionalModel, 'x.onnx');
    const appended = { op: 'Own', domain: name, inputs: ['y'], outputs: ['z'] };
    const edit = { outputs: ['z'], nodes: [appended], inputShapes: {} };
    const bytes = spliceModel(convolutionalModel, structure, edit);
    expect(Object.entries(readModel(bytes, 'x.onnx').opsets)).toContainEqual([name, 1]);
  });

  it('is the image, or an input beside it', () => {
    const named = (input: string): OnnxGraph => ({
      ...graph,
      inputs: graph.inputs.map((each) => ({ ...each, name: input })),
      nodes: graph.nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map((each) => (each === 'x' ? input : each)),
      })),
    });
    const structureOf = (each: OnnxGraph) => readModel(encodeModel(each), 'x.onnx');
    const layers = (each: OnnxGraph) => listLayers(structureOf(each), { height: 4, width: 4 });
    const text = { name, type: 'int64', shape: [1, 7] } as const;
    expect(layers(named(name))).toEqual(layers(graph));
    expect(layers({ ...graph, inputs: [...graph.inputs, text] })).toEqual(layers(graph));
    const facts = inferFacts(structureOf({ ...graph, inputs: [...graph.inputs, text] }), {});
    expect(facts.get(name)!.shape).toEqual([1, 7]);
    const edit = { outputs: ['y'], inputShapes: { other: [1] } };
    const bytes = encodeModel(named(name));
    const [input] = readModel(spliceModel(bytes, readModel(bytes, 'x'), edit), 'x').inputs;
    expect(input!.shape).toEqual(['n', 3, 4, 4]);
  });

  it('is an operation that nobody knows', () => {
    const unknown: OnnxGraph = {
      ...graph,
      nodes: [{ op: name, inputs: ['x'], outputs: ['y'] }],
      inputs: [{ name: 'x', type: 'float32', shape: [1] }],
      outputs: [{ name: 'y', type: 'float32', shape: [1] }],
      initialisers: [],
    };
    expect(() => lower(unknown)).toThrow(
      `(${name}), tensor "${name}~1": expected an operation that is known`,
    );
  });
});
