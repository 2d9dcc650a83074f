import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { protocolNames } from '../../src/scoring/protocols.ts';

const ROOT = join(import.meta.dirname, '../..');
const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('every npm script that the pages name is there', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(text('package.json'));
  const named = pages.flatMap((page) =>
    [...text(page).matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name!),
  );
  expect(named).toContain('demo');
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});

test('the protocols of the README are the named ones', () => {
  const table = text('README.md').split('## Protocols')[1]!.split('\n## ')[0]!;
  const named = [...table.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name);
  expect(named.toSorted()).toEqual([...protocolNames].sort());
});

test('every file that the pages name is there', () => {
  const paths = pages.flatMap((page) =>
    [...text(page).matchAll(/`((?:src|test|\.ci)\/[\w./-]*\w|[A-Z]+\.(?:md|cff))`/g)].map(
      ([, path]) => path!,
    ),
  );
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
