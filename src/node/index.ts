import type { Hdf5 } from '../records/hdf5.ts';
import type { Locks, Ports, Watch } from '../records/ports.ts';
import { createNodeCache } from './cache.ts';
import { createNodeEngine, type NodeEngineOptions } from './engine.ts';
import { createNodeFiles } from './files.ts';
import { createNodeHash } from './hash.ts';
import { createNodeHdf5 } from './hdf5.ts';
import { createNodeImages } from './images.ts';
import { createNodeLocks } from './locks.ts';
import { cacheFolder } from './platform.ts';

export { createNodeHttp, type NodeHttpOptions } from './http.ts';

export interface StorageOptions extends Partial<Watch> {
  /** Where finished work is kept; default: the platform's cache folder, or `$VENTRAL_CACHE`. */
  readonly cache?: string;
}

/** All of this computer's ports but the engine. */
export type StoragePorts = Omit<Ports, 'engine'> & { readonly hdf5: Hdf5; readonly locks: Locks };

export const createStoragePorts = ({
  cache = cacheFolder(),
  progress = () => undefined,
  checkStop = () => undefined,
}: StorageOptions = {}): StoragePorts => ({
  files: createNodeFiles(),
  images: createNodeImages(),
  hash: createNodeHash(),
  hdf5: createNodeHdf5(),
  locks: createNodeLocks(),
  cache: createNodeCache(`${cache}/fits`),
  library: cache,
  progress,
  checkStop,
  now: Date.now,
});

/** All of this computer's ports; with `Symbol.asyncDispose` too, for `await using`. */
export interface NodePorts extends StoragePorts, Pick<Ports, 'engine'> {
  /** Ends the engine, whose thread keeps the process alive. */
  close(): Promise<void>;
}

/** This computer's ports. Rejects with a VentralError where the device cannot be used. */
export const nodePorts = async (
  options: StorageOptions & NodeEngineOptions = {},
): Promise<NodePorts> => {
  const engine = await createNodeEngine(options);
  const close = (): Promise<void> => engine.close();
  // Not in the type: a consumer's own library may be older than the symbol.
  const ports = { ...createStoragePorts(options), engine, close };
  return Object.assign(ports, { [Symbol.asyncDispose]: close });
};
