import { afterAll } from 'vitest';
import type * as engines from '../../src/node/engine.ts';
import type { Engine } from '../../src/records/ports.ts';

/**
 * The module of the engine, for `vi.mock`, with one engine for all command lines of a test file that ask for nothing
 * special: starting one takes most of the time of a refusal.
 */
export const sharing = (original: typeof engines): typeof engines => {
  let shared: Promise<Engine> | null = null;
  afterAll(async () => (await shared)?.close());
  return {
    ...original,
    createNodeEngine: async (options = {}) => {
      if (options.threads !== undefined || (options.device ?? 'cpu') !== 'cpu')
        return original.createNodeEngine(options);
      shared ??= original.createNodeEngine();
      return { ...(await shared), close: async () => undefined };
    },
  };
};
