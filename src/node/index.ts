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
  progress,
  checkStop,
  now: Date.now,
});

/**
 * This computer's ports. Close `engine` when done: its thread keeps the process alive.
 * Rejects with a VentralError where the device cannot be used.
 */
export const createNodePorts = async (
  options: StorageOptions & NodeEngineOptions = {},
): Promise<StoragePorts & Pick<Ports, 'engine'>> => ({
  ...createStoragePorts(options),
  engine: await createNodeEngine(options),
});
