// Whether a change of the code changes no number: the same jobs by the command lines of two checkouts, all that they write.
// npx tsx bench/same.ts BEFORE AFTER [--only PATTERN,…]      each a git revision, or a folder with a checkout
// npx tsx bench/same.ts --jobs                               what is run
// What each side wrote stays in bench/results/same/<tree of src>, so that a side is not run again until its code changes.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Difference, SameTable } from './compare-json.ts';
import { compareFiles } from './same-files.ts';
import { writeInputs } from './same-inputs.ts';
import { chosen, type Job, jobs, v4Missing } from './same-jobs.ts';
import { table } from './same-table.ts';

const shownDifferences = 20;
const root = join(import.meta.dirname, '..');
const results = join(root, 'bench/results/same');

interface Outcome {
  readonly code: number | null;
  readonly out: Buffer;
  readonly err: Buffer;
}

const run = (
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> =>
  new Promise((done, fail) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => err.push(part));
    child.on('error', fail);
    child.on('close', (code) => {
      done({ code, out: Buffer.concat(out), err: Buffer.concat(err) });
    });
  });

const git = async (cwd: string, args: readonly string[], env = {}): Promise<string> => {
  const { code, out, err } = await run('git', args, cwd, { ...process.env, ...env });
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${err.toString().trim()}`);
  return out.toString().trim();
};

interface Side {
  readonly name: string;
  /** Repository that knows the tree. */
  readonly repository: string;
  /** All files, as they are: of a folder, with what is not committed. */
  readonly tree: string;
  readonly folder: string;
}

const sideOf = async (name: string): Promise<Side> => {
  const isFolder = existsSync(name) && statSync(name).isDirectory();
  const repository = isFolder ? await git(resolve(name), ['rev-parse', '--show-toplevel']) : root;
  const tree = isFolder
    ? await treeOf(repository)
    : await git(root, ['rev-parse', '--verify', `${name}^{tree}`]);
  const sources = await git(repository, ['rev-parse', `${tree}:src`]);
  return { name, repository, tree, folder: join(results, sources.slice(0, 12)) };
};

/** The tree that a commit of everything in the folder would have; its index stays as it is. */
const treeOf = async (repository: string): Promise<string> => {
  const folder = await mkdtemp(`${tmpdir()}/ventral-same-`);
  const env = { GIT_INDEX_FILE: join(folder, 'index') };
  try {
    await git(repository, ['read-tree', 'HEAD'], env);
    await git(repository, ['add', '--all'], env);
    return await git(repository, ['write-tree'], env);
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** The sources of a side in a folder of their own, with the packages of its checkout or of this one. */
const checkOut = async ({ repository, tree }: Side, folder: string): Promise<void> => {
  const archive = join(folder, 'sources.tar');
  await git(repository, [
    'archive',
    '-o',
    archive,
    tree,
    'src',
    'package.json',
    'tsconfig.json',
    'tsconfig.base.json',
  ]);
  await run('tar', ['-xf', archive], folder);
  const own = join(repository, 'node_modules');
  await symlink(existsSync(own) ? own : join(root, 'node_modules'), join(folder, 'node_modules'));
};

/** What a job's result stands for: a command, the inputs that it names, and the jobs that it needs. */
const keyOf = (side: Side, job: Job): string => {
  const hash = createHash('sha256').update(JSON.stringify(job.args));
  for (const need of job.needs) hash.update(keyOf(side, jobs.find(({ id }) => id === need)!));
  for (const arg of job.args) {
    const path = join(side.folder, arg);
    if (!arg.startsWith('inputs/') || arg.startsWith('inputs/shared/')) continue;
    if (statSync(path).isFile()) hash.update(readFileSync(path));
    else
      for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }).sort())
        if (statSync(join(path, name)).isFile())
          hash.update(name).update(readFileSync(join(path, name)));
  }
  return hash.digest('hex');
};

const done = async (side: Side, job: Job): Promise<{ key: string; code: number } | null> => {
  const path = join(side.folder, job.id, 'done.json');
  return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : null;
};

let stopped = false;
process.on('SIGINT', () => {
  stopped = true;
});

const runJob = async (side: Side, job: Job, folder: string): Promise<string> => {
  const to = join(side.folder, job.id);
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  const started = Date.now();
  const loader = join(folder, 'node_modules/tsx/dist/loader.mjs');
  const { code, out, err } = await run(
    process.execPath,
    ['--import', loader, join(folder, 'src/cli/main.ts'), ...job.args],
    side.folder,
    { ...process.env, VENTRAL_CACHE: join(folder, 'cache') },
  );
  if (stopped) throw new Error('interrupted');
  await writeFile(join(to, 'stdout.txt'), out);
  await writeFile(join(to, 'stderr.log'), err);
  await writeFile(join(to, 'done.json'), JSON.stringify({ key: keyOf(side, job), code }));
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  const why = code === 0 ? '' : `, exit ${code}: ${err.toString().trim().slice(0, 160)}`;
  return `${seconds} s${why}`;
};

/** Runs what has not been run yet. */
const runSide = async (side: Side, asked: readonly Job[]): Promise<void> => {
  await rm(join(side.folder, 'inputs'), { recursive: true, force: true });
  await writeInputs(join(side.folder, 'inputs'));
  const pending: Job[] = [];
  for (const job of asked) if ((await done(side, job))?.key !== keyOf(side, job)) pending.push(job);
  console.log(
    `${side.name}: ${relative(root, side.folder)}, ${asked.length - pending.length} of ${asked.length} jobs are there`,
  );
  if (pending.length === 0) return;
  const folder = await mkdtemp(`${tmpdir()}/ventral-same-`);
  const started = Date.now();
  try {
    await checkOut(side, folder);
    for (const [k, job] of pending.entries())
      console.log(
        `${side.name} ${k + 1}/${pending.length} ${job.id}: ${await runJob(side, job, folder)}`,
      );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${side.name}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
};

const filesOf = async (folder: string, nested: readonly string[]): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path !== 'done.json' && path !== 'stderr.log')
    .filter((path) => !nested.some((job) => path.startsWith(`${job}/`)));
};

/** Where the sides differ in what a job wrote and printed, and how it ended. */
const compareJob = async (job: Job, before: Side, after: Side): Promise<Difference[]> => {
  const ends = [(await done(before, job))!.code, (await done(after, job))!.code] as const;
  const found: Difference[] = [];
  if (ends[0] !== ends[1])
    found.push({ path: job.id, before: `exit ${ends[0]}`, after: `exit ${ends[1]}` });
  const nested = jobs.map(({ id }) => relative(job.id, id)).filter((id) => !id.startsWith('.'));
  const [a, b] = [join(before.folder, job.id), join(after.folder, job.id)];
  const [old, now] = [await filesOf(a, nested), await filesOf(b, nested)];
  for (const name of new Set([...old, ...now])) {
    const path = `${job.id}/${name}`;
    if (!now.includes(name)) found.push({ path, before: 'a file', after: 'absent' });
    else if (!old.includes(name)) found.push({ path, before: 'absent', after: 'a file' });
    else
      for (const each of compareFiles(
        name,
        await readFile(join(a, name)),
        await readFile(join(b, name)),
        table,
      ))
        found.push({ ...each, path: `${path}: ${each.path}` });
  }
  return found;
};

const sayTable = ({ renamed, added, ignored, shapeless }: SameTable): void => {
  const names = Object.entries(renamed).map(([old, now]) => `${old} → ${now}`);
  console.log(`renamed: ${names.join(', ') || 'nothing'}`);
  console.log(`may be new: ${added.join(', ')}`);
  console.log(`not compared: ${ignored.join(', ')}; of ${shapeless.join(', ')} the hashes alone`);
};

const compareSides = async (asked: readonly Job[], before: Side, after: Side): Promise<number> => {
  const found: Difference[] = [];
  const refused: string[] = [];
  for (const job of asked) {
    found.push(...(await compareJob(job, before, after)));
    if ((await done(before, job))!.code !== 0) refused.push(job.id);
  }
  if (refused.length > 0) console.log(`refused by ${before.name}: ${refused.join(', ')}`);
  for (const { path, before: old, after: now } of found.slice(0, shownDifferences))
    console.log(`${path}\n  before ${old}\n  after  ${now}`);
  if (found.length > shownDifferences) console.log(`and ${found.length - shownDifferences} more`);
  console.log(`${asked.length} jobs, ${found.length} differences`);
  return found.length;
};

const { values, positionals } = parseArgs({
  options: { only: { type: 'string' }, jobs: { type: 'boolean' } },
  allowPositionals: true,
});
const asked = chosen(values.only ?? null);
if (values.jobs) for (const { id, args } of asked) console.log(`${id}: ${args.join(' ')}`);
else if (positionals.length !== 2) throw new Error('same.ts BEFORE AFTER, or --jobs');
else {
  if (v4Missing !== null) console.log(`skipped, the V4 session: ${v4Missing}`);
  sayTable(table);
  const [before, after] = [await sideOf(positionals[0]!), await sideOf(positionals[1]!)];
  for (const side of [before, after]) await runSide(side, asked);
  process.exitCode = (await compareSides(asked, before, after)) === 0 ? 0 : 1;
}
