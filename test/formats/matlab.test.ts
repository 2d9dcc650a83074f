import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type MatFile, type MatValue, textsOf } from '../../src/formats/mat.ts';
import { openMatlab } from '../../src/formats/matlab.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { sourceStream } from '../../src/formats/stream.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { endure, mutations, truncations } from '../mutations.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';
import { inputLine } from './failure.ts';

type Plain =
  | { readonly shape: number[]; readonly values: number[] }
  | { readonly rows: string[] }
  | { readonly cell: Plain[] }
  | { readonly struct: Record<string, Plain>[] };

interface Golden {
  readonly files: Record<
    string,
    { file: string; listing: [string, number[], string][]; values: Record<string, Plain> }
  >;
}
const golden: Golden = JSON.parse(
  readFileSync(new URL('../golden/matlab.json', import.meta.url), 'utf8'),
);
const names = Object.keys(golden.files);
const bytesOf = (name: string): Uint8Array =>
  new Uint8Array(Buffer.from(golden.files[name]!.file, 'base64'));

const open = (bytes: Uint8Array, name = 'x.mat'): Promise<MatFile> =>
  openMatlab({ size: bytes.length, open: async () => sourceStream(bytesSource(bytes)) }, name);

/** As the golden file writes values. SciPy gives a text of one row as one row, an empty cell element as an array. */
const plain = (value: MatValue): Plain => {
  switch (value.kind) {
    case 'numbers':
      return { shape: [...value.array.shape], values: Array.from(value.array.data, Number) };
    case 'text':
      return { rows: value.rows.map((row) => row.trimEnd()) };
    case 'cell':
      return { cell: value.elements.map(plain) };
    case 'struct': {
      const fields = [...value.fields].map(([name, each]) => [name, each.map(plain)] as const);
      const count = fields[0]?.[1].length ?? 0;
      const struct = Array.from({ length: count }, (_, index) =>
        Object.fromEntries(fields.map(([name, each]) => [name, each[index]!])),
      );
      return { struct };
    }
    case 'other':
      throw new Error(value.class);
  }
};

const readAll = async (bytes: Uint8Array): Promise<Record<string, Plain>> => {
  const file = await open(bytes);
  const all: Record<string, Plain> = {};
  for (const { name } of file.variables) all[name] = plain(await file.read(name));
  return all;
};

describe('openMatlab agrees with SciPy', () => {
  it.each(names)('on the listing of %s', async (name) => {
    const { variables } = await open(bytesOf(name));
    // SciPy leaves out how long the rows of a char array are.
    const listed = variables.map((each) => {
      const shape = each.class === 'char' ? each.shape.slice(0, -1) : [...each.shape];
      return [each.name, shape, each.class];
    });
    expect(listed).toEqual(golden.files[name]!.listing);
  });

  it.each(names.filter((name) => name !== 'others'))('on the values of %s', async (name) => {
    expect(await readAll(bytesOf(name))).toEqual(golden.files[name]!.values);
  });

  it.each(['numeric', 'numeric-compressed'])('on the blocks of %s, column-major', async (name) => {
    const file = await open(bytesOf(name));
    const values: number[] = [];
    for await (const block of file.blocks('double')) values.push(...Array.from(block, Number));
    const expected = golden.files[name]!.values.double as { shape: number[]; values: number[] };
    // Row-major (3, 2, 2, 5): the third number of a column is two rows of 20 further on.
    expect(values.length).toBe(60);
    expect(values.slice(0, 4)).toEqual([0, 20, 40, 10].map((at) => expected.values[at]));
  });
});

describe('texts', () => {
  it('come from cells and from rows of letters', async () => {
    const file = await open(bytesOf('texts-compressed'));
    expect(textsOf(await file.read('paths'), 'paths')).toEqual([
      'C:\\set\\b.png',
      'C:\\set\\a.png',
      'D:\\c.png',
    ]);
    expect(textsOf(await file.read('rows'), 'rows')).toEqual(['one', 'three']);
    const cells = await file.read('cells');
    expect(await inputLine(() => textsOf(cells, 'x.mat: cells'))).toBe(
      'x.mat: cells: expected texts, got no single text in element 3; name a cell array of texts',
    );
  });
});

