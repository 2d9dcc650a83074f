// A protocol's hash outlives the fields that are added to protocols and the names that are given to them anew: it is taken
// over the form in which the first version would have written it.

import { sha256Of } from './canonical-json.ts';
import type { Hash } from './ports.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Fields that came later, at the value that they have where a protocol says nothing of them. Whoever adds one adds it here. */
const laterDefaults: Fields = { missing: 'per-site', revision: 1 };

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const renamed = (fields: Fields, from: string, to: string): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key === from ? to : key, value]),
  );

/** What a protocol's hash is over: its fields by their first names, later ones only where they are not at their default. */
export const firstForm = (protocol: object): Fields => {
  const fields = Object.fromEntries(
    Object.entries(protocol).filter(
      ([key, value]) => !(Object.hasOwn(laterDefaults, key) && laterDefaults[key] === value),
    ),
  );
  const { regression } = fields;
  return isFields(regression)
    ? { ...fields, regression: renamed(regression, 'alphas', 'strengths') }
    : fields;
};

/** An unparsed protocol of any version under the names of this one: ridge's `strengths` are `alphas`. */
export const withPresentNames = (value: unknown): unknown => {
  if (!isFields(value) || !isFields(value.regression) || 'alphas' in value.regression) return value;
  return { ...value, regression: renamed(value.regression, 'strengths', 'alphas') };
};

/** SHA-256 of what a protocol says, in lower-case hexadecimal: that of the provenance. */
export const protocolHash = (protocol: object, hash: Hash): Promise<string> =>
  sha256Of(firstForm(protocol), hash);
