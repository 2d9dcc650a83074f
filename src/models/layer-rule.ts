import { ancestors, dependents } from '../graph/walk.ts';
import { hasFusedActivation, imageInputsOf, isElementwise, isWeighted } from './operations.ts';
import {
  comesFromAttention,
  elementwiseFrom,
  feedsAttention,
  goesOut,
  type Region,
  readersOf,
  regionOf,
  wayOf,
} from './regions.ts';
import { rejoinedProducts } from './rejoined.ts';
import type { View } from './view.ts';

/** A tensor that counts as a layer, and the node that names it. */
export interface Found {
  readonly tensor: string;
  /** The convolution, matrix product, sum or gated product that makes the layer, by index. */
  readonly node: number;
}

/** Where two tensors of the image meet value by value. */
interface Meeting {
  readonly node: number;
  readonly kind: 'sum' | 'product';
}

/** Meetings inside one activation (`x · sigmoid(x)`) are none: one operand follows from the other elementwise. */
const meetings = (view: View): Meeting[] =>
  view.structure.nodes.flatMap((node, index) => {
    if (!/^(Add|Sum|Mul|QLinearAdd|QLinearMul)$/.test(node.op) || !isElementwise(node)) return [];
    const [a, b] = imageInputsOf(view, node);
    if (a === undefined || b === undefined) return [];
    if (elementwiseFrom(view, a).has(b) || elementwiseFrom(view, b).has(a)) return [];
    return [
      { node: index, kind: node.op.endsWith('Mul') ? ('product' as const) : ('sum' as const) },
    ];
  });

/** Nodes on the way from `from` to `to`. */
const between = (view: View, from: string, to: string): Set<number> => {
  const before = ancestors(view.structure, view.wiring, [to], new Set([from]));
  const after = dependents(view.structure, view.wiring, from);
  return new Set(
    [...before].filter((index) =>
      view.structure.nodes[index]!.outputs.some((name) => after.has(name)),
    ),
  );
};

/**
 * Gates: what lies between a tensor and the factor computed from it that multiplies it (squeeze-excite, channel and
 * spatial attention of convolutional networks). Returns the nodes of gates and the products themselves.
 */
const gates = (view: View, all: readonly Meeting[]): Set<number> => {
  const found = new Set<number>();
  for (const { node, kind } of all) {
    if (kind !== 'product') continue;
    const [a, b] = imageInputsOf(view, view.structure.nodes[node]!);
    const inner = [...between(view, a!, b!), ...between(view, b!, a!)];
    if (inner.length === 0) continue;
    for (const index of inner) found.add(index);
    found.add(node);
  }
  return found;
};

type Open = ReadonlyMap<number, Meeting['kind']>;

/** What the only reader of a tensor is, where that is a meeting. */
const onlyMeeting = (view: View, tensor: string, open: Open): Meeting['kind'] | null => {
  const readers = readersOf(view, tensor);
  return readers.length === 1 ? (open.get(readers[0]!) ?? null) : null;
};

/** One branch of a gated product, for which the product itself stands. */
const intoProduct = (view: View, tensor: string, open: Open): boolean =>
  onlyMeeting(view, wayOf(view, tensor), open) === 'product';

/** A final Sigmoid makes probabilities of logits, as Softmax does. */
const endsInSigmoid = (view: View, { end }: Region): boolean => {
  const index = view.wiring.producer.get(end);
  return (
    view.outputs.has(end) && index !== undefined && view.structure.nodes[index]!.op === 'Sigmoid'
  );
};

type Verdict =
  | { readonly kind: 'layer'; readonly tensor: string }
  | { readonly kind: 'left' | 'logits' };

const LEFT: Verdict = { kind: 'left' };

const judgeWeighted = (view: View, index: number, region: Region, open: Open): Verdict => {
  const node = view.structure.nodes[index]!;
  if (endsInSigmoid(view, region)) return { kind: 'logits' };
  if (region.nonlinear || hasFusedActivation(view, node)) {
    return intoProduct(view, region.end, open) ? LEFT : { kind: 'layer', tensor: region.end };
  }
  if (goesOut(view, region.end)) return { kind: 'logits' };
  const end = wayOf(view, region.end);
  if (onlyMeeting(view, end, open) !== null) {
    const [input] = imageInputsOf(view, node);
    return comesFromAttention(view, input!) ? { kind: 'layer', tensor: end } : LEFT;
  }
  return feedsAttention(view, region.end) ? LEFT : { kind: 'layer', tensor: region.end };
};

