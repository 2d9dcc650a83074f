import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandNames } from '../../src/cli/program.ts';
import { notePhrases, optionOfField, type Wording, wordings } from '../../src/cli/words.ts';
import { type ProblemCode, problemCodes } from '../../src/records/problem-codes.ts';
import { type Token, tokensOf } from './tokens.ts';

const SRC = join(import.meta.dirname, '../../src');

interface Source {
  readonly path: string;
  readonly tokens: readonly Token[];
}

/** Everything but the command line, whose words these are. */
const rooms: readonly Source[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .map((file) => ({
    path: relative(SRC, file).split(sep).join('/'),
    tokens: tokensOf(readFileSync(file, 'utf8')),
  }))
  .filter(({ path }) => !path.startsWith('cli/'));

const isText = ({ kind }: Token): boolean => kind === 'string' || kind === 'template';
const textsOf = ({ tokens }: Source): string[] => tokens.filter(isText).map(({ text }) => text);

const option = /(^|[^\w-])--([a-z]|$)/;
const command = new RegExp(`\\bventral (${commandNames.join('|')})\\b`);

const typedWords = (sources: readonly Source[]): string[] =>
  sources.flatMap(({ path, tokens }) =>
    tokens
      .filter((token) => isText(token) && (option.test(token.text) || command.test(token.text)))
      .map(({ line, text }) => `${path}:${line}: ${text.trim()}`),
  );

/** Custom properties of CSS look like options. */
const STYLES = 'report/page-style.ts';

describe('words of the command line', () => {
  test('stand in no text of a room', () => {
    expect(typedWords(rooms.filter(({ path }) => path !== STYLES))).toEqual([]);
  });

  test('are found where they stand in texts, not in comments or in other words', () => {
    const planted = [
      "// take --layers\nconst a = 'leave it out with --layers';",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a module
      "/** ventral score */ const b = `see ${ask('ventral data list')} or --${name}`;",
      "const c = 'protocol ventral, scored'; const d = x-- + --y; const e = 'a--b ventral streams';",
    ];
    const found = typedWords(planted.map((text) => ({ path: 'x.ts', tokens: tokensOf(text) })));
    expect(found).toEqual([
      'x.ts:2: leave it out with --layers',
      'x.ts:1: ventral data list',
      'x.ts:1: or --',
    ]);
  });

  const phrasesOf = (wording: Wording): readonly string[] =>
    typeof wording === 'string' ? [] : wording.map(([phrase]) => phrase);

  test('replace phrases that the library says', () => {
    const texts = rooms.flatMap(textsOf);
    const silent = notePhrases.filter(([phrase]) => !texts.some((text) => text.includes(phrase)));
    expect(silent).toEqual([]);
    const unsaid = Object.entries(wordings).flatMap(([code, words]) => {
      const own = rooms
        .filter(({ path }) => path !== 'records/problem-codes.ts')
        .map(textsOf)
        .filter((each) => each.includes(code))
        .flat();
      return Object.values(words)
        .flatMap(phrasesOf)
        .filter((phrase) => !own.some((text) => text.includes(phrase)))
        .map((phrase) => `${code}: ${phrase}`);
    });
    expect(unsaid).toEqual([]);
  });

  test('are there for each field that a problem names, but for arguments', () => {
    const fields = rooms.flatMap(({ tokens }) =>
      tokens.flatMap((token, at) =>
        token.text === 'field' &&
        tokens[at - 1]?.text === ',' &&
        problemCodes.includes(tokens[at - 2]?.text as ProblemCode) &&
        tokens[at + 2]?.kind === 'string'
          ? [tokens[at + 2]!.text]
          : [],
      ),
    );
    expect(fields.length).toBeGreaterThan(30);
    const unknown = fields.filter((field) => !(field in optionOfField));
    expect([...new Set(unknown)].sort()).toEqual(['name', 'scores']);
    const texts = new Set(rooms.flatMap(textsOf));
    expect(Object.keys(optionOfField).filter((field) => !texts.has(field))).toEqual([]);
  });
});

test('every code of a problem is thrown somewhere', () => {
  const texts = new Set(
    rooms.filter(({ path }) => path !== 'records/problem-codes.ts').flatMap(textsOf),
  );
  expect(problemCodes.filter((code) => !texts.has(code))).toEqual([]);
  expect(problemCodes.filter((code) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code))).toEqual([]);
  expect(new Set(problemCodes).size).toBe(problemCodes.length);
});
