import { stat } from 'node:fs/promises';
import type { Worker } from 'node:worker_threads';
import { inputError, reasonOf, type VentralError } from '../records/errors.ts';
import type { Hdf5, Hdf5File } from '../records/hdf5.ts';
import { storageFailure } from './failures.ts';
import type { Hdf5Answers, Hdf5Command, Hdf5Reply, Hdf5Request, Signs } from './hdf5-protocol.ts';
import { startWorker } from './start-worker.ts';

interface Waiting {
  readonly resolve: (answer: Hdf5Answers[keyof Hdf5Answers]) => void;
  readonly reject: (error: Error) => void;
}

interface Line {
  ask<K extends Hdf5Command['kind']>(
    command: Hdf5Command & { readonly kind: K },
    transfer?: readonly ArrayBuffer[],
  ): Promise<Hdf5Answers[K]>;
  readonly isAlive: () => boolean;
  readonly end: (reason: string) => void;
}

/** Numbers calls and answers them. A call that breaks the library, or reads nothing for `seconds`, ends the thread. */
const connect = (seconds: number): Line => {
  const signs: Signs = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker: Worker = startWorker(import.meta.url, 'hdf5-worker', signs);
  const waiting = new Map<number, Waiting>();
  let calls = 0;
  let ended: string | null = null;
  const end = (reason: string): void => {
    ended ??= reason;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
    void worker.terminate();
  };
  worker.unref();
  worker.on('error', (thrown) => end(reasonOf(thrown)));
  worker.on('exit', () => end('the reader ended'));
  worker.on('message', (reply: Hdf5Reply) => {
    const asked = waiting.get(reply.call);
    waiting.delete(reply.call);
    if (waiting.size === 0) worker.unref();
    if (!('failure' in reply)) {
      asked?.resolve(reply.answer);
      return;
    }
    const failure = new Error(reply.failure);
    asked?.reject(reply.filter === null ? failure : lacking(reply.filter, failure));
    if (reply.fatal) end(reply.failure);
  });
  return {
    isAlive: () => ended === null,
    end,
    ask: (command, transfer = []) =>
      new Promise((resolve, reject) => {
        if (ended !== null) {
          reject(new Error(ended));
          return;
        }
        const call = ++calls;
        let seen = 0;
        const alarm = setInterval(() => {
          const sign = Atomics.load(signs, 0);
          // Until the first sign the thread is only starting.
          if (sign > 0 && sign === seen) end(`nothing read for ${seconds} seconds`);
          seen = sign;
        }, seconds * 1000);
        const done =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            clearInterval(alarm);
            then(value);
          };
        worker.ref();
        worker.postMessage({ call, command } satisfies Hdf5Request, transfer);
        waiting.set(call, {
          resolve: done(resolve as Waiting['resolve']),
          reject: done(reject),
        });
      }),
  };
};

const damaged = (name: string, thrown: unknown): VentralError =>
  inputError(
    {
      where: name,
      expected: 'a whole HDF5 file (MATLAB 7.3, netCDF-4, NWB)',
      got: `one that cannot be read (${reasonOf(thrown).trim()})`,
      mend: 'copy the file again',
    },
    thrown,
  );

/** A whole file whose numbers are packed in a way that the library does not know, which is not damage. */
const lacking = (filter: { readonly path: string; readonly name: string }, cause: Error): Error =>
  Object.assign(new Error(filter.name, { cause }), {
    filter,
  });

const failed = (name: string, thrown: unknown): VentralError => {
  if (!(thrown instanceof Error && 'filter' in thrown)) return damaged(name, thrown);
  const { path } = thrown.filter as { readonly path: string };
  return inputError(
    {
      where: `${name}: ${path}`,
      expected: 'data without compression, or with deflate (gzip)',
      got: thrown.message,
      mend: `write the file again: h5repack -f GZIP=4 old new (of HDF5's tools, which need the filter's plugin), or with h5py: f.create_dataset(name, data=d[()], compression='gzip')`,
    },
    thrown,
  );
};

const fileOf = (line: Line, { file, size }: Hdf5Answers['open'], name: string): Hdf5File => {
  const told = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (thrown) {
      throw failed(name, thrown);
    }
  };
  return {
    name,
    size,
    item: (path) => told(line.ask({ kind: 'item', file, path })),
    attribute: (path, attribute) =>
      told(line.ask({ kind: 'attribute', file, path, name: attribute })),
    read: (path, ranges = []) => told(line.ask({ kind: 'read', file, path, ranges })),
    close: async () => {
      if (line.isAlive()) await told(line.ask({ kind: 'close', file }));
    },
  };
};

/**
 * HDF5 through h5wasm, in a thread that is started when a file is opened first and does not keep the process alive. A file
 * on which the library breaks, or neither answers nor reads for `seconds` (default 30), costs that thread; the next file
 * gets another.
 */
export const createNodeHdf5 = ({ seconds = 30 }: { readonly seconds?: number } = {}): Hdf5 => {
  let line: Line | null = null;
  return {
    open: async (source, name) => {
      if (typeof source === 'string') {
        try {
          const found = await stat(source);
          if (found.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
        } catch (thrown) {
          throw storageFailure('read', source, thrown);
        }
      }
      if (line === null || !line.isAlive()) line = connect(seconds);
      const used = line;
      const sent = typeof source === 'string' ? source : Uint8Array.from(source);
      try {
        const opened = await used.ask(
          { kind: 'open', source: sent },
          typeof sent === 'string' ? [] : [sent.buffer],
        );
        return fileOf(used, opened, name);
      } catch (thrown) {
        throw damaged(name, thrown);
      }
    },
  };
};
