import { join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** Kilobytes, minified, of what a consumer's page gets for importing these names alone. */
const bundled = async (entry: string, names: string): Promise<number> => {
  const { outputFiles } = await build({
    stdin: { contents: `export { ${names} } from './src/${entry}.ts';`, resolveDir: ROOT },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
    // Behind a test for Node, in papaparse.
    external: ['stream'],
  });
  return outputFiles[0]!.contents.length / 1000;
};

/**
 * With "sideEffects": false and zod as a namespace; the bounds are a tenth above what was measured (`score` has nulls and learning curves with it). Without them each of the
 * three brings all of zod and what zod's schemas keep alive: 591, 583 and 806 kB.
 */
describe('a consumer gets what it imports', () => {
  test.each([
    ['onnx', 'differentiate', 66],
    ['index', 'readRecording', 138],
    ['index', 'planScore, score', 483],
  ])('%s: %s: below %i kB', async (entry, names, most) => {
    const size = await bundled(entry, names);
    expect(size).toBeLessThan(most);
    // A bound far above the size holds nothing.
    expect(size).toBeGreaterThan(0.7 * most);
  });
});

/** Inputs of the bundle that are loaded before anything is asked for: no dynamic import leads to them alone. */
const loadedAtOnce = (inputs: Metafile['inputs'], entry: string): string[] => {
  const found = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const each of inputs[path]?.imports ?? []) {
      if (each.kind === 'dynamic-import') continue;
      if (each.external) packages.add(each.path);
      else visit(each.path);
    }
  };
  visit(entry);
  return [...found, ...packages].filter((path) => !path.startsWith('node:')).toSorted();
};

const entryOf = async (entry: string): Promise<string[]> => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return loadedAtOnce(metafile.inputs, entry);
};

describe('the command line', () => {
  test('loads neither commands nor engine nor sharp before it knows which it needs', async () => {
    expect(await entryOf('src/cli/main.ts')).toEqual([
      'commander',
      'src/cli/main.ts',
      'src/cli/program.ts',
      'src/node/failures.ts',
      'src/records/errors.ts',
      'src/version.ts',
    ]);
  });

  test('loads sharp with the first image, the engine in its worker', async () => {
    const score = await entryOf('src/cli/score-command.ts');
    expect(score).toContain('src/node/images.ts');
    expect(score).not.toContain('sharp');
    expect(score).not.toContain('onnxruntime-node');
  });
});
