import type { Random } from '../src/numeric/random.ts';
import { VentralError } from '../src/records/errors.ts';

/** Numbers that headers lie with. */
const lies = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff];

const edits: readonly ((bytes: Uint8Array, random: Random) => Uint8Array)[] = [
  (bytes, random) => {
    bytes[random.int(bytes.length)] = random.int(256);
    return bytes;
  },
  (bytes, random) => {
    bytes[random.int(bytes.length)]! ^= 1 << random.int(8);
    return bytes;
  },
  (bytes, random) => {
    const at = 4 * random.int(Math.max(1, Math.floor(bytes.length / 4)));
    if (at + 4 > bytes.length) return bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    view.setUint32(at, lies[random.int(lies.length)]!, random.int(2) === 0);
    return bytes;
  },
  (bytes, random) => bytes.slice(0, random.int(bytes.length)),
  (bytes, random) => {
    const [from, to] = [random.int(bytes.length), random.int(bytes.length)];
    bytes.copyWithin(to, from, Math.min(bytes.length, from + 1 + random.int(64)));
    return bytes;
  },
  (bytes, random) => {
    const at = random.int(bytes.length);
    const cut = 1 + random.int(16);
    const joined = new Uint8Array(Math.max(1, bytes.length - cut));
    joined.set(bytes.subarray(0, at).subarray(0, joined.length));
    joined.set(
      bytes.subarray(at + cut).subarray(0, Math.max(0, joined.length - at)),
      Math.min(at, joined.length),
    );
    return joined;
  },
];

/** A copy with one to four edits: bytes, bits, lying numbers, cuts, copies. */
export const mutated = (bytes: Uint8Array, random: Random): Uint8Array => {
  let copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  for (let edit = 1 + random.int(4); edit > 0 && copy.length > 0; edit--) {
    copy = Uint8Array.from(edits[random.int(edits.length)]!(copy, random));
  }
  return copy;
};

/** A file changed: never the one that was given. */
export type Change = (bytes: Uint8Array, random: Random) => Uint8Array;

/** What a parser may allocate in all, whatever the file: half a megabyte of buffers for every compressed variable. */
const allowance = 16 * 2 ** 20;
/** Objects that one small file may make on the way, collected or not. */
const heapAllowance = 512 * 2 ** 20;

/** What every object inherits, which no name of a file may add to or change. */
const inherited = [Object.prototype, Array.prototype, Function.prototype, Map.prototype];
const inheritedNow = (): unknown[] =>
  inherited.flatMap((prototype) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(([key, each]) => [
      key,
      each.value,
      each.get,
    ]),
  );
const inheritedBefore = inheritedNow();
const isPolluted = (): boolean => {
  const now = inheritedNow();
  return (
    now.length !== inheritedBefore.length || now.some((each, i) => each !== inheritedBefore[i])
  );
};

const isRefusal = (thrown: unknown): boolean =>
  thrown instanceof VentralError && thrown.kind === 'input' && !thrown.message.includes('\n');

export interface Endured {
  /** Files that were read although they were changed. */
  readonly read: number;
  readonly refused: number;
}

/**
 * Feeds files to a parser, which must read them or refuse them with an input error of one line, within `seconds` and
 * with buffers of no more than 4 × the file (and the buffers of its streams), and leave what all objects inherit as it
 * was. Throws for the first that is otherwise.
 */
export const endure = async (
  files: Iterable<{ readonly bytes: Uint8Array; readonly name: string }>,
  parse: (bytes: Uint8Array) => Promise<unknown>,
  seconds = 10,
): Promise<Endured> => {
  let [read, refused] = [0, 0];
  for (const { bytes, name } of files) {
    const before = process.memoryUsage();
    const started = performance.now();
    try {
      await parse(bytes);
      read++;
    } catch (thrown) {
      if (!isRefusal(thrown)) {
        throw new Error(`${name}: no refusal, but ${String(thrown)}`, { cause: thrown });
      }
      refused++;
    }
    const after = process.memoryUsage();
    const grown = after.arrayBuffers - before.arrayBuffers;
    const heap = after.heapUsed - before.heapUsed;
    const took = (performance.now() - started) / 1000;
    if (grown > allowance + 4 * bytes.length) throw new Error(`${name}: ${grown} bytes allocated`);
    if (heap > heapAllowance) throw new Error(`${name}: ${heap} bytes of objects`);
    if (isPolluted()) throw new Error(`${name}: prototypes changed`);
    if (took > seconds) throw new Error(`${name}: ${took} seconds`);
  }
  return { read, refused };
};

/** The changes `from` to `count` of the seeds in turn, each reproducible by its index; by default, changes of bytes. */
export function* mutations(
  seeds: readonly Uint8Array[],
  count: number,
  random: Random,
  { from = 0, change = mutated }: { readonly from?: number; readonly change?: Change } = {},
): Generator<{ bytes: Uint8Array; name: string }> {
  for (let index = from; index < count; index++) {
    const seed = seeds[index % seeds.length]!;
    yield { bytes: change(seed, random.fork(`${index}`)), name: `mutation ${index}` };
  }
}

/** The file cut after every byte. */
export function* truncations(bytes: Uint8Array): Generator<{ bytes: Uint8Array; name: string }> {
  for (let length = 0; length < bytes.length; length++) {
    yield { bytes: bytes.slice(0, length), name: `first ${length} bytes` };
  }
}
