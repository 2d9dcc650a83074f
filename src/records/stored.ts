// What ventral writes says what it is: `kind`, and `format`, an integer that is raised only when an older reader would misread
// the file. Files of older formats are brought to the present one step by step; fields that this version does not know are kept.

import type * as z from 'zod';
import { inputError } from './errors.ts';
import { loosened } from './loosened.ts';
import { fieldPath, parseAs, parseJson, type Remedy, remedyOf } from './parse.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One kind of file. */
export interface StoredKind<S extends z.ZodType> {
  readonly kind: string;
  readonly schema: S;
  /** The first makes format 2 of format 1, and so on: the present format is one more than there are. */
  readonly migrations: readonly ((file: Fields) => Fields)[];
  /** What `format` was, with `version: 1`, where the first format had no `kind`. */
  readonly firstFormat?: string;
  /** How a user comes by such a file. */
  readonly remedy: Remedy;
}

/** Input error where the format is one that only a later version can read. */
export const refuseNewer = (format: number, known: number, source: string): void => {
  if (format <= known) return;
  throw inputError({
    where: source,
    expected: `format ${known} or older`,
    got: `a file that was written by a newer ventral (format ${format}, this one reads up to ${known})`,
    mend: 'update ventral',
  });
};

const shown = (value: unknown): string => JSON.stringify(value) ?? 'nothing';

const formatOf = <S extends z.ZodType>(
  file: Fields,
  { kind, firstFormat, migrations, remedy }: StoredKind<S>,
  source: string,
): number => {
  const wrong = (field: string, expected: string, got: unknown) =>
    inputError({
      where: `${source}: ${field}`,
      expected,
      got: shown(got),
      ...remedyOf(remedy, 'invalid-field'),
    });
  if (firstFormat !== undefined && file.format === firstFormat) {
    if (file.version !== 1) throw wrong('version', '1', file.version);
    return 1;
  }
  if (file.kind !== kind) throw wrong('kind', `"${kind}"`, file.kind);
  const { format = 1 } = file;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1)
    throw wrong('format', 'a whole number from 1', format);
  refuseNewer(format, migrations.length + 1, source);
  return format;
};

/**
 * A file of a kind, of any format that was ever written. `source` is the file as the user knows it. Input errors: no JSON,
 * another kind, a format of a later version, an ill-typed field.
 */
export const parseStored = <S extends z.ZodType>(
  stored: StoredKind<S>,
  text: string,
  source: string,
): z.infer<S> => {
  const value = parseJson(text, source, stored.remedy);
  if (!isFields(value)) return parseAs(stored.schema, value, source, stored.remedy);
  const format = formatOf(value, stored, source);
  const present = stored.migrations.slice(format - 1).reduce<Fields>((file, migrate, step) => {
    const { kind: _, format: __, ...rest } = migrate(file);
    return { kind: stored.kind, format: format + step + 1, ...rest };
  }, value);
  return parseAs(loosened(stored.schema), present, source, stored.remedy);
};

/** Fields of a parsed file that this version does not know, as paths: of a later version, or misspelt. */
export const unknownFields = <S extends z.ZodType>(
  { schema }: StoredKind<S>,
  file: unknown,
): string[] =>
  (schema.safeParse(file).error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => fieldPath([...issue.path, key]))
      : [],
  );
