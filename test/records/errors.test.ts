import { expect, it } from 'vitest';
import * as z from 'zod';
import { engineError, inputError, problemLine, storageError } from '../../src/records/errors.ts';
import { parseJsonAs } from '../../src/records/parse.ts';

const parts = { where: 'there', expected: 'one', got: 'two', mend: 'do' };

it('problems have the code of their kind where none is stated, and no field', () => {
  expect(inputError(parts).problem).toEqual({ code: 'invalid-input', field: null, ...parts });
  expect(storageError(parts).problem?.code).toBe('storage');
  expect(engineError(parts).problem?.code).toBe('engine');
  const stated = { ...parts, code: 'no-such-layer', field: 'layers' } as const;
  expect(inputError(stated).problem).toEqual(stated);
});

it('a problem is one line, whatever names are in it', () => {
  expect(problemLine({ ...parts, where: 'a\nb\u0007c' })).toBe('a b c: expected one, got two; do');
});

it('data that does not parse has the code of its remedy, or one that tells JSON from fields', () => {
  const schema = z.strictObject({ a: z.number() });
  const codeOf = (text: string, remedy: Parameters<typeof parseJsonAs>[3]): unknown => {
    try {
      return parseJsonAs(schema, text, 'a.json', remedy);
    } catch (thrown) {
      return (thrown as ReturnType<typeof inputError>).problem;
    }
  };
  expect(codeOf('{', 'mend it')).toMatchObject({ code: 'not-json', field: null, mend: 'mend it' });
  expect(codeOf('{"a": "b"}', 'mend it')).toMatchObject({ code: 'invalid-field', field: null });
  const remedy = { code: 'protocol-file', field: 'protocol', mend: 'take another' } as const;
  for (const text of ['{', '{"a": "b"}']) expect(codeOf(text, remedy)).toMatchObject(remedy);
});
