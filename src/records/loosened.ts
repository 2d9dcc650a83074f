import * as z from 'zod';

/** A schema of the same kind with other parts, its checks and description kept. */
const withParts = (schema: z.ZodType, parts: object): z.ZodType => {
  const again = z.clone(schema, {
    ...schema.def,
    ...parts,
  } as z.core.$ZodTypeDef) as z.ZodType;
  return schema.description === undefined ? again : again.describe(schema.description);
};

const partsOf = (schema: z.ZodType): object | null => {
  const inner = (of: unknown): z.ZodType => loosened(of as z.ZodType);
  if (schema instanceof z.ZodObject) {
    const shape = Object.entries(schema.shape).map(([key, value]) => [key, inner(value)] as const);
    return { shape: Object.fromEntries(shape), catchall: z.unknown() };
  }
  if (schema instanceof z.ZodArray) return { element: inner(schema.element) };
  if (schema instanceof z.ZodUnion) return { options: schema.options.map(inner) };
  if (schema instanceof z.ZodRecord) return { valueType: inner(schema.valueType) };
  const wraps =
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodReadonly;
  return wraps ? { innerType: inner(schema.unwrap()) } : null;
};

/**
 * The schema with unknown fields allowed, and kept, in every object: for files that a later version may have written. The type
 * is that of the strict schema, since code knows no other fields.
 */
export const loosened = <S extends z.ZodType>(schema: S): S => {
  const parts = partsOf(schema);
  return parts === null ? schema : (withParts(schema, parts) as S);
};
