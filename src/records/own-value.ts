/**
 * What a table has under a key that comes from a file; undefined where it has none. Operations, domains and tensors may be
 * called `constructor` or `__proto__`, under which every object has something.
 */
export const ownValue = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined;
