// A contract must notice what breaks it: implementations that are changed in one place each.

import { afterAll, describe, expect, it } from 'vitest';
import { createNodeHash } from '../../src/node/hash.ts';
import { createNodeImages } from '../../src/node/images.ts';
import type { NdArray } from '../../src/records/array.ts';
import { inputError } from '../../src/records/errors.ts';
import type {
  Cache,
  Engine,
  EngineSession,
  Files,
  Hash,
  Held,
  Images,
  RunOutputs,
} from '../../src/records/ports.ts';
import { memoryCache } from '../memory-cache.ts';
import { createMemoryFiles, createMemoryHash } from '../memory-files.ts';
import { plainEngine } from '../plain-engine.ts';
import { cacheContract } from './cache.ts';
import { brokenPromises, type Clause, type Open } from './contract.ts';
import { engineContract } from './engine.ts';
import { filesContract } from './files.ts';
import { goldenImages } from './golden-images.ts';
import { hashContract } from './hash.ts';
import { imagesContract } from './images.ts';

/** What is changed, how, and the beginning of a promise that it breaks. */
type Mutant<P> = readonly [change: string, breaks: string, mutate: (port: P) => P];

const close = async (): Promise<void> => undefined;

const describeMutants = <P, T>(
  name: string,
  clauses: readonly Clause<T>[],
  mutants: readonly Mutant<P>[],
  openWith: (mutate: (port: P) => P) => Open<T>,
): void => {
  describe(name, () => {
    it('is kept by what is not changed', async () => {
      expect(
        await brokenPromises(
          clauses,
          openWith((port) => port),
        ),
      ).toEqual([]);
    });
    for (const [change, breaks, mutate] of mutants)
      it(change, async () => {
        const broken = await brokenPromises(clauses, openWith(mutate));
        expect(broken.filter((promise) => promise.startsWith(breaks))).toHaveLength(1);
      });
  });
};

const plain = (message: string) => async (): Promise<never> => {
  throw new Error(message);
};

const fileMutants: readonly Mutant<Files>[] = [
  [
    'one buffer for all readers',
    'hands out bytes',
    (files) => {
      const seen = new Map<string, Uint8Array>();
      const read = async (path: string) => {
        const bytes = seen.get(path) ?? (await files.read(path));
        seen.set(path, bytes);
        return bytes;
      };
      return { ...files, read };
    },
  ],
  [
    'ranges to the end',
    'reads ranges',
    (files) => ({
      ...files,
      readRange: async (path, from) => (await files.read(path)).subarray(from),
    }),
  ],
  [
    'ranges of nothing where a file is missing',
    'names what is missing',
    (files) => ({
      ...files,
      readRange: async (path, from, to) =>
        (await files.info(path)) === null ? new Uint8Array() : files.readRange(path, from, to),
    }),
  ],
  [
    'errors without a kind',
    'names what is missing',
    (files) => ({ ...files, read: plain('ENOENT') }),
  ],
  [
    'an empty file where none is',
    'says null',
    (files) => ({
      ...files,
      info: async (path) => (await files.info(path)) ?? { kind: 'file', size: 0 },
    }),
  ],
  [
    'names in the order of a language',
    'lists names',
    (files) => ({
      ...files,
      list: async (path) => (await files.list(path)).sort((a, b) => a.localeCompare(b)),
    }),
  ],
  [
    'the first part alone',
    'writes the parts joined',
    (files) => ({
      ...files,
      write: (path, parts) => files.write(path, parts.slice(0, 1)),
    }),
  ],
  [
    'new bytes over the old ones, whose end stays',
    'replaces a file',
    (files) => ({
      ...files,
      write: async (path, parts) => {
        const old = (await files.info(path))?.kind === 'file' ? await files.read(path) : null;
        const length = parts.reduce((sum, part) => sum + part.length, 0);
        await files.write(path, [...parts, ...(old === null ? [] : [old.subarray(length)])]);
      },
    }),
  ],
  [
    'appending that replaces',
    'appends',
    (files) => ({
      ...files,
      append: (path, bytes) => files.write(path, [bytes]),
    }),
  ],
  [
    'whole buffers for views',
    'takes views',
    (files) => ({
      ...files,
      write: (path, parts) =>
        files.write(
          path,
          parts.map(({ buffer }) => new Uint8Array(buffer)),
        ),
    }),
  ],
  [
    'moving that copies',
    'moves files',
    (files) => ({
      ...files,
      move: async (from, to) =>
        (await files.info(from))?.kind === 'file'
          ? files.write(to, [await files.read(from)])
          : files.move(from, to),
    }),
  ],
  [
    'a target that is gone where there is nothing to move',
    'refuses to move',
    (files) => ({
      ...files,
      move: async (from, to) => {
        await files.remove(to);
        await files.move(from, to);
      },
    }),
  ],
  [
    'removing what is not there',
    'removes files',
    (files) => ({
      ...files,
      remove: async (path) => {
        if ((await files.info(path)) === null) throw new Error('ENOENT');
        await files.remove(path);
      },
    }),
  ],
];

