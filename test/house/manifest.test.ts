import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ventralVersion } from '../../src/version.ts';
import { moduleOf } from './modules.ts';

const ROOT = join(import.meta.dirname, '../..');
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const manifest: {
  version: string;
  exports: Record<string, string | Record<string, string>>;
  files: string[];
  dependencies: Record<string, string>;
} = JSON.parse(text('package.json'));

test('one version stamps the scores, the package, its lockfile, its citation and its change log', () => {
  const { version } = manifest;
  expect(ventralVersion).toBe(version);
  expect(JSON.parse(text('package-lock.json'))).toMatchObject({
    version,
    packages: { '': { version } },
  });
  expect(/^version: (.+)$/m.exec(text('CITATION.cff'))?.[1]).toBe(version);
  expect(/^## \[(\d[^\]]*)\]/m.exec(text('CHANGELOG.md'))?.[1]).toBe(version);
});

test('the lockfile names no registry', () => {
  expect(text('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/registry/);
});

test('the source condition stands first in every export and leads to a source that is shipped', () => {
  expect(manifest.files).toContain('src');
  for (const [name, entry] of Object.entries(manifest.exports)) {
    if (typeof entry === 'string') continue;
    expect(Object.keys(entry), name).toEqual(['ventral-source', 'types', 'default']);
    const source = entry['ventral-source']!;
    expect(existsSync(join(ROOT, source)), source).toBe(true);
    const built = source.replace('./src/', './dist/');
    expect(entry.types).toBe(built.replace(/\.ts$/, '.d.ts'));
    expect(entry.default).toBe(built.replace(/\.ts$/, '.js'));
  }
});

test('src imports every dependency, and nothing else', () => {
  const imported = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => moduleOf({ path, text: text(join('src', path)) }).imports)
    .flatMap(({ specifier }) =>
      specifier === null || specifier.startsWith('.') ? [] : [specifier],
    )
    .filter((specifier) => !specifier.startsWith('node:'));
  const dependencies = Object.keys(manifest.dependencies).sort();
  expect([...new Set(imported)].sort()).toEqual(dependencies);
});

test('every golden file lies beside the generator that made it, and names the versions that it asked', () => {
  const golden = join(ROOT, 'test/golden');
  for (const name of readdirSync(golden)) {
    if (name.endsWith('.py') || /^make-.*\.ts$/.test(name)) continue;
    const thing = name.split('.', 1)[0]!;
    const generators = [`make-${thing}.py`, `make-${thing}.ts`, `${thing}.py`];
    expect(generators.filter((each) => existsSync(join(golden, each))).length, name).toBe(1);
    if (name.endsWith('.json')) {
      expect(JSON.parse(readFileSync(join(golden, name), 'utf8')), name).toHaveProperty('versions');
    }
  }
});

test('what continuous integration runs is executable', () => {
  expect(statSync(join(ROOT, '.ci/run')).mode & 0o111).toBe(0o111);
});
