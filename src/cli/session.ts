import { createNodeEngine } from '../node/engine.ts';
import { createNodeHttp } from '../node/http.ts';
import { createStoragePorts, type StoragePorts } from '../node/index.ts';
import { stoppedError, VentralError } from '../records/errors.ts';
import type { Cache, Http, Ports } from '../records/ports.ts';
import { clearBefore, createProgressPrinter, terminalOf } from './progress.ts';
import { typedLine, typedMessage } from './typed.ts';

export interface SessionOptions {
  readonly threads?: number;
  readonly device?: 'cpu' | 'webgpu' | 'cuda';
  readonly quiet?: boolean;
}

/** Writes a line to standard error, unless quiet. */
export type Say = (line: string) => void;

/**
 * Runs `work` so that the first interrupt ends it with the stopped error at its next step, and calls `onStop`;
 * a second one ends the process at once.
 */
const interruptible = async <T>(
  quiet: boolean,
  work: (ports: StoragePorts, say: Say, onStop: (stop: () => void) => void) => Promise<T>,
): Promise<T> => {
  const write = process.stderr.write.bind(process.stderr);
  const printer = createProgressPrinter({
    ...terminalOf(process.stderr, process.env.TERM),
    write,
    now: Date.now,
  });
  const endClearing = clearBefore([process.stdout, process.stderr], printer.clear);
  let stopped = false;
  let stop = (): void => undefined;
  const interrupt = (): void => {
    if (stopped) process.exit(130);
    stopped = true;
    stop();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const ports = createStoragePorts({
    ...(quiet ? {} : { progress: printer.report }),
    checkStop: () => {
      if (stopped) throw stoppedError();
    },
  });
  const say: Say = (line) => {
    if (!quiet) process.stderr.write(`${typedLine(line)}\n`);
  };
  try {
    return await work(ports, say, (then) => {
      stop = then;
    });
  } finally {
    printer.clear();
    endClearing();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
};

/** A cache that cannot be read or written costs time, not the score: this is said once. */
const forgiving = (cache: Cache, say: Say): { cache: Cache; works: () => boolean } => {
  let works = true;
  const without = (thrown: unknown): null => {
    if (!(thrown instanceof VentralError && thrown.kind === 'storage')) throw thrown;
    if (works) say(`note: finished layers are not kept for a next run (${typedMessage(thrown)})`);
    works = false;
    return null;
  };
  return {
    works: () => works,
    cache: {
      get: (key) => cache.get(key).catch(without),
      put: async (key, value) => {
        await cache.put(key, value).catch(without);
      },
    },
  };
};

/** Runs `work` with this computer's files, images and cache. */
export const withStorage = <T>(
  { quiet = false }: Pick<SessionOptions, 'quiet'>,
  work: (ports: StoragePorts, say: Say) => Promise<T>,
): Promise<T> => interruptible(quiet, work);

const isStop = (thrown: unknown): thrown is VentralError =>
  thrown instanceof VentralError && thrown.kind === 'stopped';

const stoppedWith = (thrown: VentralError, remains: string): VentralError =>
  new VentralError(
    'stopped',
    `${thrown.message}; run again to go on from ${remains}`,
    null,
    thrown,
  );

/** Runs `work` with storage and the network, of which nothing outlives it; an interrupt cuts what is under way. */
export const withNetwork = <T>(
  { quiet = false }: Pick<SessionOptions, 'quiet'>,
  work: (ports: StoragePorts & { readonly http: Http; readonly say: Say }) => Promise<T>,
): Promise<T> =>
  interruptible(quiet, async (storage, say, onStop) => {
    const http = createNodeHttp();
    onStop(http.close);
    try {
      return await work({ ...storage, http, say });
    } catch (thrown) {
      throw isStop(thrown) ? stoppedWith(thrown, 'what has come') : thrown;
    } finally {
      http.close();
    }
  });

/**
 * Runs `work` with the engine as well; an interrupt stops what the engine is doing. `remains` is what a next run goes on
 * from; null: nothing.
 */
export const withPorts = <T>(
  { threads, device, quiet = false }: SessionOptions,
  work: (ports: Ports, say: Say) => Promise<T>,
  remains: string | null = 'the layers already done',
): Promise<T> =>
  interruptible(quiet, async (storage, say, onStop) => {
    const engine = await createNodeEngine({
      ...(threads === undefined ? {} : { threads }),
      ...(device === undefined ? {} : { device }),
    });
    onStop(() => void engine.close());
    const kept = forgiving(storage.cache, say);
    try {
      return await work({ ...storage, engine, cache: kept.cache }, say);
    } catch (thrown) {
      throw remains !== null && kept.works() && isStop(thrown)
        ? stoppedWith(thrown, remains)
        : thrown;
    } finally {
      await engine.close();
    }
  });
