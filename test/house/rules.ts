import { dirname, join } from 'node:path/posix';
import { isBarrel, type Module } from './modules.ts';

/** `null`: any package. */
type Packages = readonly string[] | null;

interface Place {
  /** Rooms import downwards only: from places of a lower level, or, of the same level, from those named. */
  readonly level: number;
  readonly imports: readonly string[];
  readonly packages: Packages;
}

// The table of ARCHITECTURE.md, with the rooms that are still to come.
const FOUNDATION = [
  'records',
  'numeric',
  'formats',
  'graph',
  'sketch',
  'gradient',
  'architectures',
];
const MIDDLE = [...FOUNDATION, 'regression', 'data', 'models', 'world'];
const UPPER = [...MIDDLE, 'kernels', 'saliency', 'scoring', 'alignment', 'training'];
const TOP = ['analysis', 'consistency', 'controls'];
const ROOMS = [...UPPER, ...TOP, 'store', 'report'];
const WAYS = [
  'score',
  'predictivity',
  'nulls',
  'activations',
  'align',
  'saliency',
  'harmonize',
  'analyze',
].map((way) => `${way}.ts`);
/** Packages of plain JavaScript, which run wherever the rooms do. */
const PURE = ['zod', 'fflate', 'papaparse'];

const room = (level: number, ...imports: string[]): Place => ({ level, imports, packages: PURE });

/** Folders of `src`, and the files that stand directly in it. */
export const PLACES: Readonly<Record<string, Place>> = {
  records: { level: 0, imports: [], packages: ['zod'] },
  numeric: room(1, 'records'),
  formats: {
    level: 1,
    imports: ['records', 'numeric'],
    packages: [...PURE, 'hyparquet-writer'],
  },
  graph: room(1, 'records', 'numeric'),
  sketch: room(1, 'records', 'numeric', 'graph'),
  gradient: room(1, 'records', 'numeric', 'graph', 'sketch'),
  architectures: room(1, 'records', 'numeric', 'graph', 'sketch'),
  regression: room(2, 'records', 'numeric', 'graph'),
  data: room(2, ...FOUNDATION),
  models: room(2, ...FOUNDATION),
  world: room(2, ...FOUNDATION),
  kernels: room(3, 'records', 'numeric', 'graph', 'regression'),
  saliency: room(3, ...FOUNDATION, 'models'),
  scoring: room(3, ...MIDDLE),
  alignment: room(3, ...MIDDLE, 'scoring'),
  training: room(3, ...MIDDLE),
  analysis: room(4, ...MIDDLE, 'scoring'),
  consistency: room(4, ...MIDDLE, 'scoring'),
  controls: room(4, ...MIDDLE, 'scoring'),
  store: room(5, 'records', 'formats'),
  report: room(5, 'records', 'numeric', 'analysis'),
  'version.ts': { level: 0, imports: [], packages: [] },
  'score.ts': room(6, ...ROOMS, 'predictivity.ts', 'nulls.ts', 'version.ts'),
  'predictivity.ts': room(6, ...ROOMS),
  'nulls.ts': room(6, ...ROOMS, 'predictivity.ts'),
  'activations.ts': room(6, ...ROOMS),
  'align.ts': room(6, ...ROOMS, 'version.ts'),
  'saliency.ts': room(6, ...ROOMS, 'version.ts'),
  'harmonize.ts': room(6, ...ROOMS, 'version.ts'),
  'analyze.ts': room(6, ...ROOMS, 'version.ts'),
  'demo.ts': room(6, ...ROOMS, ...WAYS, 'version.ts'),
  'onnx.ts': room(7, ...ROOMS),
  'report.ts': room(7, ...ROOMS),
  'records.ts': room(7, 'records'),
  'index.ts': room(7, ...ROOMS, ...WAYS, 'demo.ts', 'version.ts'),
  node: { level: 7, imports: UPPER, packages: null },
  browser: { level: 7, imports: UPPER, packages: null },
  cli: {
    level: 8,
    imports: [...ROOMS, ...WAYS, 'demo.ts', 'index.ts', 'version.ts', 'node'],
    packages: null,
  },
};

/** Places that may know their host: Node, or the browser. */
export const EDGES: readonly string[] = ['node', 'browser', 'cli'];

export const LONGEST_FILE = 500;

const placeOf = (path: string): string => path.split('/')[0]!;
const isRoom = (path: string): boolean => !EDGES.includes(placeOf(path));

/** Path below `src` that a relative import means; may begin with `..`. */
const targetOf = (path: string, specifier: string): string => join(dirname(path), specifier);
const isRelative = (specifier: string): boolean => /^\.{0,2}\//.test(specifier);
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Files outside the table, too deep, too long, or not TypeScript. */
export const misplaced = (modules: readonly Module[]): string[] =>
  modules.flatMap(({ path, lines }) => [
    ...(PLACES[placeOf(path)] === undefined ? [`${path}: not in the table of rooms`] : []),
    ...(path.split('/').length > 2 ? [`${path}: deeper than one folder below src`] : []),
    ...(path.endsWith('.ts') ? [] : [`${path}: not TypeScript`]),
    ...(lines > LONGEST_FILE ? [`${path}: ${lines} lines, over ${LONGEST_FILE}`] : []),
  ]);

