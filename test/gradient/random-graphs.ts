import { differentiate } from '../../src/gradient/differentiate.ts';
import { lower } from '../../src/gradient/lower.ts';
import type { OnnxGraph } from '../../src/graph/graph.ts';
import { createRandom, type Random } from '../../src/numeric/random.ts';
import type { NdArray } from '../../src/records/array.ts';
import { canonical } from '../../src/sketch/canonical.ts';
import type { Dense } from './dense.ts';
import { type Draft, draftOf, normals, type RandomGraph, Unsuitable } from './draft.ts';
import { moving } from './random-movements.ts';
import { calculating } from './random-operations.ts';
import { rarities } from './random-rarities.ts';
import { evaluate } from './reference.ts';

const GROWTHS = { ...calculating, ...moving, ...rarities };
/** Every operation that random graphs are made of. */
export const OPERATION_NAMES: readonly string[] = Object.keys(GROWTHS);

/** Tensors are brought back to about this size, so that neither slopes nor rounding run away. */
const rescaled = (draft: Draft, tensor: string): string => {
  const { data } = draft.value(tensor);
  const size = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
  if (size < 1e-3) throw new Unsuitable('next to nothing');
  if (size > 0.3 && size < 2) return tensor;
  return draft.apply('Mul', [tensor, draft.numbers([Math.fround(1 / size)], [])]);
};

/** One number that depends on every loose end, straight and bent: Σ (a + t · b) · t. */
const gathered = (draft: Draft): string =>
  draft
    .leaves()
    .map((leaf) => {
      const shape = draft.shape(leaf);
      const weight = () => draft.numbers([...normals(draft.random, shape).data], shape);
      const bent = draft.apply('Add', [weight(), draft.apply('Mul', [leaf, weight()])]);
      const sum = draft.apply('Mul', [leaf, bent]);
      return draft.apply('ReduceSum', [sum], { keepdims: { int: 0 } });
    })
    .reduce((total, part) => draft.apply('Add', [total, part]));

const START_SHAPES = [
  [2, 4, 5, 4],
  [1, 3, 6, 5],
  [2, 4, 6],
  [3, 4],
  [2, 3, 4],
  [1, 8, 2, 2],
] as const;

const drawn = (seed: string, required: string | null): RandomGraph => {
  const random = createRandom(`${seed} frame`);
  const opset = 13 + random.int(9);
  const shape = START_SHAPES[random.int(START_SHAPES.length)]!;
  const draft = draftOf(seed, opset, random.int(3) === 0 ? [shape, shape.slice(1)] : [shape]);
  const pool = ['x0'];
  if (draft.chance(0.5)) pool.push('x0');
  const count = draft.between(2, 7);
  const place = draft.between(0, count - 1);
  for (let step = 0; step < count; step++) {
    const op = required !== null && step === place ? required : draft.choice(OPERATION_NAMES);
    const x = draft.chance(0.7) ? pool.at(-1)! : draft.choice(pool);
    const made = GROWTHS[op]!(draft, x, pool);
    if (made !== null) pool.push(...made.map((tensor) => rescaled(draft, tensor)));
    else if (op === required) throw new Unsuitable(op);
  }
  return draft.finish(gathered(draft));
};

/** Inputs must be this far from every jump of a derivative: many times what finite differences move a value by. */
const MARGIN = 4e-3;

const awayFromKinks = ({ graph, feeds }: RandomGraph, random: Random): RandomGraph => {
  let own = feeds;
  for (let attempt = 0; attempt < 30; attempt++) {
    const { margin } = evaluate(graph, own);
    if (margin > MARGIN) return { graph, feeds: own };
    own = Object.fromEntries(
      Object.entries(feeds).map(([name, { data, shape }]) => {
        const size = Math.sqrt(data.reduce((sum, each) => sum + each * each, 0) / data.length);
        return [name, normals(random, shape, size)];
      }),
    );
  }
  throw new Unsuitable('always at a kink');
};

/**
 * A random graph of a few operations, `required` among them, its last output one number; its inputs lie away from the
 * points where slopes jump. The same seed gives the same graph.
 */
export const randomGraph = (seed: string, required: string | null = null): RandomGraph => {
  for (let attempt = 0; attempt < 400; attempt++) {
    try {
      const graph = drawn(`${seed}.${attempt}`, required);
      return awayFromKinks(graph, createRandom(`${seed}.${attempt} inputs`));
    } catch (error) {
      if (!(error instanceof Unsuitable)) throw error;
    }
  }
  throw new Error(`no random graph with ${required}`);
};

export interface Derivatives {
  readonly graph: OnnxGraph;
  readonly feeds: Readonly<Record<string, NdArray>>;
}

