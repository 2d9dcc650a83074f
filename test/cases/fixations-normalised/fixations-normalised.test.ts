import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Alignment } from '../../../src/records/alignment.ts';
import { knownInput } from '../../../src/records/provenance.ts';
import { base, cli, cliDone, openCase, preprocess } from '../run-case.ts';

// The same fixations of four people on six images in pixels and as shares of width and height. As pixels, all shares fell on
// the first pixel: people 1.000 and centre bias .197 instead of .969 and .748.

const here = import.meta.dirname;

describe('fixations between 0 and 1', () => {
  const { work } = openCase();
  const aligning = (list: string, ...more: string[]): string[] => [
    ...['align', join(here, 'net.onnx'), '--maps', join(here, list)],
    ...['--images', join(work, 'images'), '--preprocess', preprocess, '--quiet', ...more],
  ];
  const aligned = async (list: string, ...more: string[]): Promise<Alignment> => {
    const out = join(work, `${list}.json`);
    await cliDone(...aligning(list, '--out', out, ...more));
    return JSON.parse(readFileSync(out, 'utf8')) as Alignment;
  };
  const centreOf = ({ controls }: Alignment): number =>
    controls.find(({ name }) => name.includes('centre'))!.metrics!.spearman.raw!;

  beforeAll(() => {
    mkdirSync(join(work, 'images'));
    for (let i = 0; i < 6; i++) {
      copyFileSync(join(base, `rec/stimuli/im00${i}.png`), join(work, 'images', `im00${i}.png`));
    }
  });

  it('are refused unless their unit is said', async () => {
    const { code, stderr } = await cli(...aligning('shares.csv'));
    expect(code).toBe(2);
    expect(stderr).toContain('expected coordinates in pixels, got numbers between 0 and 1');
    expect(stderr).toContain('--fixations shares');
  });

  it('give the values that the same fixations in pixels give', async () => {
    const pixels = await aligned('pixels.csv');
    const shares = await aligned('shares.csv', '--fixations', 'shares');
    expect(centreOf(pixels)).toBeCloseTo(0.748, 2);
    expect(centreOf(shares)).toBeCloseTo(centreOf(pixels), 3);
    expect(shares.ceiling!).toBeCloseTo(pixels.ceiling!, 3);
    expect(shares.ceiling!).toBeLessThan(0.995);
    const hashOf = ({ provenance }: Alignment) => knownInput(provenance, 'human-maps').sha256;
    expect(hashOf(shares)).not.toBe(hashOf(pixels));
  });

  it('are no shares where most lie beyond 1', async () => {
    const { code, stderr } = await cli(...aligning('pixels.csv', '--fixations', 'shares'));
    expect(code).toBe(2);
    expect(stderr).toContain('expected shares of width and height');
  });
});