const judgeMeeting = (view: View, region: Region, open: Open): Verdict => {
  if (region.nonlinear) return { kind: 'layer', tensor: region.end };
  const end = wayOf(view, region.end);
  if (onlyMeeting(view, end, open) !== null) return LEFT;
  return feedsAttention(view, region.end) ? LEFT : { kind: 'layer', tensor: region.end };
};

/**
 * What a neuroscientist calls the layers of a network, in graph order. From each convolution or matrix product with
 * weights the elementwise region behind it is followed (`regionOf`). Layers are
 * - products with weights that have a nonlinearity behind them, taken after it (a ReLU, an exported GELU, …);
 * - residual sums, taken after their activation where they have one;
 * - the projection of attention, taken as it enters its residual sum (batch and tokens in their places again);
 * - products with weights without a nonlinearity that go into no residual sum: linear bottlenecks, patch embedding,
 *   downsampling and patch merging, depthwise convolutions before another convolution;
 * - gated products of two branches (SwiGLU), for which their factors are left out.
 *
 * Left out are query, key and value; branches into a residual sum (also through LayerScale, DropPath, a norm or a
 * change of layout); everything inside a gate; sums within attention (rotary and relative positions); partial sums;
 * and logits, that is, products with weights and no nonlinearity that lead to outputs only. A Clip whose lower bound
 * is negative is the range of a quantised tensor, not a nonlinearity. Padding is never crossed.
 *
 * What the rule decides where opinions differ (counts for torchvision 0.14 in `test/models/layers.test.ts`):
 * - squeeze-excite (MobileNetV3, EfficientNet, RegNetY): the two gate convolutions are no layers; the depthwise
 *   convolution is taken after its activation and before the gate multiplies it;
 * - ConvNeXt: the second pointwise product ends in LayerScale and the residual sum, so that a block gives three
 *   layers: depthwise convolution, GELU, sum;
 * - DenseNet: concatenations only repeat earlier layers and are no layers. Each of its 120 convolutions is one: the
 *   1×1 after norm and ReLU, the 3×3 (new features) and the transitions as they are;
 * - Inception and GoogLeNet: each branch is a layer, concatenations are not;
 * - Swin: attention within windows is taken after the windows are put back. MaxViT keeps its windows through whole
 *   blocks: those layers are put back as they are read (`arrangement.ts`);
 * - VOneNet: simple and complex cells are computed of the same two convolutions and joined; the layer is the block's
 *   output, its halves are none (`rejoined.ts`);
 * - SqueezeNet: its last convolution has a ReLU and is a layer, though it gives the classes.
 * Final pooling, embeddings after a last LayerNorm and class tokens are no layers of their own: `everyTensor` has
 * them. The bodies of If and Loop are not looked into; the model's own functions are written out before.
 */
export const findLayers = (view: View): Found[] => {
  const { nodes } = view.structure;
  const weighted = nodes.flatMap((node, index) => (isWeighted(view, node) ? [index] : []));
  const regions = new Map(
    weighted.map((index) => [index, regionOf(view, nodes[index]!.outputs[0]!)]),
  );
  const absorbed = new Set([...regions.values()].flatMap((region) => region.nodes));
  const rejoined = rejoinedProducts(view);
  const inside = new Set(rejoined.flatMap((each) => [...each.inside]));
  const all = meetings(view).filter(({ node }) => !absorbed.has(node) && !inside.has(node));
  const gated = gates(view, all);
  const open: Open = new Map(
    all.filter(({ node }) => !gated.has(node)).map(({ node, kind }) => [node, kind]),
  );
  const found: Found[] = [];
  const logits = new Set<string>();
  for (const index of weighted) {
    if (gated.has(index) || inside.has(index)) continue;
    const region = regions.get(index)!;
    const verdict = judgeWeighted(view, index, region, open);
    if (verdict.kind === 'layer') found.push({ tensor: verdict.tensor, node: index });
    if (verdict.kind === 'logits') logits.add(region.end);
  }
  const joins = [...open.keys(), ...rejoined.map(({ node }) => node)];
  for (const node of joins) {
    if (imageInputsOf(view, nodes[node]!).every((name) => logits.has(name))) continue;
    const region = regionOf(view, nodes[node]!.outputs[0]!);
    const verdict = judgeMeeting(view, region, open);
    if (verdict.kind === 'layer') found.push({ tensor: verdict.tensor, node });
  }
  const place = ({ tensor }: Found): number => view.wiring.producer.get(tensor) ?? -1;
  const unique = new Map(found.map((each) => [each.tensor, each]));
  return [...unique.values()].sort((a, b) => place(a) - place(b));
};
