import { textAttribute } from '../graph/attributes.ts';
import type { OnnxNode } from '../graph/encode.ts';
import { inputError } from '../records/errors.ts';
import { described } from './constants.ts';
import type { Rule, Rules } from './rule.ts';
import type { Sketch } from './sketch.ts';
import { expanded, reshaped, shapeOf } from './terms.ts';

interface Equation {
  readonly terms: readonly string[];
  readonly result: string;
}

const refused = (node: OnnxNode, got: string): Error =>
  inputError({
    where: described(node),
    expected: 'an equation with each letter once in a term',
    got,
    mend: 'export the model with the diagonal or the ellipsis written out',
  });

/** The equation with a letter for each axis that an ellipsis stands for, and with its result. */
const equationOf = (node: OnnxNode, sketch: Sketch): Equation => {
  const text = (textAttribute(node, 'equation') ?? '').replaceAll(' ', '');
  const [left = '', right] = text.split('->');
  const free = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'].filter(
    (letter) => !text.includes(letter),
  );
  let longest = 0;
  const spelt = left.split(',').map((term, index) => {
    if (!term.includes('...')) return term;
    const rank = shapeOf(sketch, node.inputs[index]!).length - (term.length - 3);
    longest = Math.max(longest, rank);
    return term.replace('...', free.slice(0, rank).reverse().join(''));
  });
  const ellipsis = free.slice(0, longest).reverse().join('');
  const letters = [...spelt.join('')];
  const once = [...new Set(letters)].filter(
    (letter) =>
      !ellipsis.includes(letter) && letters.indexOf(letter) === letters.lastIndexOf(letter),
  );
  const result = right?.replace('...', ellipsis) ?? ellipsis + once.sort().join('');
  for (const term of [...spelt, result]) {
    if (new Set(term).size !== term.length) throw refused(node, `the term ${term} in ${text}`);
  }
  return { terms: spelt, result };
};

/** The cotangent of an operand is the product of the others and the result's, over the letters that are not its own. */
const einsum: Rule = (node, [cotangent], wanted, sketch) => {
  if (cotangent == null) return node.inputs.map(() => null);
  const { terms, result } = equationOf(node, sketch);
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
