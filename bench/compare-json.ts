// What of two files must be equal when code was changed and no number should be.

/** Which differences between BEFORE and AFTER are none. Fields are named by the end of their path: `layer` or `sites.layer`. */
export interface SameTable {
  /**
   * Old name of a field → its new one. The new one may lead deeper, from the same record: `images` → `n.images`. A field
   * that AFTER has by its old name was not renamed.
   */
  readonly renamed: Readonly<Record<string, string>>;
  /** Fields that AFTER alone may have. */
  readonly added: readonly string[];
  /** Fields that are not looked at. */
  readonly ignored: readonly string[];
  /** Records of which only the hashes count: those of BEFORE must be found in AFTER, wherever they stand. */
  readonly shapeless: readonly string[];
}

export interface Difference {
  /** Such as `layers[2].sites[0].raw`; empty for the whole. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** An array of numbers as a file of NumPy's holds it; bits count, NaN equals NaN, 0 is not −0. */
export type Numbers = Float64Array | Float32Array | BigInt64Array | BigUint64Array | Int32Array;

const absent = 'absent';
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !ArrayBuffer.isView(value);
const isNumbers = (value: unknown): value is Numbers =>
  ArrayBuffer.isView(value) && 'length' in value;

const shown = (value: unknown): string => {
  if (value === undefined) return absent;
  if (isNumbers(value)) return `${value.constructor.name} of ${value.length}`;
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};

/** Whether the path without its indices ends in one of the names; the longest that it does. */
const named = (trail: readonly string[], names: readonly string[]): string | undefined => {
  const path = `.${trail.join('.')}`;
  return names
    .filter((name) => path.endsWith(`.${name}`))
    .sort((a, b) => b.length - a.length)
    .at(0);
};

/** Puts a value where a dotted name leads, beside what lies there already. */
const put = (fields: Record<string, unknown>, name: string, value: unknown): void => {
  const [first, ...rest] = name.split('.') as [string, ...string[]];
  if (rest.length === 0) {
    fields[first] = value;
    return;
  }
  const deeper = isFields(fields[first]) ? { ...fields[first] } : {};
  put(deeper, rest.join('.'), value);
  fields[first] = deeper;
};

/** The fields of BEFORE under the names that AFTER has for them. */
const translated = (
  before: Fields,
  after: Fields,
  trail: readonly string[],
  { renamed }: SameTable,
): Fields => {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(before)) {
    const old = key in after ? undefined : named([...trail, key], Object.keys(renamed));
    put(fields, old === undefined ? key : renamed[old]!, value);
  }
  return fields;
};

/** The SHA-256 hashes that stand anywhere in it, but for fields that are not looked at. */
const hashesIn = (value: unknown, trail: readonly string[], table: SameTable): string[] => {
  if (typeof value === 'string')
    return [...value.matchAll(/\b[0-9a-f]{64}\b/g)].map(([hash]) => hash);
  if (Array.isArray(value)) return value.flatMap((each) => hashesIn(each, trail, table));
  if (!isFields(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = [...trail, key];
    return named(below, table.ignored) === undefined ? hashesIn(inner, below, table) : [];
  });
};

/**
 * All differences between two values: parsed JSON whose leaves may also be arrays of numbers. Numbers are equal only
 * where their bits are.
 */
export const compareJson = (before: unknown, after: unknown, table: SameTable): Difference[] => {
  const found: Difference[] = [];
  const differ = (path: string, a: string, b: string): void => {
    found.push({ path, before: a, after: b });
  };

  const compareNumbers = (a: Numbers, b: Numbers, path: string): void => {
    if (a.constructor !== b.constructor || a.length !== b.length) {
      differ(path, shown(a), shown(b));
      return;
    }
    const unequal: number[] = [];
    for (let k = 0; k < a.length; k++) if (!Object.is(a[k], b[k])) unequal.push(k);
    const first = unequal[0];
    if (first !== undefined)
      differ(`${path}[${first}] (and ${unequal.length - 1} more)`, `${a[first]}`, `${b[first]}`);
  };

  const compareFields = (a: Fields, b: Fields, path: string, trail: readonly string[]): void => {
    const old = translated(a, b, trail, table);
    for (const key of new Set([...Object.keys(old), ...Object.keys(b)])) {
      const below = [...trail, key];
      if (named(below, table.ignored) !== undefined) continue;
      if (!(key in old) && named(below, table.added) !== undefined) continue;
      compare(old[key], b[key], path === '' ? key : `${path}.${key}`, below);
    }
  };

  const compareHashes = (a: unknown, b: unknown, path: string, trail: readonly string[]): void => {
    const known = new Set(hashesIn(b, trail, table));
    for (const hash of new Set(hashesIn(a, trail, table)))
      if (!known.has(hash)) differ(path, hash, 'not among its hashes');
  };

  const compareElements = (
    a: readonly unknown[],
    b: readonly unknown[],
    path: string,
    trail: readonly string[],
  ): void => {
    if (a.length !== b.length) differ(path, `${a.length} elements`, `${b.length} elements`);
    else for (const [k, each] of a.entries()) compare(each, b[k], `${path}[${k}]`, trail);
  };

  const compare = (a: unknown, b: unknown, path: string, trail: readonly string[]): void => {
    if (named(trail, table.shapeless) !== undefined) compareHashes(a, b, path, trail);
    else if (Array.isArray(a) && Array.isArray(b)) compareElements(a, b, path, trail);
    else if (isNumbers(a) && isNumbers(b)) compareNumbers(a, b, path);
    else if (isFields(a) && isFields(b)) compareFields(a, b, path, trail);
    else if (!Object.is(a, b)) differ(path, shown(a), shown(b));
  };

  compare(before, after, '', []);
  return found;
};

// A number that is no part of a name: not `V4-01`, not `conv3`, not `v4.pool`.
const number =
  /\b[0-9a-f]{64}\b|(?<![\p{L}\p{N}_./-])[-−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\p{L}\p{N}_/-]|\.\p{L})/gu;

/** The numbers and hashes that a text prints, in their order, as they are written. */
export const numbersOf = (text: string): string[] => [...text.matchAll(number)].map(([it]) => it);

/** A note is a message; the last line of a score ends with the time that it took. */
const passing = [/^note\b.*$/gmu, /, [\d.]+ (?:ms|s|min|h)(?: \d+ \w+)?$/gmu];

/** Compares the numbers of two texts, not their words; at most one difference, the first, with its line. */
export const compareTexts = (before: string, after: string): Difference[] => {
  const lines = [before, after].map((text) =>
    passing
      .reduce((rest, each) => rest.replace(each, ''), text)
      .split('\n')
      .flatMap((line) => numbersOf(line).map((each) => ({ each, line }))),
  ) as [{ each: string; line: string }[], { each: string; line: string }[]];
  const [a, b] = lines;
  const length = Math.max(a.length, b.length);
  for (let k = 0; k < length; k++) {
    if (a[k]?.each === b[k]?.each) continue;
    const said = (at: { each: string; line: string } | undefined) =>
      at === undefined ? absent : `${at.each} in "${at.line.trim().slice(0, 100)}"`;
    return [{ path: `number ${k + 1}`, before: said(a[k]), after: said(b[k]) }];
  }
  return [];
};
