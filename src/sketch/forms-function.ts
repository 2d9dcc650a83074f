import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  textAttribute,
} from '../graph/attributes.ts';
import { codeOf } from '../graph/schema.ts';
import type { Draft, Form, Forms, Made } from './form.ts';
import { convAttributes } from './forms-window.ts';

// Functions that are compositions, written out; functions of onnxruntime's own domain too.

/** x · Φ(x), or its approximation by tanh (Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2). */
const geluOf = (draft: Draft, x: string, approximate: boolean): Made => {
  const { add, floats } = draft;
  const half = (y: string): Made => draft.finish('Mul', [y, floats(0.5)]);
  const rise = (y: string): string => add('Mul', [x, add('Add', [y, floats(1)])]);
  if (!approximate) return half(rise(add('Erf', [add('Div', [x, floats(Math.SQRT2)])])));
  const cube = add('Mul', [add('Mul', [x, add('Mul', [x, x])]), floats(0.044715)]);
  const inner = add('Mul', [add('Add', [x, cube]), floats(Math.sqrt(2 / Math.PI))]);
  return half(rise(add('Tanh', [inner])));
};

const gelu: Form = (draft) =>
  geluOf(draft, draft.node.inputs[0]!, textAttribute(draft.node, 'approximate') === 'tanh');

const biased = (draft: Draft): string => {
  const [x = '', bias = ''] = draft.node.inputs;
  return bias === '' ? x : draft.add('Add', [x, bias]);
};

const quickGelu: Form = (draft) => {
  const [x] = draft.node.inputs;
  const alpha = floatAttribute(draft.node, 'alpha') ?? 1.702;
  const gate = draft.add('Sigmoid', [draft.add('Mul', [x!, draft.floats(alpha)])]);
  return draft.finish('Mul', [x!, gate]);
};

/** Normalised over the channels of a group and all pixels (Wu & He 2018, arXiv:1803.08494, equations 1 to 7). */
const groupNormalisation: Form = (draft) => {
  const { node, add, ints, floats } = draft;
  const [x, scale, bias] = node.inputs as [string, string, string];
  const sizes = draft.sizes(0);
  const [batch, channels] = sizes as [number, number];
  const groups = intAttribute(node, 'num_groups', 1);
  if (!(groups > 0 && channels % groups === 0)) {
    throw draft.refuse('groups of equally many channels', `${groups} of ${channels} channels`);
  }
  const rest = sizes.slice(2).reduce((product, size) => product * size, channels / groups);
  const ones = floats(Array.from({ length: groups }, () => 1));
  const zeros = floats(Array.from({ length: groups }, () => 0));
  const grouped = add('Reshape', [x, ints([batch, groups, rest])]);
  const normal = add('InstanceNormalization', [grouped, ones, zeros], {
    epsilon: { float: floatAttribute(node, 'epsilon') ?? 1e-5 },
  });
  const column = [channels, ...sizes.slice(2).map(() => 1)];
  // Opset 18 has one scale for a group, 21 one for a channel.
  const perChannel = (given: string): string => {
    if (draft.sizes(node.inputs.indexOf(given))[0] === channels) {
      return add('Reshape', [given, ints(column)]);
    }
    const repeated = add('Expand', [
      add('Reshape', [given, ints([groups, 1])]),
      ints([groups, channels / groups]),
    ]);
    return add('Reshape', [repeated, ints(column)]);
  };
  const scaled = add('Mul', [add('Reshape', [normal, ints(sizes)]), perChannel(scale)]);
  return draft.finish('Add', [scaled, perChannel(bias)]);
};

const layerNormalisation: Form = (draft) => {
  const { node } = draft;
  const axis = intAttribute(node, 'axis', -1);
  return draft.finish('LayerNormalization', node.inputs, {
    axis: { int: axis < 0 ? axis + draft.rank(0) : axis },
    epsilon: { float: floatAttribute(node, 'epsilon') ?? 1e-5 },
    stash_type: { int: intAttribute(node, 'stash_type', 1) },
  });
};

/** Inputs: x, skip, scale, bias of the norm, bias of the sum. */
const skipLayerNormalisation: Form = (draft) => {
  const { node, add } = draft;
  const [x, skip, scale, shift = '', bias = ''] = node.inputs as [
    string,
    string,
    string,
    ...string[],
  ];
  if (node.outputs.slice(1).some((name) => draft.isUsed(name))) {
    throw draft.refuse('one output', 'further ones');
  }
  const sum = add('Add', [x, skip]);
  return draft.finish(
    'LayerNormalization',
    [bias === '' ? sum : add('Add', [sum, bias]), scale, shift],
    {
      axis: { int: draft.rank(0) - 1 },
      epsilon: { float: floatAttribute(node, 'epsilon') ?? 1e-5 },
    },
  );
};

const meanVarianceNormalisation: Form = (draft) => {
  const { node, add, ints, floats } = draft;
  const [x] = node.inputs;
  const given = node.attributes?.axes;
  const axes = given !== undefined && 'ints' in given ? given.ints : [0, 2, 3];
  const keepdims = { keepdims: { int: 1 } };
  const centred = add('Sub', [x!, add('ReduceMean', [x!, ints(axes)], keepdims)]);
  const variance = add('ReduceMean', [add('Mul', [centred, centred]), ints(axes)], keepdims);
  return draft.finish('Div', [centred, add('Add', [add('Sqrt', [variance]), floats(1e-9)])]);
};

