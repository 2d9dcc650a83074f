import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Why a test that needs the shared data is skipped. */
export const sharedSkipReason = 'the shared data folder (../shared) is not here';

/** Path below the shared data folder beside the repository, or null where it is not there. */
export const sharedPath = (...parts: string[]): string | null => {
  const path = fileURLToPath(new URL(`../../shared/${parts.join('/')}`, import.meta.url));
  return existsSync(path) ? path : null;
};
