import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { crc32 } from '../../src/formats/crc32.ts';
import { isStrings, npyParts } from '../../src/formats/npy.ts';
import { npzParts, openNpz } from '../../src/formats/npz.ts';
import { bytesSource, fileSource } from '../../src/formats/source.ts';
import { isClutter, openZip } from '../../src/formats/zip.ts';
import { zipParts } from '../../src/formats/zip-write.ts';
import { storageLine } from '../contracts/contract.ts';
import { createMemoryFiles } from '../memory-files.ts';
import { inputLine } from './failure.ts';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8'));
const zips = read('zip.json') as Record<string, string>;
const npzs = (read('npy.json') as { npz: Record<string, string> }).npz;

const bytesOf = (name: string): Uint8Array => Buffer.from(zips[name]!, 'base64');
const open = (name: string) => openZip(bytesSource(bytesOf(name)), 'images.zip');
const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const wordOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('openZip', () => {
  it.each(['deflated', 'stored', 'local zip64'])('reads %s entries', async (name) => {
    const zip = await open(name);
    expect(zip.entries.map((entry) => entry.name)).toEqual([
      'images/a.txt',
      'images/ä.txt',
      'b.bin',
    ]);
    const [alpha, empty, bytes] = zip.entries;
    expect(wordOf(await zip.read(alpha!))).toBe('alpha'.repeat(100));
    expect((await zip.read(empty!)).length).toBe(0);
    expect([...(await zip.read(bytes!))]).toEqual(Array.from({ length: 256 }, (_, i) => i));
    expect(wordOf(await zip.readStart(alpha!, 7))).toBe('alphaal');
    expect((await zip.readStart(alpha!, 9999)).length).toBe(500);
  });

  it('reads a 64-bit directory', async () => {
    const zip = await open('zip64');
    expect(wordOf(await zip.read(zip.entries[0]!))).toBe('hello');
  });

  it.each([
    ['climbing', 'got a path that climbs out ("../../etc/passwd.png")'],
    ['climbing inside', 'got a path that climbs out ("images/../../x.png")'],
    ['absolute', 'got the absolute path "/etc/x.png"'],
    ['drive', 'got a path with a drive ("C:/x.png")'],
    ['backslash', 'got a path with backslashes ("images\\x.png")'],
    ['link', 'got a symbolic link'],
    ['bzip2', 'compression method 12'],
    ['claims more', '4294967294 claimed'],
    ['overlapping', 'expected entries that do not overlap'],
  ])('refuses an archive that is %s', async (name, message) => {
    const line = await inputLine(() => open(name));
    expect(line).toContain('images.zip');
    expect(line).toContain(message);
  });

  it('refuses an archive that unpacks to more than a gibibyte and 200 times its size', async () => {
    const zeros = new Uint8Array(2 ** 20);
    const once = zipParts([{ name: 'x', parts: [zeros] }], { compress: true });
    const packed = Buffer.concat(once);
    const entry = packed.subarray(0, packed.lastIndexOf('PK\x01\x02'));
    const directory: Uint8Array[] = [];
    for (let i = 0; i < 1100; i++) {
      const name = Buffer.from(`${i}`.padStart(4, '0'));
      const from = packed.lastIndexOf('PK\x01\x02');
      const item = Buffer.from(packed.subarray(from, from + 46));
      item.writeUInt16LE(4, 28);
      item.writeUInt32LE(i * entry.length, 42);
      directory.push(item, name);
    }
    const body = Buffer.concat(Array.from({ length: 1100 }, () => entry));
    const entries = Buffer.concat(directory);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(1100, 8);
    end.writeUInt16LE(1100, 10);
    end.writeUInt32LE(entries.length, 12);
    end.writeUInt32LE(body.length, 16);
    const bomb = bytesSource(Buffer.concat([body, entries, end]));
    expect(await inputLine(() => openZip(bomb, 'bomb.zip'))).toBe(
      `bomb.zip: expected at most 1073741824 bytes unpacked, got ${1100 * 2 ** 20}; do not trust this archive, or unpack it yourself`,
    );
  });

  it('finds an entry that unpacks to another size than claimed, or is damaged', async () => {
    const less = await open('claims less');
    const line = await inputLine(() => less.read(less.entries[0]!));
    expect(line).toContain('images.zip: x: expected 100 bytes unpacked');
    const bytes = Uint8Array.from(bytesOf('stored'));
    bytes[bytes.indexOf('alpha'.charCodeAt(2))]! ^= 1;
    const damaged = await openZip(bytesSource(bytes), 'images.zip');
    const messages = await Promise.all(
      damaged.entries.map((entry) => damaged.read(entry).catch((error: Error) => error.message)),
    );
    expect(messages.filter((each) => typeof each === 'string')).toHaveLength(1);
  });

  it('refuses a truncated archive at every length, and other files', async () => {
    const bytes = bytesOf('deflated');
    for (let length = 0; length < bytes.length; length += 7) {
      await inputLine(() => openZip(bytesSource(bytes.subarray(0, length)), 'images.zip'));
    }
    expect(await inputLine(() => openZip(bytesSource(text('no zip')), 'images.zip'))).toBe(
      'images.zip: expected a zip archive, got another kind of file; copy the archive again',
    );
  });
});

