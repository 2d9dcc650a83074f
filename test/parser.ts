import { readFileSync } from 'node:fs';
import type { Change } from './mutations.ts';

/** A parser and small files that it reads. */
export interface Parser {
  readonly seeds: () => Uint8Array[];
  readonly parse: (bytes: Uint8Array) => Promise<unknown>;
  /** Most seconds for one file. */
  readonly seconds: number;
  /**
   * Ways to change the files beside changes of bytes: `names`, `wires`, `sums` (content, with its checksum repaired); `bytes`
   * where those of the seed itself mean nothing.
   */
  readonly changes?: Readonly<Record<string, Change>>;
}

export const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`./golden/${name}`, import.meta.url)));

/** Every file in base64 that a golden record holds, at whatever depth. */
export const embedded = (name: string): Uint8Array[] => {
  const found: Uint8Array[] = [];
  const search = (value: unknown): void => {
    if (typeof value === 'string' && value.length > 80 && /^[A-Za-z0-9+/]+=*$/.test(value)) {
      found.push(new Uint8Array(Buffer.from(value, 'base64')));
    } else if (typeof value === 'object' && value !== null) Object.values(value).forEach(search);
  };
  search(JSON.parse(new TextDecoder().decode(golden(name))));
  return found;
};
