import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/**
 * Starts a module of this package as a worker thread; `own` is the URL of the caller, `name` the module beside it, without
 * its ending. Built, it is a `.js`; from source, Node strips the types where it can, else tsx does (Node 20 takes no
 * `--import tsx` for a worker).
 */
export const startWorker = (own: string, name: string, workerData: unknown): Worker => {
  if (!own.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, own), { workerData });
  const source = new URL(`./${name}.ts`, own);
  if ('typescript' in process.features && process.features.typescript)
    return new Worker(source, { workerData });
  // The CommonJS half of tsx cannot register from inside a worker; its module half lies beside it.
  const tsx = createRequire(own)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs');
  const [api, worker] = [pathToFileURL(tsx).href, source.href].map((url) => JSON.stringify(url));
  const program = `import(${api}).then(({ register }) => { register(); return import(${worker}); });`;
  return new Worker(program, { eval: true, workerData });
};
