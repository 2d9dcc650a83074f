import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  isStrings,
  npyParts,
  readFloat64,
  readNpy,
  readNpyHeader,
  readNumbers,
} from '../../src/formats/npy.ts';
import type { NdArray } from '../../src/records/array.ts';
import { inputLine } from './failure.ts';

interface Golden {
  npy: { name: string; shape: number[]; values: (string | boolean)[]; base64: string }[];
  refused: Record<'object' | 'complex' | 'structure' | 'date' | 'long double', string>;
}
const golden = JSON.parse(
  readFileSync(new URL('../golden/npy.json', import.meta.url), 'utf8'),
) as Golden;
const bytesOf = (base64: string): Uint8Array => Buffer.from(base64, 'base64');
const caseOf = (name: string) => golden.npy.find((each) => each.name === name)!;
const file = (name: string): Uint8Array => bytesOf(caseOf(name).base64);

const python = (value: string | boolean): number | bigint => {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const named: Record<string, number> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
  return named[value] ?? (/^-?\d+$/.test(value) ? BigInt(value) : Number(value));
};

/** A version-1 file with this header text and body. */
const made = (header: string, body: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const text = new TextEncoder().encode(header);
  const lead = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8];
  return Uint8Array.from([...lead, ...text, ...body]);
};

describe('reads what NumPy writes', () => {
  it.each(golden.npy)('$name', ({ name, shape, values, base64 }) => {
    const array = readNpy(bytesOf(base64), 'x.npy');
    expect(array.shape).toEqual(shape);
    if (isStrings(array)) {
      expect(array.strings).toEqual(values);
      return;
    }
    const wanted = values.map(python);
    const isBig = array.data instanceof BigInt64Array || array.data instanceof BigUint64Array;
    expect(isBig).toBe(/[iu]8$/.test(name));
    expect([...array.data]).toEqual(isBig ? wanted : wanted.map(Number));
  });

  it('as the type that was saved', () => {
    expect(readNumbers(file('<f2'), 'x').data).toBeInstanceOf(Float32Array);
    expect(readNumbers(file('>f4'), 'x').data).toBeInstanceOf(Float32Array);
    expect(readNumbers(file('bool'), 'x').data).toBeInstanceOf(Uint8Array);
    expect(readNumbers(file('<u8'), 'x').data).toBeInstanceOf(BigUint64Array);
    expect(readFloat64(file('>i8'), 'x').data).toEqual(
      Float64Array.from([-(2 ** 63), 2 ** 63, 0, 7]),
    );
  });

  it('at any offset of a larger buffer, and apart from it', () => {
    const bytes = file('<f8');
    const within = new Uint8Array(bytes.length + 3);
    within.set(bytes, 3);
    const array = readNumbers(within.subarray(3), 'x');
    within.fill(0);
    expect(array.data[0]).toBe(1.5);
  });
});

describe('writes', () => {
  it('what it reads, for every type', () => {
    for (const { name, base64 } of golden.npy) {
      const array = readNpy(bytesOf(base64), name);
      const again = readNpy(Buffer.concat(npyParts(array)), name);
      expect(again).toEqual(array);
    }
  });

  it('the bytes of NumPy for float64 in C order', () => {
    const array: NdArray = {
      data: new Float64Array([1.5, -2, 3, 0, 65504, -6.103515625e-5]),
      shape: [2, 3],
    };
    expect(Buffer.concat(npyParts(array))).toEqual(file('<f8'));
  });
});

describe('refuses, in one line', () => {
  it('objects', async () => {
    expect(await inputLine(() => readNpy(bytesOf(golden.refused.object), 'R.npy'))).toBe(
      'R.npy: expected an array of numbers, got Python objects (dtype object); save it as numbers: numpy.save(path, numpy.asarray(array, dtype=float))',
    );
  });

  it.each(['complex', 'structure', 'date', 'long double'] as const)('%s', async (name) => {
    const line = await inputLine(() => readNpy(bytesOf(golden.refused[name]), 'R.npy'));
    expect(line).toContain('R.npy: expected numbers of up to 64 bits, booleans or text, got dtype');
  });

  it('a header that claims 10^15 elements, before any allocation', async () => {
    const claim = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000000), }\n";
    const line = await inputLine(() => readNpy(made(claim, new Uint8Array(80)), 'R.npy'));
    expect(line).toBe(
      'R.npy: expected 8000000000000000 bytes for the 1000000000000000 elements that the header claims (1000000, 1000000000), got 80; copy the file again',
    );
    for (const type of ['<U0', '|S0', '|V0']) {
      await inputLine(() => readNpy(made(claim.replace('<f8', type)), 'R.npy'));
    }
    const beyond = claim.replace('1000000,', '99999999999999999999,');
    expect(await inputLine(() => readNpy(made(beyond), 'R.npy'))).toContain('whole numbers');
    const negative = claim.replace('1000000,', '-1000000,');
    expect(await inputLine(() => readNpy(made(negative), 'R.npy'))).toContain('whole numbers');
  });

  it('a truncated file at every length', async () => {
    const bytes = file('cube in Fortran order');
    for (const length of [0, 5, 6, 8, 9, 50, 127, 128, bytes.length - 1]) {
      const line = await inputLine(() => readNpy(bytes.subarray(0, length), 'R.npy'));
      expect(line.startsWith('R.npy: expected ')).toBe(true);
    }
  });

  it('a file with more bytes than its header claims', async () => {
    const bytes = Buffer.concat([file('cube'), new Uint8Array(4)]);
    expect(await inputLine(() => readNpy(bytes, 'R.npy'))).toContain('save one array per file');
  });

  it('what is not npy, other versions, and text where numbers are needed', async () => {
    const text = new TextEncoder().encode('site,stimulus\n1,2\n');
    expect(await inputLine(() => readNpy(text, 'R.npy'))).toBe(
      'R.npy: expected a NumPy array (npy), got another kind of file; save it again with numpy.save',
    );
    const other = Uint8Array.from(file('cube'));
    other[6] = 9;
    expect(await inputLine(() => readNpy(other, 'R.npy'))).toContain('got version 9');
    expect(await inputLine(() => readNumbers(file('text'), 'R.npy'))).toContain('got text');
  });
});

it('reads the header from the beginning of the file alone', () => {
  expect(readNpyHeader(file('cube in Fortran order').subarray(0, 128), 'x')).toEqual({
    kind: 'float32',
    itemSize: 4,
    bigEndian: false,
    fortranOrder: true,
    shape: [2, 3, 4],
    offset: 128,
  });
});
