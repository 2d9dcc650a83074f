import type { Module } from './modules.ts';
import type { Token } from './tokens.ts';

/** Positional parameters that an exported function may have: more are a record. */
const MOST = 5;

/** How much deeper in brackets a token leads: 1, 0 or −1. The head of an arrow is no bracket. */
const turn = (tokens: readonly Token[], at: number): number => {
  const { kind, text } = tokens[at]!;
  if (kind !== 'mark' || (text === '>' && tokens[at - 1]?.text === '=')) return 0;
  if ('([{<'.includes(text)) return 1;
  return ')]}>'.includes(text) ? -1 : 0;
};

/** Index behind the bracket that opens at `open`, and the number of its parts between commas. */
const bracket = (tokens: readonly Token[], open: number): { end: number; parts: number } => {
  let depth = 1;
  let parts = 0;
  let isEmpty = true;
  let at = open + 1;
  for (; at < tokens.length; at += 1) {
    depth += turn(tokens, at);
    if (depth === 0) break;
    const isComma = depth === 1 && tokens[at]!.text === ',' && tokens[at]!.kind === 'mark';
    if (isEmpty && !isComma) parts += 1;
    isEmpty = isComma;
  }
  return { end: at + 1, parts };
};

/** Name and number of parameters of the function that is exported at `at`; null where none is. */
const functionAt = (
  tokens: readonly Token[],
  at: number,
): { name: string; count: number } | null => {
  if (tokens[at]?.kind !== 'word' || tokens[at].text !== 'export') return null;
  const isConst = tokens[at + 1]?.text === 'const';
  const name = tokens
    .slice(at + 1, at + 5)
    .find(({ kind, text }) => kind === 'word' && !['const', 'async', 'function'].includes(text));
  let open = tokens.indexOf(name!, at) + 1;
  if (isConst && tokens[open]?.text !== '=') return null;
  if (!isConst && !tokens.slice(at, open).some(({ text }) => text === 'function')) return null;
  while (['=', 'async', 'function', '*'].includes(tokens[open]?.text ?? '')) open += 1;
  if (tokens[open]?.text === '<') open = bracket(tokens, open).end;
  if (tokens[open]?.text !== '(') return null;
  return { name: name!.text, count: bracket(tokens, open).parts };
};

/** Exported functions with more parameters than a reader of a call can tell apart. */
export const crowded = (modules: readonly Module[]): string[] =>
  modules.flatMap(({ path, tokens }) =>
    tokens.flatMap(({ line }, at) => {
      const found = functionAt(tokens, at);
      return found === null || found.count <= MOST
        ? []
        : [`${path}:${line}: ${found.name} has ${found.count} parameters`];
    }),
  );
