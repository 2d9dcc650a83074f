import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EDGES } from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');
const ROOMS = join(ROOT, 'tsconfig.rooms.json');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ventral-hosts-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Compiles all rooms with one more file, as tsconfig.rooms.json says; returns the complaints about that file. */
const complaints = (name: string, text: string): string[] => {
  const project = join(folder, name);
  mkdirSync(project);
  writeFileSync(join(project, 'planted.mts'), text);
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      extends: ROOMS,
      compilerOptions: {
        rootDir: '/',
        noEmit: true,
        composite: false,
        incremental: false,
        declaration: false,
        rewriteRelativeImportExtensions: false,
        allowImportingTsExtensions: true,
        tsBuildInfoFile: null,
      },
      include: [join(ROOT, 'src'), './planted.mts'],
    }),
  );
  const { stdout } = spawnSync(process.execPath, [TSC, '-p', project], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes('planted.mts('));
};

test('a room that names Node or the DOM does not compile', () => {
  const names = ['Buffer', 'process', 'require', 'setTimeout', 'console', 'document', 'window'];
  const found = complaints(
    'hosts',
    [
      ...names.map((name, index) => `export const name${index} = ${name};`),
      'export type Timer = NodeJS.Timeout;',
      'export type Picture = HTMLImageElement;',
      "import { readFileSync } from 'node:fs';",
      'export const last = readFileSync;',
    ].join('\n'),
  );
  const named = found.map(
    (line) => /Cannot find (?:name|namespace|module) '([^']+)'/.exec(line)?.[1],
  );
  expect(named).toEqual([...names, 'NodeJS', 'HTMLImageElement', 'node:fs']);
});

test('a room that keeps to the language compiles', () => {
  const text = [
    `import type { NdArray } from '${join(ROOT, 'src/records/array.ts')}';`,
    'export const shape = (array: NdArray): readonly number[] => array.shape;',
    'export const bytes = new TextEncoder().encode("a").toSorted();',
  ].join('\n');
  expect(complaints('plain', text)).toEqual([]);
});

test('every room is compiled so, and only the edges are not', () => {
  const shown = execFileSync(process.execPath, [TSC, '-p', ROOMS, '--showConfig'], {
    encoding: 'utf8',
  });
  const config: {
    compilerOptions: { lib: string[]; types: string[]; strict: boolean; skipLibCheck: boolean };
    files: string[];
  } = JSON.parse(shown);
  expect(config.compilerOptions).toMatchObject({ lib: ['es2023'], types: [], strict: true });
  const compiled = new Set(config.files.map((file) => file.replace('./', '')));
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !EDGES.includes(path.split('/')[0]!));
  expect(sources.filter((path) => !compiled.has(`src/${path}`))).toEqual([]);
});
