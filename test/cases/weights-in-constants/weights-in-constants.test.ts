import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { knownInput } from '../../../src/records/provenance.ts';
import { base, cli, openCase, preprocess } from '../run-case.ts';

// The kernel of conv2 is a Constant whose data lie in kernel.bin beside the model. a/ and b/ hold two of that name.

const { pooled: score, work } = openCase();
const here = import.meta.dirname;
const folder = join(work, 'model');
const options = [
  join(folder, 'net.onnx'),
  '--layers',
  'conv2',
  '--recording',
  join(base, 'rec'),
  '--preprocess',
  preprocess,
  '--protocol',
  'image-cv',
];

mkdirSync(folder);
copyFileSync(join(here, 'model', 'net.onnx'), join(folder, 'net.onnx'));

afterEach(() => void vi.restoreAllMocks());

const scoredWith = async (kernel: 'a' | 'b') => {
  cpSync(join(here, kernel, 'kernel.bin'), join(folder, 'kernel.bin'));
  const { score: found } = await score(...options);
  return {
    raw: found.layers[0]!.raw!.toFixed(3),
    sha256: knownInput(found.provenance, 'model').sha256,
  };
};

it('is refused where the file is missing, though the working directory has one', async () => {
  const before = process.cwd();
  process.chdir(join(here, 'a'));
  const { code, stdout, stderr } = await cli('score', ...options).finally(() =>
    process.chdir(before),
  );
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain('net.onnx: expected its weights in the file kernel.bin beside it');
});

it(
  'reads the file beside the model and knows it by its bytes, cache or not',
  { timeout: 60_000 },
  async () => {
    const a = await scoredWith('a');
    const b = await scoredWith('b');
    expect(a.raw).toBe('0.421');
    expect(b.raw).toBe('0.484');
    expect(b.sha256).not.toBe(a.sha256);
    expect(await scoredWith('a')).toEqual(a);
  },
);