describeMutants('Files', filesContract, fileMutants, (mutate) => async () => ({
  at: { files: mutate(createMemoryFiles()), root: '.' },
  close,
}));

const cacheMutants: readonly Mutant<Cache>[] = [
  [
    'empty entries for misses',
    'has nothing',
    (cache) => ({
      ...cache,
      get: async (key) => (await cache.get(key)) ?? new Uint8Array(),
    }),
  ],
  [
    'misses for empty entries',
    'keeps empty values',
    (cache) => ({
      ...cache,
      get: async (key) => {
        const found = await cache.get(key);
        return found?.length === 0 ? null : found;
      },
    }),
  ],
  [
    'the first entry of a key',
    'gives what was put last',
    (cache) => ({
      ...cache,
      put: async (key, value) => {
        if ((await cache.get(key)) === null) await cache.put(key, value);
      },
    }),
  ],
  [
    'keys without their case',
    'tells any two keys apart',
    (cache) => ({
      get: (key) => cache.get(key.toLowerCase()),
      put: (key, value) => cache.put(key.toLowerCase(), value),
    }),
  ],
  [
    'keys cut short',
    'tells any two keys apart',
    (cache) => ({
      get: (key) => cache.get(key.slice(0, 255)),
      put: (key, value) => cache.put(key.slice(0, 255), value),
    }),
  ],
  [
    'the arrays themselves',
    'keeps what was put',
    () => {
      const entries = new Map<string, Uint8Array>();
      return {
        get: async (key) => entries.get(key) ?? null,
        put: async (key, value) => {
          entries.set(key, value);
        },
      };
    },
  ],
];

describeMutants('Cache', cacheContract, cacheMutants, (mutate) => async () => ({
  at: { cache: mutate(memoryCache()) },
  close,
}));

const hashMutants: readonly Mutant<Hash>[] = [
  [
    'upper case',
    'hashes the parts',
    (hash) => ({
      ...hash,
      sha256: async (parts) => (await hash.sha256(parts)).toUpperCase(),
    }),
  ],
  [
    'the last part alone',
    'hashes the parts',
    (hash) => ({
      ...hash,
      sha256: (parts) => hash.sha256(parts.slice(-1)),
    }),
  ],
  ['one algorithm for both', 'hashes files', (hash) => ({ ...hash, sha1File: hash.sha256File })],
  [
    'the digest of nothing for a missing file',
    'names a file',
    (hash) => ({
      ...hash,
      sha256File: (path) => hash.sha256File(path).catch(() => hash.sha256([])),
    }),
  ],
];

describeMutants('Hash', hashContract, hashMutants, (mutate) => async () => {
  const files = createMemoryFiles();
  return { at: { hash: mutate(createMemoryHash(files)), files, root: '.' }, close };
});

