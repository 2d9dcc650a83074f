import { createNodeEngine } from '../node/engine.ts';
import { createStoragePorts, type StoragePorts } from '../node/index.ts';
import { stoppedError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import { createProgressPrinter } from './progress.ts';

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
  const printer = createProgressPrinter({
    isTerminal: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    write: (text) => process.stderr.write(text),
    now: Date.now,
  });
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
    if (quiet) return;
    printer.clear();
    process.stderr.write(`${line}\n`);
  };
  try {
    return await work(ports, say, (then) => {
      stop = then;
    });
  } finally {
    printer.clear();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
};

/** Runs `work` with this computer's files, images and cache. */
export const withStorage = <T>(
  { quiet = false }: Pick<SessionOptions, 'quiet'>,
  work: (ports: StoragePorts, say: Say) => Promise<T>,
): Promise<T> => interruptible(quiet, work);

/** Runs `work` with the engine as well; an interrupt stops what the engine is doing. */
export const withPorts = <T>(
  { threads, device, quiet = false }: SessionOptions,
  work: (ports: Ports, say: Say) => Promise<T>,
): Promise<T> =>
  interruptible(quiet, async (storage, say, onStop) => {
    const engine = await createNodeEngine({
      ...(threads === undefined ? {} : { threads }),
      ...(device === undefined ? {} : { device }),
    });
    onStop(() => void engine.close());
    try {
      return await work({ ...storage, engine }, say);
    } finally {
      await engine.close();
    }
  });
