// What the tests of cases share. A case is a small input on which ventral once printed a wrong number, refused what is
// sound, or misled; its folder holds the input (made smaller than 200 kB) and a test that asserts the right value.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import { openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { median, pearson } from '../../src/numeric/statistics.ts';
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
  /**
   * The same with raw values of predictions that are pooled over folds as they are, which the values of cases are (those of
   * a score are around the training means).
   */
  readonly pooled: (...args: readonly string[]) => Promise<CaseRun>;
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
  const pooled = async (...args: readonly string[]): Promise<CaseRun> => {
    const run = await score(...args, '--keep', 'layer-predictions');
    const raws = await pooledRaws(join(work, `score-${runs - 1}.json.layer-predictions.npz`));
    const { layers, layer } = run.score;
    return {
      ...run,
      score: {
        ...run.score,
        raw: raws.get(layer)!,
        layers: layers.map((each) => ({ ...each, raw: raws.get(each.layer)! })),
      },
    };
  };
  return { work, score, pooled };
};

/** Per layer the median over sites of Pearson's r over all rows, predictions of all folds as they are. */
const pooledRaws = async (path: string): Promise<ReadonlyMap<string, number>> => {
  const npz = await openNpz(bytesSource(readFileSync(path)), path);
  const names = (await npz.readStrings('layer')).strings;
  const recorded = await npz.readFloat64('recorded');
  const predicted = await npz.readFloat64('predicted');
  const ceiling = (await npz.readFloat64('ceiling')).data;
  const [rows, sites] = recorded.shape as [number, number];
  const column = (data: Float64Array, from: number, site: number) =>
    Float64Array.from({ length: rows }, (_, row) => data[from + row * sites + site]!);
  return new Map(
    names.map((name, layer) => {
      const used = Array.from({ length: sites }, (_, s) => s).filter((s) => ceiling[s]! > 0);
      const r = used.map((s) =>
        pearson(column(recorded.data, 0, s), column(predicted.data, layer * rows * sites, s)),
      );
      return [name, median(r)];
    }),
  );
};

export { cli, cliDone };