const imageMutants: readonly Mutant<Images>[] = [
  [
    'one bit less',
    'decodes bit-equal',
    (images) => ({
      ...images,
      version: images.version,
      decode: async (bytes, name) => {
        const pixels = await images.decode(bytes, name);
        return { ...pixels, data: pixels.data.map((level) => level & 0xfe) };
      },
    }),
  ],
  [
    'height for width',
    'decodes bit-equal',
    (images) => ({
      ...images,
      version: images.version,
      decode: async (bytes, name) => {
        const { width, height, ...rest } = await images.decode(bytes, name);
        return { ...rest, width: height, height: width };
      },
    }),
  ],
  [
    'a grey square where an image is broken',
    'refuses truncated',
    (images) => ({
      ...images,
      version: images.version,
      decode: (bytes, name) =>
        images
          .decode(bytes, name)
          .catch(() => ({ ...{ width: 1, height: 1, channels: 3 }, data: new Uint8Array(3) })),
    }),
  ],
  [
    'errors that name no file',
    'refuses what is not',
    (images) => ({
      ...images,
      version: images.version,
      decode: (bytes, name) =>
        images.decode(bytes, name).catch(() => {
          throw inputError({ where: 'image', expected: 'an image', got: 'none', mend: 'mend it' });
        }),
    }),
  ],
  [
    'lossy encoding',
    'encodes to PNG',
    (images) => ({
      ...images,
      version: images.version,
      encode: (pixels) => images.encode({ ...pixels, data: pixels.data.map((each) => each | 1) }),
    }),
  ],
];

describeMutants('Images', imagesContract, imageMutants, (mutate) => async () => ({
  at: {
    images: mutate(createNodeImages()),
    golden: goldenImages().slice(0, 3),
    hash: createNodeHash(),
  },
  close,
}));

/** An engine whose sessions run otherwise. */
const running =
  (
    run: (
      engine: Engine,
      session: EngineSession,
      ...args: Parameters<EngineSession['run']>
    ) => Promise<RunOutputs>,
  ) =>
  (engine: Engine): Engine => ({
    ...engine,
    open: async (model) => {
      const session = await engine.open(model);
      return { ...session, run: (...args) => run(engine, session, ...args) };
    },
  });

const zeros = ({ data, shape }: NdArray): NdArray => ({
  data: new Float64Array(data.length),
  shape,
});

