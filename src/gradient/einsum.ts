import { textAttribute } from '../graph/attributes.ts';
import { type Equation, equationOf } from '../graph/einsum.ts';
import type { OnnxNode } from '../graph/graph.ts';
import { inputError } from '../records/errors.ts';
import type { Sketch } from '../sketch/sketch.ts';
import { expanded, reshaped, shapeOf } from '../sketch/terms.ts';
import { described } from './constants.ts';
import type { Rule, Rules } from './rule.ts';

const refused = (node: OnnxNode, got: string): Error =>
  inputError({
    where: described(node),
    expected: 'an equation with each letter once in a term',
    got,
    mend: 'export the model with the diagonal or the repetition written out',
  });

/** The equation, in which every term names each of its axes once. */
const plainEquation = (node: OnnxNode, sketch: Sketch): Equation => {
  const text = textAttribute(node, 'equation') ?? '';
  const equation = equationOf(
    text,
    node.inputs.map((input) => shapeOf(sketch, input).length),
  );
  for (const term of [...equation.terms, equation.result]) {
    if (new Set(term).size !== term.length) throw refused(node, `the term ${term} in ${text}`);
  }
  return equation;
};

/** The cotangent of an operand is the product of the others and the result's, over the letters that are not its own. */
const einsum: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return node.inputs.map(() => null);
  const { terms, result } = plainEquation(node, sketch);
  const sizes = new Map<string, number>();
  terms.forEach((term, index) => {
    const shape = shapeOf(sketch, node.inputs[index]!);
    [...term].forEach((letter, axis) => {
      // An axis of size 1 under an ellipsis is repeated.
      sizes.set(letter, Math.max(sizes.get(letter) ?? 1, shape[axis]!));
    });
  });
  return node.inputs.map((input, index) => {
    if (!wanted[index]) return null;
    const term = terms[index]!;
    const shape = shapeOf(sketch, input);
    const repeats = [...term].some((letter, axis) => shape[axis] !== sizes.get(letter));
    if (repeats) throw refused(node, `an axis of size 1 that is repeated in ${term}`);
    const others = terms.filter((_, own) => own !== index);
    const given = new Set([result, ...others].join(''));
    // Letters of this operand alone were summed: their cotangent is the same along the axis.
    const present = [...term].filter((letter) => given.has(letter)).join('');
    const equation = `${[result, ...others].join(',')}->${present}`;
    const operands = [cotangent, ...node.inputs.filter((_, own) => own !== index)];
    const flowing =
      equation === `${present}->${present}`
        ? cotangent
        : sketch.apply('Einsum', operands, { equation: { string: equation } });
    const kept = [...term].map((letter, axis) => (given.has(letter) ? shape[axis]! : 1));
    return expanded(sketch, reshaped(sketch, flowing, kept), shape);
  });
};

/** Sums of products by their letters. */
export const einsums: Rules = { Einsum: einsum };
