import { createNodeCache } from '../node/cache.ts';
import { createNodeEngine } from '../node/engine.ts';
import { createNodeFiles } from '../node/files.ts';
import { createNodeHash } from '../node/hash.ts';
import { createNodeImages } from '../node/images.ts';
import { cacheFolder } from '../node/platform.ts';
import { stoppedError } from '../records/errors.ts';
import type { Ports } from '../records/ports.ts';
import { createProgressPrinter } from './progress.ts';

export interface SessionOptions {
  readonly threads?: number;
  readonly device?: 'cpu' | 'webgpu' | 'cuda';
  readonly quiet?: boolean;
}

/**
 * Runs `work` with this computer's ports. The first interrupt stops the engine, so that `work` ends with the stopped
 * error; a second one ends the process at once.
 */
export const withPorts = async <T>(
  options: SessionOptions,
  work: (ports: Ports, say: (line: string) => void) => Promise<T>,
): Promise<T> => {
  const { threads, device, quiet = false } = options;
  const engine = await createNodeEngine({
    ...(threads === undefined ? {} : { threads }),
    ...(device === undefined ? {} : { device }),
  });
  const printer = createProgressPrinter({
    isTerminal: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    write: (text) => process.stderr.write(text),
    now: Date.now,
  });
  let stopped = false;
  const interrupt = (): void => {
    if (stopped) process.exit(130);
    stopped = true;
    void engine.close();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const ports: Ports = {
    engine,
    files: createNodeFiles(),
    images: createNodeImages(),
    hash: createNodeHash(),
    cache: createNodeCache(`${cacheFolder()}/fits`),
    progress: quiet ? () => undefined : printer.report,
    checkStop: () => {
      if (stopped) throw stoppedError();
    },
    now: Date.now,
  };
  try {
    return await work(ports, (line) => {
      if (quiet) return;
      printer.clear();
      process.stderr.write(`${line}\n`);
    });
  } finally {
    printer.clear();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await engine.close();
  }
};