/** Any number of operands, two at a time. */
const inPairs =
  (op: string): Form =>
  (draft) => {
    const [first, ...others] = draft.node.inputs;
    const last = others.pop();
    if (last === undefined) return draft.replaceBy(first!);
    return draft.finish(op, [
      others.reduce((sum, each) => draft.add(op, [sum, each]), first!),
      last,
    ]);
  };

const mean: Form = (draft) => {
  const [first, ...others] = draft.node.inputs;
  const sum = others.reduce((total, each) => draft.add('Add', [total, each]), first!);
  return draft.finish('Div', [sum, draft.floats(others.length + 1)]);
};

/** Bounds as inputs. */
const clip: Form = (draft) => {
  const { node } = draft;
  const bound = (name: string, index: number): string => {
    const old = floatAttribute(node, name);
    return old === null ? (node.inputs[index] ?? '') : draft.floats(old);
  };
  return draft.finish('Clip', [node.inputs[0]!, bound('min', 1), bound('max', 2)]);
};

const cast: Form = (draft) => {
  const { node, fact } = draft;
  const [x] = node.inputs;
  const to =
    node.op === 'CastLike' ? codeOf(fact(node.inputs[1]!).type) : intAttribute(node, 'to', 1);
  if (codeOf(fact(x!).type) === to) return draft.replaceBy(x!);
  return draft.finish('Cast', [x!], { to: { int: to } });
};

/** In evaluation nothing happens; a network that drops at random is none that can be measured. */
const dropout: Form = (draft) => {
  const { node } = draft;
  const training = node.inputs[2] === undefined ? 0 : (draft.values(2)?.[0] ?? 0);
  const ratio = floatAttribute(node, 'ratio') ?? draft.values(1)?.[0] ?? 0.5;
  if (training !== 0 && ratio !== 0) {
    throw draft.refuse(
      'a network without chance',
      `dropout of ${ratio} in training mode`,
      'export it with dropout off: model.eval(), or p = 0',
    );
  }
  if (node.outputs[1] !== undefined && draft.isUsed(node.outputs[1])) {
    throw draft.refuse('a mask that nothing uses', 'one that is used');
  }
  return draft.replaceBy(node.inputs[0]!);
};

/** Activations that onnxruntime fuses into a convolution or product: the nodes behind it. */
const activated = (draft: Draft, x: string): Made => {
  const { node } = draft;
  const op = textAttribute(node, 'activation') ?? '';
  const parameters = floatsAttribute(node, 'activation_params') ?? [];
  const [a = 0, b = 0] = parameters;
  if (op === '') return draft.replaceBy(x);
  if (op === 'Clip') return draft.finish('Clip', [x, draft.floats(a), draft.floats(b)]);
  if (op === 'LeakyRelu') return draft.finish(op, [x], { alpha: { float: parameters[0] ?? 0.01 } });
  if (op === 'HardSigmoid') {
    return draft.finish(op, [x], { alpha: { float: a }, beta: { float: b } });
  }
  if (/^(Relu|Sigmoid|Tanh)$/.test(op)) return draft.finish(op, [x]);
  throw draft.refuse('Relu, LeakyRelu, Clip, Sigmoid, HardSigmoid or Tanh as activation', op);
};

const fusedConv: Form = (draft) => {
  const [x, w, bias = '', sum = ''] = draft.node.inputs as [string, string, ...string[]];
  const y = draft.add('Conv', [x, w, bias], convAttributes(draft));
  return activated(draft, sum === '' ? y : draft.add('Add', [y, sum]));
};

const fusedGemm: Form = (draft) => {
  const { node } = draft;
  const own = Object.entries(node.attributes ?? {}).filter(([name]) => !/^activation/.test(name));
  return activated(draft, draft.add('Gemm', node.inputs, Object.fromEntries(own)));
};

const fusedMatMul: Form = (draft) => {
  const { node, add } = draft;
  const alpha = floatAttribute(node, 'alpha') ?? 1;
  if (intAttribute(node, 'transBatchA', 0) || intAttribute(node, 'transBatchB', 0)) {
    throw draft.refuse('batches in front', 'transposed batches');
  }
  const factor = (index: number, attribute: string): string => {
    const name = node.inputs[index]!;
    const rank = draft.rank(index);
    if (!intAttribute(node, attribute, 0) || rank < 2) return name;
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    perm.splice(rank - 2, 2, rank - 1, rank - 2);
    return add('Transpose', [name], { perm: { ints: perm } });
  };
  const factors = [factor(0, 'transA'), factor(1, 'transB')];
  if (alpha === 1) return draft.finish('MatMul', factors);
  return draft.finish('Mul', [add('MatMul', factors), draft.floats(alpha)]);
};

export const functionForms: Forms = {
  Gelu: gelu,
  'com.microsoft.Gelu': gelu,
  'com.microsoft.BiasGelu': (draft) => geluOf(draft, biased(draft), false),
  'com.microsoft.FastGelu': (draft) => geluOf(draft, biased(draft), true),
  'com.microsoft.QuickGelu': quickGelu,
  'com.microsoft.FusedConv': fusedConv,
  'com.microsoft.FusedGemm': fusedGemm,
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.SkipLayerNormalization': skipLayerNormalisation,
  GroupNormalization: groupNormalisation,
  LayerNormalization: layerNormalisation,
  MeanVarianceNormalization: meanVarianceNormalisation,
  Sum: inPairs('Add'),
  Max: inPairs('Max'),
  Min: inPairs('Min'),
  Mean: mean,
  Clip: clip,
  Cast: cast,
  CastLike: cast,
  Dropout: dropout,
};
