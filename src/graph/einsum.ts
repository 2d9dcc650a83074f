/** An Einsum equation with a letter for every axis of every operand and of the result. */
export interface Equation {
  readonly terms: readonly string[];
  readonly result: string;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * The equation of an Einsum with its ellipses spelt out in letters that it does not use, and with the result that it
 * leaves unsaid: the letters that occur once, in alphabetical order, behind the axes of the ellipses.
 *
 * @param ranks the number of axes of each operand.
 */
export const equationOf = (text: string, ranks: readonly number[]): Equation => {
  const [left = '', right] = text.replaceAll(' ', '').split('->');
  const free = [...LETTERS].filter((letter) => !text.includes(letter));
  // Axes under ellipses are matched from the last.
  const spelt = (count: number): string => free.slice(0, Math.max(0, count)).reverse().join('');
  const given = left.split(',');
  const hidden = given.map((term, index) =>
    term.includes('...') ? (ranks[index] ?? 0) - (term.length - 3) : 0,
  );
  const terms = given.map((term, index) => term.replace('...', spelt(hidden[index]!)));
  const ellipsis = spelt(Math.max(...hidden));
  const letters = [...terms.join('')].filter((letter) => !ellipsis.includes(letter));
  const once = letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter));
  return { terms, result: right?.replace('...', ellipsis) ?? ellipsis + once.sort().join('') };
};
