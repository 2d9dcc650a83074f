import { createRandom } from '../../src/numeric/random.ts';
import {
  derivatives,
  differences,
  directions,
  projected,
  randomGraph,
  vectorOf,
} from './random-graphs.ts';
import { evaluate } from './reference.ts';
import { runGraph } from './run.ts';

/** Of derivatives in float32, in norm over the directions that are looked at. */
export const LIMIT = 1e-4;

/** Elements of the inputs along which finite differences are taken. */
const DIRECTIONS = 12;

const norm = (values: readonly number[]): number => Math.hypot(...values);

/** ‖got − expected‖ / ‖expected‖, where derivatives below `floor` count as that large: float32 has cancelled them. */
const apart = (got: readonly number[], expected: readonly number[], floor: number): number =>
  norm(got.map((value, at) => value - expected[at]!)) / Math.max(norm(expected), floor);

/**
 * Draws the graph of a seed with `operation` in it, differentiates it twice, and holds value, gradient and Hessian-vector
 * product from onnxruntime in float32 against the reference in float64 and its finite differences. Null where they
 * agree, otherwise what does not.
 */
export const heldAgainstDifferences = async (
  seed: string,
  operation: string,
): Promise<string | null> => {
  const drawn = randomGraph(seed, operation);
  const random = createRandom(`${seed} directions`);
  const v = vectorOf(drawn, random);
  const along = directions(drawn, DIRECTIONS, random);
  const operations = drawn.graph.nodes.map(({ op }) => op).join(' ');
  const told = (problem: string) =>
    `${JSON.stringify(seed)}, opset ${drawn.graph.opset} (${operations}): ${problem}`;
  try {
    const { graph, feeds } = derivatives(drawn, v);
    const outputs = await runGraph(graph, feeds);
    const of = drawn.graph.outputs[0]!.name;
    const value = evaluate(drawn.graph, drawn.feeds).values.get(of)!.data[0]!;
    const found = along.map((u) => differences(drawn, u, v));
    const part = (label: string) => along.map((u) => projected(outputs, label, u));
    const errors = {
      value: apart([Number(outputs[of]!.data[0])], [value], 1),
      gradient: apart(
        part('gradient'),
        found.map(({ slope }) => slope),
        0.1,
      ),
      product: apart(
        part('product'),
        found.map(({ bend }) => bend),
        0.1,
      ),
    };
    const wrong = Object.entries(errors).filter(([, error]) => !(error <= LIMIT));
    if (wrong.length === 0) return null;
    return told(
      wrong.map(([name, error]) => `${name} off by ${error.toExponential(1)}`).join(', '),
    );
  } catch (error) {
    return told(String(error));
  }
};
