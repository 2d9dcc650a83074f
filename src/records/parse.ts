import type * as z from 'zod';
import { inputError, reasonOf } from './errors.ts';

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

/**
 * Turns unknown data into a record, or throws one input error for the first thing that is wrong.
 * `source` is the file or option as the user knows it; `mend` says what to do.
 */
export const parseAs = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  source: string,
  mend: string,
): z.infer<S> => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const path = fieldPath(issue.path);
  throw inputError({
    where: path === '' ? source : `${source}: ${path}`,
    ...problemOf(issue, value),
    mend,
  });
};

/** JSON text as a value; input error where it is none. */
export const parseJson = (text: string, source: string, mend: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw inputError(
      {
        where: source,
        expected: 'JSON',
        got: `text that does not parse (${reasonOf(thrown)})`,
        mend,
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
  mend: string,
): z.infer<S> => parseAs(schema, parseJson(text, source, mend), source, mend);
