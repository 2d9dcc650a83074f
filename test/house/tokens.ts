/** A lexical token of TypeScript. Comments are dropped; a template literal becomes several tokens. */
export interface Token {
  readonly kind: 'word' | 'string' | 'template' | 'regex' | 'number' | 'mark';
  /** The text as written; of a string, its contents. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /\.?\d(?:[eE][+-]|[\w.])*/y;
const SPACE = /\s+/y;
const LINE_COMMENT = /(?:\/\/|#!).*/y;
const BLOCK_COMMENT = /\/\*[\s\S]*?\*\//y;
const STRING = /'((?:[^'\\\n]|\\[\s\S])*)'|"((?:[^"\\\n]|\\[\s\S])*)"/y;
const REGEX = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_PART = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

/** Words after which a slash begins a regular expression, because no value ends there. */
const BEFORE_REGEX = new Set(
  'return typeof case in of do else void delete throw new instanceof yield await default'.split(
    ' ',
  ),
);

const endsValue = (token: Token | undefined): boolean => {
  if (token === undefined) return false;
  if (token.kind === 'mark') return [')', ']', '}'].includes(token.text);
  return token.kind !== 'word' || !BEFORE_REGEX.has(token.text);
};

/**
 * Cuts TypeScript into tokens: enough to find imports for sure, whatever stands in strings, comments, templates
 * and regular expressions (TypeScript 7 has no compiler API to ask). A slash after `)` or `}` is read as a division.
 */
export const tokensOf = (source: string): Token[] => {
  const tokens: Token[] = [];
  /** Depths of braces at which a template's `${` was opened. */
  const templates: number[] = [];
  let braces = 0;
  let at = 0;
  let line = 1;

  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match === null) return null;
    at = pattern.lastIndex;
    return match;
  };
  const push = (kind: Token['kind'], text: string): void => {
    tokens.push({ kind, text, line });
  };
  const templatePart = (): void => {
    const text = take(TEMPLATE_PART)?.[0] ?? '';
    push('template', text);
    line += text.split('\n').length - 1;
    if (source[at] === '$') {
      templates.push(braces);
      at += 2;
      push('mark', '${');
    } else {
      at += 1;
    }
  };

  while (at < source.length) {
    const skipped = take(SPACE) ?? take(BLOCK_COMMENT) ?? take(LINE_COMMENT);
    if (skipped !== null) {
      line += skipped[0].split('\n').length - 1;
      continue;
    }
    const next = source[at]!;
    const text = take(STRING);
    if (text !== null) {
      push('string', text[1] ?? text[2] ?? '');
      line += text[0].split('\n').length - 1;
      continue;
    }
    if (next === '`') {
      at += 1;
      templatePart();
      continue;
    }
    if (next === '}' && templates.at(-1) === braces) {
      templates.pop();
      at += 1;
      push('mark', '}');
      templatePart();
      continue;
    }
    const regex = next === '/' && !endsValue(tokens.at(-1)) ? take(REGEX) : null;
    if (regex !== null) {
      push('regex', regex[0]);
      continue;
    }
    const number = take(NUMBER);
    const word = number === null ? take(WORD) : null;
    if (number !== null) push('number', number[0]);
    else if (word !== null) push('word', word[0]);
    else {
      if (next === '{') braces += 1;
      if (next === '}') braces -= 1;
      push('mark', next);
      at += 1;
    }
  }
  return tokens;
};