describe('openMatlab refuses', () => {
  it('sparse and complex arrays, in words', async () => {
    const file = await open(bytesOf('others'));
    expect(await inputLine(() => file.read('sparse'))).toBe(
      'x.mat: sparse: expected a full array of real numbers, got a sparse one; save full(x) instead',
    );
    expect(await inputLine(() => file.read('complex'))).toContain('got complex numbers');
    expect(plain(await file.read('full'))).toEqual({ shape: [2, 2], values: [1, 0, 0, 1] });
  });

  it('a variable that is not there, and lists what is', async () => {
    const file = await open(bytesOf('others'));
    expect(await inputLine(() => file.read('y'))).toBe(
      'x.mat: expected a variable "y", got full, sparse, complex; check the name',
    );
  });

  it('other files and other versions', async () => {
    const text = (start: string) => new TextEncoder().encode(start.padEnd(600));
    expect(await inputLine(() => open(new Uint8Array(0)))).toContain('got a truncated or empty');
    expect(await inputLine(() => open(text('hello')))).toContain('expected a MATLAB file, got');
    expect(await inputLine(() => open(text('MATLAB 7.3 MAT-file')))).toContain('version 7.3');
    expect(await inputLine(() => open(new Uint8Array(600)))).toContain('one of version 4');
  });

  it('an array whose shape claims more than is there, before anything is allocated', async () => {
    const bytes = bytesOf('little');
    const view = new DataView(bytes.buffer);
    // Dimensions of the first variable: behind header (128), two tags and the flags.
    view.setInt32(128 + 8 + 16 + 8, 2 ** 30, true);
    const file = await open(bytes);
    expect(await inputLine(() => file.read('whole'))).toContain(
      'bytes for the 2147483648 numbers that the header claims (1073741824 × 2), got 4',
    );
  });

  it('compressed bytes that changed, by their checksum', async () => {
    const bytes = bytesOf('numeric-compressed');
    const view = new DataView(bytes.buffer);
    const length = view.getUint32(132, true);
    bytes[136 + length - 1]! ^= 1;
    expect(await inputLine(() => readAll(bytes))).toContain('match their checksum');
  });

  it('cells nested without end', async () => {
    // Written from the inside out: every level is a 1 × 1 cell.
    let inner = Buffer.alloc(0);
    for (let depth = 0; depth < 200; depth++) {
      const head = Buffer.alloc(48);
      [14, 40 + inner.length, 6, 8, 1, 0, 5, 8, 1, 1, 1, 0].forEach((word, at) => {
        head.writeUInt32LE(word, 4 * at);
      });
      inner = Buffer.concat([head, inner]);
    }
    const file = Buffer.concat([bytesOf('little').subarray(0, 128), inner]);
    file.writeUInt32LE((1 << 16) | 1, 128 + 40);
    file.write('c', 128 + 44);
    const opened = await open(new Uint8Array(file));
    expect(await inputLine(() => opened.read('c'))).toContain('nested at most 64 deep');
  });
});

describe('damaged files', () => {
  const smallest = ['little', 'texts', 'texts-compressed', 'numeric-compressed'];

  it.each(smallest)('%s, cut after every byte', async (name) => {
    const { refused, read } = await endure(truncations(bytesOf(name)), readAll);
    expect(refused).toBeGreaterThan(10 * read);
  });

  it('2,000 mutations', async () => {
    const seeds = names.map(bytesOf);
    const { refused } = await endure(mutations(seeds, 2000, createRandom('matlab')), readAll);
    expect(refused).toBeGreaterThan(500);
  });
});

describe('a file from a laboratory', () => {
  const path = sharedPath(
    'data',
    'recordings',
    'it-kriegeskorte2008',
    'Kriegeskorte_Neuron2008_supplementalData.mat',
  );
  it.skipIf(path === null)(`has its structs and images (else: ${sharedSkipReason})`, async () => {
    const file = await open(new Uint8Array(readFileSync(path!)));
    const stimuli = await file.read('stimuli_92objs');
    const dissimilarities = await file.read('RDMs_mIT_hIT_fig1');
    if (stimuli.kind !== 'struct' || dissimilarities.kind !== 'struct') throw new Error('struct');
    const images = stimuli.fields.get('image')!;
    expect(images.length).toBe(92);
    for (const image of images) {
      if (image.kind !== 'numbers') throw new Error(image.kind);
      expect(image.array.shape).toEqual([175, 175, 3]);
      expect(image.array.data).toBeInstanceOf(Uint8Array);
    }
    const [monkey] = dissimilarities.fields.get('RDM')!;
    if (monkey?.kind !== 'numbers') throw new Error('RDM');
    // The upper triangle of 92 × 92 correlation distances.
    expect(monkey.array.shape).toEqual([1, (92 * 91) / 2]);
    const distances = Array.from(monkey.array.data, Number);
    expect(Math.min(...distances)).toBeGreaterThan(0);
    expect(Math.max(...distances)).toBeLessThan(2);
  });
});
