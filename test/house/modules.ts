import { type Token, tokensOf } from './tokens.ts';

/** A module below `src`; `path` is relative to it, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Import {
  /** What stands between the quotes; null where it is no plain string. */
  readonly specifier: string | null;
  readonly line: number;
}

export interface Module {
  readonly path: string;
  readonly tokens: readonly Token[];
  readonly imports: readonly Import[];
  readonly lines: number;
  /** `/// <reference …>` lines, which can pull in the types of a host. */
  readonly references: readonly string[];
}

const is = (token: Token | undefined, text: string): boolean =>
  token !== undefined && token.text === text && (token.kind === 'word' || token.kind === 'mark');

/** Index of the token that closes the bracket at `open`. */
const closing = (tokens: readonly Token[], open: number): number => {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (is(tokens[at], '{')) depth += 1;
    if (is(tokens[at], '}')) depth -= 1;
    if (depth === 0) return at;
  }
  return tokens.length;
};

/** `import('…')`, as an expression or a type, and `require('…')`. */
const called = (tokens: readonly Token[], at: number): Import => {
  const argument = tokens[at + 2];
  const plain = argument?.kind === 'string' && [')', ','].includes(tokens[at + 3]?.text ?? '');
  return { specifier: plain ? argument.text : null, line: tokens[at]!.line };
};

/** The `from '…'` of an import or export statement that begins at `at`, and where the statement ends. */
const fromClause = (
  tokens: readonly Token[],
  at: number,
): { import: Import; end: number } | null => {
  let next = at + 1;
  while (next < tokens.length) {
    const token = tokens[next]!;
    if (is(token, '{')) next = closing(tokens, next);
    else if (is(token, 'from') && tokens[next + 1]?.kind === 'string') {
      return { import: { specifier: tokens[next + 1]!.text, line: token.line }, end: next + 2 };
    } else if (token.kind !== 'word' && !is(token, '*') && !is(token, ',')) return null;
    next += 1;
  }
  return null;
};

/** Where the names of an export statement begin: `export {`, `export type {`, `export *`. */
const afterExport = (tokens: readonly Token[], at: number): number =>
  is(tokens[at + 1], 'type') ? at + 2 : at + 1;

const isReExport = (tokens: readonly Token[], at: number): boolean =>
  is(tokens[at], 'export') &&
  (is(tokens[afterExport(tokens, at)], '{') || is(tokens[afterExport(tokens, at)], '*'));

const importsOf = (tokens: readonly Token[]): Import[] => {
  const found: Import[] = [];
  tokens.forEach((token, at) => {
    if (token.kind !== 'word' || is(tokens[at - 1], '.')) return;
    const next = tokens[at + 1];
    if (token.text === 'require' && is(next, '(')) found.push(called(tokens, at));
    if (token.text === 'import') {
      // `import.meta`, or a property of that name.
      if (next?.kind === 'mark' && !['(', '{', '*'].includes(next.text)) return;
      if (is(next, '(')) found.push(called(tokens, at));
      else if (next?.kind === 'string') found.push({ specifier: next.text, line: token.line });
      else found.push(fromClause(tokens, at)?.import ?? { specifier: null, line: token.line });
    }
    if (isReExport(tokens, at)) {
      const clause = fromClause(tokens, at);
      if (clause !== null) found.push(clause.import);
    }
  });
  return found;
};

/** Whether the module holds nothing but re-exports (and imports and exports of names that serve them). */
export const isBarrel = ({ tokens }: Module): boolean => {
  let at = 0;
  while (at < tokens.length) {
    if (is(tokens[at], ';')) {
      at += 1;
      continue;
    }
    if (!is(tokens[at], 'import') && !isReExport(tokens, at)) return false;
    const clause = fromClause(tokens, at);
    if (clause !== null) at = clause.end;
    else if (is(tokens[at], 'export')) at = closing(tokens, afterExport(tokens, at)) + 1;
    else return false;
  }
  return tokens.some((_, index) => isReExport(tokens, index));
};

export const moduleOf = ({ path, text }: SourceFile): Module => {
  const tokens = tokensOf(text);
  return {
    path,
    tokens,
    imports: importsOf(tokens),
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    references: text.split('\n').filter((line) => /^\s*\/\/\/\s*<reference\b/.test(line)),
  };
};
