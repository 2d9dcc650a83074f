import { readFileSync } from 'node:fs';
import type { Float32Nd } from '../src/records/array.ts';

interface Floats {
  readonly shape: readonly number[];
  readonly base64: string;
}

interface Golden {
  readonly resized: readonly { map: Floats; plain: Floats; antialiased: Floats }[];
  readonly clickme: { clicks: string; levels: readonly number[]; blurred: Floats; resized: Floats };
  readonly fixations: {
    readonly height: number;
    readonly width: number;
    readonly sigma: number;
    readonly points: readonly (readonly [number, number])[];
    readonly outside: number;
    readonly map: Floats;
  };
  readonly figures: readonly {
    readonly a: Floats;
    readonly b: Floats;
    readonly percentile: number;
    readonly spearman: number;
    readonly dice: number;
    readonly iou: number;
  }[];
  readonly edges: { levels: Floats; edges: Floats };
  readonly records: { shard: string; labels: readonly number[]; negative: string };
}

/** What `make-human-maps.py` wrote. */
export const humanMapsGolden = JSON.parse(
  readFileSync(new URL('golden/human-maps.json', import.meta.url), 'utf8'),
) as Golden;

export const bytesOf = (base64: string): Uint8Array =>
  new Uint8Array(Buffer.from(base64, 'base64'));

export const floatsOf = ({ shape, base64 }: Floats): Float32Nd => ({
  data: new Float32Array(bytesOf(base64).buffer),
  shape,
});

/** Largest difference of two maps; infinite where their shapes differ. */
export const difference = (got: Float32Nd, expected: Float32Nd): number =>
  got.shape.join() === expected.shape.join()
    ? expected.data.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - got.data[i]!)),
        got.data.length === expected.data.length ? 0 : Number.POSITIVE_INFINITY,
      )
    : Number.POSITIVE_INFINITY;
