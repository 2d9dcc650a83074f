import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Module, moduleOf } from './modules.ts';
import {
  cycles,
  EDGES,
  forbiddenImports,
  misplaced,
  PLACES,
  sharedNames,
  unwanted,
} from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');

const read = (): Module[] =>
  readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) =>
      moduleOf({
        path: relative(SRC, file).split(sep).join('/'),
        text: readFileSync(file, 'utf8'),
      }),
    );

/** Sources that package.json offers to the outside: the only places for a barrel. */
const entries = (): string[] => {
  const manifest: { exports: Record<string, string | Record<string, string>> } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );
  return Object.values(manifest.exports).flatMap((entry) => {
    const source = typeof entry === 'string' ? undefined : entry['ventral-source'];
    return source === undefined ? [] : [source.replace(/^\.\/src\//, '')];
  });
};

describe('src', () => {
  const modules = read();

  test('is read whole', () => {
    expect(modules.length).toBeGreaterThan(10);
    const errors = modules.find(({ path }) => path === 'records/ports.ts');
    expect(errors?.imports.map(({ specifier }) => specifier)).toEqual(['./array.ts']);
  });
  test('keeps to the rooms of the table, one folder deep, in files that can be read', () => {
    expect(misplaced(modules)).toEqual([]);
  });
  test('is what ARCHITECTURE.md describes, at the same levels', () => {
    const page = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (\d|edge) \| `([\w.]+)\/?` \|/gm)];
    const described = rows.map(([, level, place]) => {
      const name = place!.replace(/\.ts$/, '');
      const known = PLACES[name];
      expect(EDGES.includes(name) ? 'edge' : String(known?.level), name).toBe(level);
      return place;
    });
    const built = new Set(modules.map(({ path }) => path.split('/')[0]!));
    for (const plain of ['index.ts', 'version.ts']) built.delete(plain);
    expect(described.toSorted()).toEqual([...built].sort());
  });
  test('imports downwards only', () => {
    expect(forbiddenImports(modules)).toEqual([]);
  });
  test('has no cycle', () => {
    expect(cycles(modules)).toEqual([]);
  });
  test('gives each exported name one meaning', () => {
    expect(sharedNames(modules)).toEqual([]);
  });
  test('has no default export, any, reference directive or inner barrel', () => {
    expect(unwanted(modules, entries())).toEqual([]);
  });
});

const planted = (files: Readonly<Record<string, string>>): Module[] =>
  Object.entries(files).map(([path, text]) => moduleOf({ path, text }));

