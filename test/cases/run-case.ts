// What the tests of cases share. A case is a small input on which ventral once printed a wrong number, refused what is
// sound, or misled; its folder holds the input (made smaller than 200 kB) and a test that asserts the right value.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import type { Score } from '../../src/records/score.ts';
import { cli, cliDone, type Outcome } from '../cli/run-cli.ts';
import { temporaryFolder } from '../small-study.ts';

/** 60 smooth pictures of 32×32, six sites driven by their 4×4 colour means, six trials (`rec`); those means (`features.npy`). */
export const base = join(import.meta.dirname, 'base');

/** Preprocessing of the networks of the cases: 32×32, from −1 to 1. */
export const preprocess = join(base, 'p32.json');

export interface CaseRun extends Outcome {
  readonly score: Score;
}

export interface Case {
  /** A place for files that the test makes, empty at first. */
  readonly work: string;
  /** `ventral score …`, which must succeed, with what it wrote. */
  readonly score: (...args: readonly string[]) => Promise<CaseRun>;
}

/** A temporary folder and a cache of its own for the tests of one case. */
export const openCase = (): Case => {
  const work = temporaryFolder();
  beforeAll(() => void vi.stubEnv('VENTRAL_CACHE', join(work, 'cache')));
  afterAll(() => void vi.unstubAllEnvs());
  let runs = 0;
  const score = async (...args: readonly string[]): Promise<CaseRun> => {
    const out = join(work, `score-${runs++}.json`);
    const outcome = await cliDone('score', ...args, '--out', out, '--quiet');
    return { ...outcome, score: JSON.parse(readFileSync(out, 'utf8')) as Score };
  };
  return { work, score };
};

export { cli, cliDone };
