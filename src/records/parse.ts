import type * as z from 'zod';
import { inputError, type Problem, reasonOf } from './errors.ts';

/** Such as `layers[0].name`. */
export const fieldPath = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`,
    )
    .join('');

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null
        ? (inner as Record<PropertyKey, unknown>)[part]
        : undefined,
    value,
  );

const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const problemOf = (issue: z.core.$ZodIssue, value: unknown): { expected: string; got: string } => {
  const got = shown(valueAt(value, issue.path));
  switch (issue.code) {
    case 'unrecognized_keys':
      return {
        expected: 'known fields only',
        got: `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}`,
      };
    case 'invalid_value':
      return { expected: issue.values.map((each) => JSON.stringify(each)).join(' or '), got };
    case 'invalid_type':
      return { expected: `a value of type ${issue.expected}`, got };
    default:
      if (issue.code === 'too_small' && issue.origin === 'string')
        return { expected: 'a text that is not empty', got };
      return {
        expected: issue.message.replace(/^(Invalid input|Too small|Too big): expected /, ''),
        got,
      };
  }
};

/** What to do about data that does not parse; a text alone goes with the codes `not-json` and `invalid-field`. */
export type Remedy = string | Pick<Problem, 'code' | 'field' | 'mend'>;

export const remedyOf = (remedy: Remedy, code: Problem['code']) =>
  typeof remedy === 'string' ? { code, mend: remedy } : remedy;

/**
 * Turns unknown data into a record, or throws one input error for the first thing that is wrong.
 * `source` is the file or field as the user knows it; `remedy` says what to do.
 */
export const parseAs = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: string,
  remedy: Remedy,
): z.infer<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = fieldPath(issue.path);
  throw inputError({
    where: path === '' ? source : `${source}: ${path}`,
    ...problemOf(issue, value),
    ...remedyOf(remedy, 'invalid-field'),
  });
};

/** JSON text as a value; input error where it is none. */
export const parseJson = (text: string, source: string, remedy: Remedy): unknown => {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw inputError(
      {
        where: source,
        expected: 'JSON',
        got: `text that does not parse (${reasonOf(thrown)})`,
        ...remedyOf(remedy, 'not-json'),
      },
      thrown,
    );
  }
};

/** Parses JSON text, then `parseAs`. */
export const parseJsonAs = <S extends z.ZodType>(
  schema: S,
  text: string,
  source: string,
  remedy: Remedy,
): z.infer<S> => parseAs(schema, parseJson(text, source, remedy), source, remedy);