it('tells content from by-products', () => {
  expect(['__MACOSX/a.png', '.DS_Store', 'x/._a.png', 'Thumbs.db'].every(isClutter)).toBe(true);
  expect(['a.png', 'images/a.b.png'].some(isClutter)).toBe(false);
});

describe('zipParts', () => {
  it.each([true, false])('writes what other readers read (compress %s)', async (compress) => {
    const contents = [
      { name: 'a/ü.txt', parts: [text('one '), text('two')] },
      { name: 'empty', parts: [] },
    ];
    const bytes = Buffer.concat(zipParts(contents, { compress }));
    const { unzipSync } = await import('fflate');
    const unzipped = unzipSync(bytes);
    expect(Object.keys(unzipped)).toEqual(['a/ü.txt', 'empty']);
    expect(wordOf(unzipped['a/ü.txt']!)).toBe('one two');
    const own = await openZip(bytesSource(bytes), 'x.zip');
    expect(wordOf(await own.read(own.entries[0]!))).toBe('one two');
    expect(Buffer.concat(zipParts(contents, { compress }))).toEqual(bytes);
  });

  it('checks with the CRC-32 of everyone', () => {
    expect(crc32([text('1234'), text('56789')])).toBe(0xcbf43926);
  });
});

describe('npz', () => {
  it.each(Object.keys(npzs))('reads NumPy’s, %s', async (name) => {
    const npz = await openNpz(bytesSource(Buffer.from(npzs[name]!, 'base64')), 'f.npz');
    expect(npz.names).toEqual(['layer1.0', 'stimulus_id', 'wide']);
    const layer = await npz.read('layer1.0');
    expect(isStrings(layer)).toBe(false);
    if (!isStrings(layer))
      expect(layer.data).toEqual(Float32Array.from({ length: 24 }, (_, i) => i));
    expect(await npz.read('stimulus_id')).toEqual({ strings: ['b', 'a'], shape: [2] });
    const { shape, kind } = await npz.header('wide');
    expect([shape, kind]).toEqual([name === 'stored' ? [5, 4] : [50, 400], 'float64']);
  });

  it.each([true, false])('reads what it writes, through files (compress %s)', async (compress) => {
    const files = createMemoryFiles();
    const array = { data: new Float64Array([1, Number.NaN, 3]), shape: [3, 1] };
    const ids = { strings: ['x', 'ÿ'], shape: [2] };
    await files.write('out.npz', npzParts({ predicted: array, stimulus_id: ids }, { compress }));
    const npz = await openNpz(await fileSource('out.npz', files), 'out.npz');
    expect(await npz.read('predicted')).toEqual(array);
    expect(await npz.read('stimulus_id')).toEqual(ids);
    expect((await npz.header('predicted')).shape).toEqual([3, 1]);
  });

  it('refuses strangers in the archive, missing arrays and missing files', async () => {
    const other = bytesSource(zipSync({ 'a.npy': new Uint8Array(0), 'readme.txt': text('x') }));
    expect(await inputLine(() => openNpz(other, 'f.npz'))).toContain('got the entry "readme.txt"');
    const npz = await openNpz(bytesSource(Buffer.from(npzs.stored!, 'base64')), 'f.npz');
    expect(await inputLine(() => npz.read('layer9'))).toBe(
      'f.npz: expected an array named "layer9", got layer1.0, stimulus_id, wide; check the name',
    );
    const files = createMemoryFiles({
      'a.npy': Buffer.concat(npyParts({ data: new Int8Array(1), shape: [1] })),
    });
    expect(await storageLine(fileSource('none.npz', files))).toContain('none.npz: expected a file');
    const lone = await fileSource('a.npy', files);
    expect(await inputLine(() => openNpz(lone, 'a.npy'))).toContain(
      'a.npy: expected a zip archive',
    );
  });
});