const engineMutants: readonly Mutant<Engine>[] = [
  ['reading that spends', 'reads what it holds', (engine) => ({ ...engine, read: engine.take })],
  [
    'reading of another array',
    'reads what it holds',
    (engine) => ({
      ...engine,
      read: async (held) => zeros(await engine.read(held)),
    }),
  ],
  ['taking that does not spend', 'takes back', (engine) => ({ ...engine, take: engine.read })],
  [
    'dropping that keeps',
    'knows nothing of',
    (engine) => ({
      ...engine,
      drop: async (held) => {
        await engine.read(held);
      },
    }),
  ],
  [
    'dropping twice',
    'knows nothing of',
    (engine) => ({
      ...engine,
      drop: (held) => engine.drop(held).catch(() => undefined),
    }),
  ],
  [
    'holding a copy',
    'holds an array by moving',
    (engine) => ({
      ...engine,
      hold: ({ data, shape }) => engine.hold({ data: data.slice(), shape }),
    }),
  ],
  [
    'holding the buffer around a view',
    'copies a view',
    (engine) => ({
      ...engine,
      hold: async ({ data, shape }) => {
        const held = await engine.hold({ data: data.slice(), shape });
        structuredClone(data.buffer, { transfer: [data.buffer as ArrayBuffer] });
        return held;
      },
    }),
  ],
  [
    'held arrays of another type',
    'holds an array by moving',
    (engine) => ({
      ...engine,
      hold: async (array) => ({ ...(await engine.hold(array)), type: 'float32' }),
    }),
  ],
  [
    'all rows for some',
    'holds an array by moving',
    running((_, session, feeds, options) => {
      const whole = Object.entries(feeds).map(([name, feed]) => [
        name,
        'held' in feed ? { held: feed.held } : feed,
      ]);
      return session.run(Object.fromEntries(whole), options);
    }),
  ],
  [
    'fed arrays that are moved',
    'runs, copies',
    running((_, session, feeds, options) => {
      const answer = session.run(feeds, options);
      for (const feed of Object.values(feeds))
        if (!('held' in feed))
          structuredClone(feed.data, { transfer: [feed.data.buffer as ArrayBuffer] });
      return answer;
    }),
  ],
  [
    'feeds that are read late',
    'runs, copies',
    running(async (_, session, feeds, options) => {
      await null;
      return session.run(feeds, options);
    }),
  ],
  [
    'all outputs, whatever is asked for',
    'fetches all outputs',
    running((_, session, feeds) => session.run(feeds)),
  ],
  [
    'kept outputs that come back, too',
    'keeps outputs',
    running(async (engine, session, feeds, options) => {
      const { fetched, kept } = await session.run(feeds, options);
      const read = Object.entries(kept).map(async ([name, held]) => [
        name,
        await engine.read(held),
      ]);
      return { fetched: { ...fetched, ...Object.fromEntries(await Promise.all(read)) }, kept };
    }),
  ],
  [
    'the same output both ways',
    'refuses an output',
    running((_, session, feeds, options = {}) =>
      session.run(feeds, options.fetch && options.keep ? { keep: options.keep } : options),
    ),
  ],
  [
    'kept arrays that end with their session',
    'runs on what it keeps',
    (engine) => ({
      ...engine,
      open: async (model) => {
        const session = await engine.open(model);
        const own: Held[] = [];
        return {
          ...session,
          run: async (...args) => {
            const outputs = await session.run(...args);
            own.push(...Object.values(outputs.kept));
            return outputs;
          },
          release: async () => {
            for (const held of own) await engine.drop(held);
            await session.release();
          },
        };
      },
    }),
  ],
  [
    'held arrays that a failed run spends',
    'goes on holding',
    running(async (engine, session, feeds, options) => {
      try {
        return await session.run(feeds, options);
      } catch (thrown) {
        for (const feed of Object.values(feeds)) if ('held' in feed) await engine.drop(feed.held);
        throw thrown;
      }
    }),
  ],
  [
    'errors without a kind',
    'says in one line',
    running(async (_, session, feeds, options) => {
      try {
        return await session.run(feeds, options);
      } catch {
        throw new Error('no');
      }
    }),
  ],
  ['an engine that goes on after its end', 'rejects waiting', (engine) => ({ ...engine, close })],
  [
    'other numbers the second time',
    'repeats itself',
    running(async (_, session, feeds, options) => {
      const outputs = await session.run(feeds, options);
      for (const { data } of Object.values(outputs.fetched))
        if (data.length > 100) data[0] = performance.now();
      return outputs;
    }),
  ],
];

const opened: Engine[] = [];
afterAll(async () => {
  for (const engine of opened) await engine.close();
});

describeMutants('Engine', engineContract, engineMutants, (mutate) => async () => {
  const engine = mutate(plainEngine());
  opened.push(engine);
  return { at: { engine, another: async () => mutate(plainEngine()) }, close };
});

it('Engine: ids that two engines share', async () => {
  // The second gives the ids of the first.
  const first = plainEngine();
  const ids = new Map<number, Held>();
  const sharing = (engine: Engine): Engine => {
    let count = 0;
    const own = new Map<number, Held>();
    return {
      ...engine,
      hold: async (array) => {
        const held = await engine.hold(array);
        own.set(++count, held);
        ids.set(count, held);
        return { ...held, id: count };
      },
      read: (held) => engine.read(own.get(held.id) ?? held),
    };
  };
  const broken = await brokenPromises(engineContract, async () => ({
    at: { engine: sharing(first), another: async () => sharing(plainEngine()) },
    close,
  }));
  expect(broken).toContain('refuses what another engine holds');
});