describe('the checker', () => {
  test('knows no upward import in its own table', () => {
    const upward = Object.entries(PLACES).flatMap(([name, place]) =>
      place.imports
        .filter((other) => PLACES[other]!.level > place.level)
        .map((other) => `${name} → ${other}`),
    );
    expect(upward).toEqual([]);
  });

  test('finds imports of every form, and none in comments, strings, templates and regular expressions', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { B } from './b.ts';",
      "import './c.ts';",
      'import d, { type E } from "./d.ts";',
      "import * as f from './f.ts';",
      "export * from './g.ts';",
      "export type { H } from './h.ts';",
      "export {\n  i,\n} from './i.ts';",
      "const j = await import('./j.ts');",
      "type K = import('./k.ts').K;",
      "const l = require('./l.ts');",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a module
      "const m = `${await import('./m.ts')} import './no.ts'`;",
      'const n = await import(name);',
      "// import './no.ts'",
      "/* import './no.ts' */",
      'const o = "import \'./no.ts\'";',
      "const p = /import '.[/]no.ts'/.test(q / 2);",
      "const r = import.meta.url; const s = { import: './no.ts' };",
      "import { t } from './t.ts';",
    ].join('\n');
    const found = moduleOf({ path: 'graph/x.ts', text }).imports;
    expect(found.map(({ specifier }) => specifier)).toEqual([
      ...'abcdfghijklm'.split('').map((name) => `./${name}.ts`),
      null,
      './t.ts',
    ]);
    expect(found.at(-1)?.line).toBe(text.split('\n').length);
  });

  test('catches a cycle, and one of types alone', () => {
    const modules = planted({
      'graph/a.ts': "import type { B } from './b.ts';",
      'graph/b.ts': "import { c } from './c.ts';",
      'graph/c.ts': "export type { A } from './a.ts';",
      'graph/d.ts': "import { a } from './a.ts';",
    });
    expect(cycles(modules)).toEqual(['graph/a.ts → graph/b.ts → graph/c.ts → graph/a.ts']);
  });

  test('catches upward and sideways imports', () => {
    const modules = planted({
      'graph/a.ts': "import { b } from '../scoring/b.ts';",
      'scoring/b.ts': "import { c } from '../training/c.ts';",
      'training/c.ts': "import type { r } from '../records/r.ts';",
      'records/r.ts': '',
      'regression/e.ts': "import { f } from '../formats/f.ts';",
      'formats/f.ts': '',
      'score.ts': "import { node } from './node/n.ts';\nimport { a } from './graph/a.ts';",
      'node/n.ts': "import sharp from 'sharp';",
      'align.ts': "import { score } from './score.ts';",
      'demo.ts': "import { score } from './score.ts';",
      'cli/main.ts': "import { demo } from '../demo.ts';",
    });
    expect(forbiddenImports(modules)).toEqual([
      'graph/a.ts:1: graph imports scoring: upwards',
      'scoring/b.ts:1: scoring imports training: sideways or past the table',
      'regression/e.ts:1: regression imports formats: sideways or past the table',
      'score.ts:1: score imports node: upwards',
      'align.ts:1: align imports score: sideways or past the table',
    ]);
  });

  test('catches packages where they do not belong, and imports that lead nowhere', () => {
    const modules = planted({
      'records/a.ts': "import { z } from 'zod';\nimport { unzipSync } from 'fflate';",
      'formats/b.ts':
        "import { unzipSync } from 'fflate';\nimport { readFile } from 'node:fs/promises';",
      'models/c.ts': "import type { InferenceSession } from 'onnxruntime-node';",
      'models/d.ts': "import { e } from './e.js';\nimport { f } from '../../test/f.ts';",
      'world/g.ts': "import { score } from 'ventral';\nconst h = await import(name);",
      'node/i.ts': "import { readFile } from 'node:fs/promises';",
    });
    expect(forbiddenImports(modules)).toEqual([
      'records/a.ts:2: imports fflate; records may import zod only',
      'formats/b.ts:2: imports node:fs/promises; formats may import zod, fflate, papaparse, hyparquet-writer only',
      'models/c.ts:1: imports onnxruntime-node; models may import zod, fflate, papaparse only',
      'models/d.ts:1: imports models/e.js, which is not a module of src',
      'models/d.ts:2: imports ../test/f.ts, which is not a module of src',
      'world/g.ts:1: imports the package itself',
      'world/g.ts:2: an import whose target is no plain string',
    ]);
  });

  test('catches default exports, any, reference directives and barrels', () => {
    const modules = planted({
      'graph/a.ts': 'export default 1;',
      'graph/b.ts': 'const b = 1;\nexport { b as default };',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a module
      'graph/c.ts': 'const c = (x: any[]): string => `any ${x as any}`; // any',
      'graph/d.ts': 'const d = Promise.any([]); const e = z.any();',
      'graph/f.ts': '/// <reference types="node" />\nexport const f = 1;',
      'graph/g.ts': "import { a } from './a.ts';\nexport { a };\nexport * from './b.ts';",
      'graph/h.ts': "import { a } from './a.ts';\nexport { a };\nexport const h = 1;",
      'index.ts': "export * from './graph/a.ts';",
    });
    expect(unwanted(modules, ['index.ts'])).toEqual([
      'graph/a.ts:1: default export',
      'graph/b.ts:2: default export',
      'graph/c.ts:1: any',
      'graph/c.ts:1: any',
      'graph/d.ts:1: any',
      'graph/f.ts: /// <reference types="node" />',
      'graph/g.ts: only re-exports',
    ]);
  });

  test('catches a name that two modules export', () => {
    const modules = planted({
      'graph/a.ts': 'export const a = 1;\nexport interface Shared {}\nconst own = 2;',
      'graph/b.ts': 'export type Shared = 1;\nexport async function b() {}\nconst own = 3;',
      'graph/c.ts': "export { type Shared } from './a.ts';\nexport const c = 1;",
    });
    expect(sharedNames(modules)).toEqual(['Shared: graph/a.ts, graph/b.ts']);
  });

  test('catches unknown rooms, depth, length and other languages', () => {
    const modules = planted({
      'graph/a.ts': '\n'.repeat(500),
      'graph/b.ts': `${'\n'.repeat(500)}x`,
      'graph/deep/c.ts': '',
      'utils/d.ts': '',
      'helpers.ts': '',
      'graph/e.js': '',
    });
    expect(misplaced(modules)).toEqual([
      'graph/b.ts: 501 lines, over 500',
      'graph/deep/c.ts: deeper than one folder below src',
      'utils/d.ts: not in the table of rooms',
      'helpers.ts: not in the table of rooms',
      'graph/e.js: not TypeScript',
    ]);
  });
});
