interface Named {
  readonly name: string;
  readonly description?: unknown;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isSame = (a: unknown, b: unknown): boolean => {
  if (!isRecord(a) || !isRecord(b)) return Object.is(a, b);
  const [left, right] = [Object.keys(a), Object.keys(b)];
  return left.length === right.length && left.every((key) => key in b && isSame(a[key], b[key]));
};

/** Fields that differ, but for the description, which changes no number. */
const differing = (a: object, b: object): string[] => {
  const [left, right] = [a, b] as Readonly<Record<string, unknown>>[];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.filter((key) => key !== 'description' && !isSame(left![key], right![key]));
};

/** For a file of a protocol that does not parse. */
export const protocolRemedy = {
  code: 'protocol-file',
  field: 'protocol',
  mend: 'take a named protocol as a model',
} as const;

/**
 * A protocol that was read from a file, under a name of its own: one that keeps the name of a known protocol while its content
 * differs is called `image-cv (changed: folds)`, by the fields that differ from the nearest of that name.
 */
export const withOwnName = <P extends Named>(protocol: P, known: readonly P[]): P => {
  const changes = known
    .filter(({ name }) => name === protocol.name)
    .map((each) => differing(protocol, each))
    .sort((a, b) => a.length - b.length);
  const [fewest = []] = changes;
  if (fewest.length === 0) return protocol;
  return { ...protocol, name: `${protocol.name} (changed: ${fewest.join(', ')})` };
};
