import { describe, expect, it } from 'vitest';
import { checkArity } from '../../src/graph/arity.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import { patterned } from '../onnx.ts';

const graphOf = (op: string, inputs: readonly string[], outputs = ['y']): OnnxGraph => ({
  name: 'net.onnx',
  opset: 18,
  inputs: [{ name: 'x', type: 'float32', shape: [1, 4] }],
  outputs: [{ name: 'y', type: 'float32', shape: null }],
  initialisers: [{ name: 'w', array: patterned([4]) }],
  nodes: [{ op, name: 'n', inputs, outputs }],
});

describe('a node without an input that its operation needs', () => {
  it.each([
    ['LayerNormalization', ['x'], 'the first 2 places, got none in place 2'],
    ['LayerNormalization', ['x', ''], 'the first 2 places, got none in place 2'],
    ['Add', ['', 'x'], 'the first 2 places, got none in place 1'],
    ['BatchNormalization', ['x', 'w', 'w', 'w'], 'the first 5 places, got none in place 5'],
    ['Relu', [], 'the first 1 places, got none in place 1'],
  ])('%s of %j is refused by name', (op, inputs, what) => {
    expect(() => canonical(graphOf(op, inputs))).toThrow(`node "n" (${op}): expected an input`);
    expect(() => checkArity(graphOf(op, inputs))).toThrow(what);
  });

  it('has what it needs where only options are left out', () => {
    const [node] = canonical(graphOf('LayerNormalization', ['x', 'w'])).nodes;
    expect(node!.op).toBe('LayerNormalization');
  });

  it.each([
    ['Mul', ['x', 'w', 'w'], 'at most 2 inputs, got 3'],
    ['Relu', ['x', 'w'], 'at most 1 inputs, got 2'],
  ])('%s of %j has too many', (op, inputs, what) => {
    expect(() => checkArity(graphOf(op, inputs))).toThrow(`node "n" (${op}): expected ${what}`);
    expect(() => checkArity(graphOf(op, [...inputs.slice(0, -1), '']))).not.toThrow('at most');
  });

  it('needs an output', () => {
    expect(() => checkArity(graphOf('Relu', ['x'], ['']))).toThrow('expected an output, got none');
  });
});
