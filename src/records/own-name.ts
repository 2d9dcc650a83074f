import { inputError } from './errors.ts';

interface Named {
  readonly name: string;
  readonly description?: unknown;
  readonly revision: number;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isSame = (a: unknown, b: unknown): boolean => {
  if (!isRecord(a) || !isRecord(b)) return Object.is(a, b);
  const [left, right] = [Object.keys(a), Object.keys(b)];
  return left.length === right.length && left.every((key) => key in b && isSame(a[key], b[key]));
};

/** Fields that differ, but for the description, which changes no number, and the revision, which nobody chooses. */
const differing = (a: object, b: object): string[] => {
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.filter(
    (key) => key !== 'description' && key !== 'revision' && !isSame(left![key], right![key]),
  );
};

/** For a file of a protocol that does not parse. */
export const protocolRemedy = {
  code: 'protocol-file',
  field: 'protocol',
  mend: 'take a named protocol as a model',
} as const;

/**
 * A protocol that was read from a file, under a name of its own: one that keeps the name of a known protocol while its content
 * differs is called `image-cv (changed: folds)`, by the fields that differ from the nearest of that name. One that is a known
 * protocol has its revision, which is what this version computes; input error where it asks for another one (but 1, which
 * every file has that says nothing of it).
 */
export const withOwnName = <P extends Named>(protocol: P, known: readonly P[]): P => {
  const changes = known
    .filter(({ name }) => name === protocol.name)
    .map(({ revision, ...rest }) => ({ revision, fields: differing(protocol, rest) }))
    .sort((a, b) => a.fields.length - b.fields.length);
  const [nearest] = changes;
  if (nearest === undefined) return protocol;
  const { fields, revision } = nearest;
  if (fields.length > 0)
    return { ...protocol, name: `${protocol.name} (changed: ${fields.join(', ')})` };
  if (protocol.revision !== 1 && protocol.revision !== revision)
    throw inputError({
      where: `protocol ${protocol.name}: revision`,
      expected: `${revision}, which this version computes`,
      got: `${protocol.revision}`,
      mend: 'leave it out, or use the version of ventral that the file is of',
    });
  return { ...protocol, revision };
};