const relativeProblem = (
  path: string,
  target: string,
  known: ReadonlySet<string>,
): string | null => {
  if (!known.has(target)) return `imports ${target}, which is not a module of src`;
  const [from, to] = [placeOf(path), placeOf(target)];
  if (from === to) return null;
  const [importer, imported] = [PLACES[from], PLACES[to]];
  if (importer === undefined || imported === undefined) return null;
  if (importer.imports.includes(to)) return null;
  const way = imported.level > importer.level ? 'upwards' : 'sideways or past the table';
  return `${from} imports ${to}: ${way}`;
};

const packageProblem = (path: string, specifier: string): string | null => {
  const allowed = PLACES[placeOf(path)]?.packages;
  if (packageOf(specifier) === 'ventral') return 'imports the package itself';
  if (allowed === null || allowed === undefined) return null;
  return allowed.includes(packageOf(specifier))
    ? null
    : `imports ${specifier}; ${placeOf(path)} may import ${allowed.join(', ')} only`;
};

/** Imports that the table forbids, that lead nowhere, or that cannot be read. */
export const forbiddenImports = (modules: readonly Module[]): string[] => {
  const known = new Set(modules.map(({ path }) => path));
  return modules.flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier, line }) => {
      const problem =
        specifier === null
          ? isRoom(path)
            ? 'an import whose target is no plain string'
            : null
          : isRelative(specifier)
            ? relativeProblem(path, targetOf(path, specifier), known)
            : packageProblem(path, specifier);
      return problem === null ? [] : [`${path}:${line}: ${problem}`];
    }),
  );
};

/** Every cycle among the modules, once, types included: `a.ts → b.ts → a.ts`. */
export const cycles = (modules: readonly Module[]): string[] => {
  const edges = new Map(
    modules.map(({ path, imports }) => [
      path,
      imports.flatMap(({ specifier }) =>
        specifier !== null && isRelative(specifier) ? [targetOf(path, specifier)] : [],
      ),
    ]),
  );
  const finished = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const since = trail.indexOf(path);
    if (since >= 0) found.push([...trail.slice(since), path].join(' → '));
    if (since >= 0 || finished.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    finished.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
};

const EXPORTED = ['const', 'function', 'class', 'interface', 'type', 'enum'];

/** Names that a module declares and exports. */
const exportedNames = ({ tokens }: Module): string[] =>
  tokens.flatMap(({ text }, at) => {
    if (text !== 'export' || tokens[at]!.kind !== 'word') return [];
    const from = tokens.slice(at + 1, at + 6);
    const keyword = from.findIndex((token) => EXPORTED.includes(token.text));
    const before = from.slice(0, Math.max(keyword, 0)).map((token) => token.text);
    if (keyword < 0 || !before.every((each) => ['async', 'declare', 'abstract'].includes(each)))
      return [];
    const name = from.slice(keyword + 1).find(({ text: each }) => each !== '*');
    return name?.kind === 'word' ? [name.text] : [];
  });

/** Names that two modules export: a reader who meets one must not have to ask which. */
export const sharedNames = (modules: readonly Module[]): string[] => {
  const found = new Map<string, string[]>();
  for (const module of modules)
    for (const name of new Set(exportedNames(module)))
      found.set(name, [...(found.get(name) ?? []), module.path]);
  return [...found].flatMap(([name, paths]) =>
    paths.length > 1 ? [`${name}: ${paths.join(', ')}`] : [],
  );
};

/** Default exports, `any`, reference directives (but to declarations of the room), and barrels that `entries` (paths below `src`) do not name. */
export const unwanted = (modules: readonly Module[], entries: readonly string[]): string[] =>
  modules.flatMap((module) => {
    const { path, tokens, references } = module;
    const found = tokens.flatMap(({ kind, text, line }, at) => {
      const before = tokens[at - 1]?.text;
      const isWord = kind === 'word';
      if (isWord && text === 'default' && ['export', 'as'].includes(before ?? '')) {
        return [`${path}:${line}: default export`];
      }
      const isAny = isWord && text === 'any' && (before !== '.' || tokens[at - 2]?.text === 'z');
      return isAny ? [`${path}:${line}: any`] : [];
    });
    return [
      ...found,
      ...references
        .filter((reference) => !/<reference path="\.\/[\w-]+\.d\.ts" \/>/.test(reference))
        .map((reference) => `${path}: ${reference.trim()}`),
      ...(isBarrel(module) && !entries.includes(path) ? [`${path}: only re-exports`] : []),
    ];
  });
