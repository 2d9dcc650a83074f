import type { Random } from '../src/numeric/random.ts';

/** Names that files may give to things, though no author would: of JavaScript's own, of paths, of terminals, and none. */
const strangeNames: readonly string[] = [
  ...['', ' ', '.', '..', '/', '-', '*', '?', '"', ',', '0', '-1', '1e999', 'NaN', 'null'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then'],
  ...['length', 'name', 'get', 'toJSON', '__defineGetter__', 'values', 'shape', 'data'],
  ...['../../etc/passwd', '/etc/passwd', 'C:\\x.png', 'a/b', 'a\\b', './a', 'a//b', '~', 'a/../b'],
  ...['\u0000', 'a\u0000b', 'a\nb', 'a\rb', '\t', '\u001b[31m', '\u009b2J', '\u202eba', '\ufeff'],
  ...['猫', 'e\u0301', '\ud800', '💥', '%s%n', '{{x}}', '</script>', '=1+1', 'x'.repeat(300)],
  'y'.repeat(60_000),
];

export const pick = <T>(values: readonly T[], random: Random): T =>
  values[random.int(values.length)]!;

/** A strange name, or (one time in four) one of `others`, which is then there twice. */
export const strangeName = (random: Random, others: readonly string[] = []): string =>
  others.length > 0 && random.int(4) === 0 ? pick(others, random) : pick(strangeNames, random);

/** The bytes of a name; now and then they are no UTF-8. */
export const strangeBytes = (random: Random, others: readonly string[] = []): Uint8Array => {
  const bytes = new TextEncoder().encode(strangeName(random, others));
  if (random.int(6) > 0) return bytes;
  return Uint8Array.of(...bytes.subarray(0, 100), pick([0xff, 0xc0, 0xe2, 0x80], random));
};

const joined = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts));

/** Where in a file its words stand: runs of letters of ASCII as names have them. */
const wordsIn = (bytes: Uint8Array, least: number): readonly (readonly [number, number])[] => {
  const text = Buffer.from(bytes).toString('latin1');
  return [...text.matchAll(/[\w.-]+/g)].flatMap(({ 0: word, index }) =>
    word.length < least ? [] : [[index, index + word.length] as const],
  );
};

/** As it would stand in a quoted text of JSON or CSV, or as it is. */
const written = (name: Uint8Array, random: Random): Uint8Array => {
  const text = Buffer.from(name).toString('latin1');
  const escaped = JSON.stringify(text).slice(1, -1);
  const way = random.int(4);
  if (way < 2) return Buffer.from(escaped, 'latin1');
  return way === 2 ? name : Buffer.from(`"${text.replaceAll('"', '""')}"`, 'latin1');
};

/** A text (JSON, CSV) with one to three words in the place of others, or a line or word that comes twice. */
export const renamedText = (bytes: Uint8Array, random: Random): Uint8Array => {
  let text = bytes;
  for (let edit = 1 + random.int(3); edit > 0; edit--) {
    const words = wordsIn(text, 1);
    if (words.length === 0) return text;
    const [from, to] = pick(words, random);
    const others = words.slice(0, 50).map(([a, b]) => Buffer.from(text.subarray(a, b)).toString());
    const name = written(strangeBytes(random, others), random);
    text = joined(text.subarray(0, from), name, text.subarray(to));
  }
  return text;
};

/** A binary file with one to three words overwritten by others of the same length. */
export const renamedInPlace = (bytes: Uint8Array, random: Random): Uint8Array => {
  const copy = bytes.slice();
  const words = wordsIn(copy, 2);
  for (let edit = 1 + random.int(3); edit > 0 && words.length > 0; edit--) {
    const [from, to] = pick(words, random);
    const [a, b] = pick(words, random);
    const own = random.int(4) === 0 ? copy.slice(a, b) : strangeBytes(random);
    copy.fill(pick([0, 0x20, 0x5f], random), from, to);
    copy.set(own.subarray(0, to - from), from);
  }
  return copy;
};
