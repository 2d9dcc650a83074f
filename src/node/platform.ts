import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$VENTRAL_CACHE`, else the platform's cache folder: `~/Library/Caches`, `%LOCALAPPDATA%`, `$XDG_CACHE_HOME` or `~/.cache`. */
export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string => {
  const own = environment.VENTRAL_CACHE;
  if (own !== undefined && own !== '') return own;
  const home = homedir();
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches', 'ventral');
  if (process.platform === 'win32')
    return join(environment.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'ventral', 'cache');
  return join(environment.XDG_CACHE_HOME || join(home, '.cache'), 'ventral');
};