const float32 = ({ data, shape }: Dense): NdArray => ({ data: Float32Array.from(data), shape });

/**
 * The graph with `gradient <x>` and `product <x>` (Hessian times the vectors `v <x>`) for every input x, as onnxruntime
 * takes it.
 */
export const derivatives = (
  { graph, feeds }: RandomGraph,
  vectors: Readonly<Record<string, Dense>>,
): Derivatives => {
  const names = Object.keys(feeds);
  const [{ name: of } = { name: '' }] = graph.outputs;
  const zeros = { independent: 'zeros' } as const;
  const first = differentiate(canonical(graph), of, names, {
    ...zeros,
    names: names.map((name) => `gradient ${name}`),
  });
  const along: OnnxGraph = {
    ...first,
    inputs: [
      ...first.inputs,
      ...names.map((name) => ({
        name: `v ${name}`,
        type: 'float32' as const,
        shape: feeds[name]!.shape,
      })),
    ],
    nodes: [
      ...first.nodes,
      ...names.flatMap((name) => [
        { op: 'Mul', inputs: [`gradient ${name}`, `v ${name}`], outputs: [`part ${name}`] },
        {
          op: 'ReduceSum',
          inputs: [`part ${name}`],
          outputs: [`along ${name}`],
          attributes: { keepdims: { int: 0 } },
        },
      ]),
      { op: 'Sum', inputs: names.map((name) => `along ${name}`), outputs: ['along'] },
    ],
  };
  const second = differentiate(along, 'along', names, {
    ...zeros,
    names: names.map((name) => `product ${name}`),
  });
  const given = Object.entries(vectors).map(([name, vector]) => [`v ${name}`, float32(vector)]);
  const own = Object.entries(feeds).map(([name, value]) => [name, float32(value)]);
  return { graph: lower(second), feeds: Object.fromEntries([...own, ...given]) };
};

type Vectors = Readonly<Record<string, Dense>>;

const moved = (feeds: Vectors, ...steps: readonly (readonly [number, Vectors])[]): Vectors =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { data, shape }]) => [
      name,
      {
        data: data.map((value, at) =>
          steps.reduce((total, [size, vectors]) => total + size * vectors[name]!.data[at]!, value),
        ),
        shape,
      },
    ]),
  );

/** Fourth-order differences of the graph's value in float64: along u, and mixed along u and v. */
export const differences = (
  { graph, feeds }: RandomGraph,
  u: Vectors,
  v: Vectors,
): { readonly slope: number; readonly bend: number } => {
  const of = graph.outputs[0]!.name;
  const value = (a: number, b: number): number =>
    evaluate(graph, moved(feeds, [a, u], [b, v])).values.get(of)!.data[0]!;
  const central = (h: number): number => (value(h, 0) - value(-h, 0)) / (2 * h);
  const mixed = (h: number): number =>
    (value(h, h) - value(h, -h) - value(-h, h) + value(-h, -h)) / (4 * h * h);
  const h = 2e-4;
  return {
    slope: (4 * central(h) - central(2 * h)) / 3,
    bend: (4 * mixed(h) - mixed(2 * h)) / 3,
  };
};

/** Directions along single elements of the inputs, at most `count` of them. */
export const directions = ({ feeds }: RandomGraph, count: number, random: Random): Vectors[] => {
  const places = Object.entries(feeds).flatMap(([name, { data }]) =>
    Array.from(data, (_, at) => [name, at] as const),
  );
  const order = random.permutation(places.length).slice(0, count);
  return Array.from(order, (which) => {
    const [chosen, place] = places[which]!;
    return Object.fromEntries(
      Object.entries(feeds).map(([name, { data, shape }]) => [
        name,
        { data: data.map((_, at) => (name === chosen && at === place ? 1 : 0)), shape },
      ]),
    );
  });
};

/** Σ u · g over all inputs. */
export const projected = (
  outputs: Readonly<Record<string, NdArray>>,
  label: string,
  u: Vectors,
): number =>
  Object.entries(u).reduce(
    (total, [name, { data }]) =>
      data.reduce(
        (sum, each, at) => sum + each * Number(outputs[`${label} ${name}`]!.data[at]!),
        total,
      ),
    0,
  );

/** A vector for the second derivative: one normal number for each element of each input, of length 1 together. */
export const vectorOf = ({ feeds }: RandomGraph, random: Random): Vectors => {
  const total = Object.values(feeds).reduce((sum, { data }) => sum + data.length, 0);
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { shape }]) => [
      name,
      normals(random, shape, 2 / Math.sqrt(total)),
    ]),
  );
};
