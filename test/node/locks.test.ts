import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createNodeLocks } from '../../src/node/locks.ts';
import { storageLine } from '../contracts/contract.ts';
import { temporaryFolder } from '../small-study.ts';

const locks = createNodeLocks();
const place = (): string => join(temporaryFolder(), 'staging', 'set.lock');

it('lets one at a time through, within a process too, and the next one after it', async () => {
  const path = place();
  const release = await locks.take(path);
  expect(await storageLine(locks.take(path))).toBe(
    `${path}: expected nobody else at this work, got process ${process.pid} on ${hostname()}; wait until it is done, or remove the file if that process is gone`,
  );
  await release();
  // The folders that it made are gone with it.
  expect(existsSync(join(path, '..'))).toBe(false);
  await (await locks.take(path))();
});

it('lets exactly one of many through', async () => {
  const path = place();
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => locks.take(path)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

it('takes over from a process that is gone, one of many', async () => {
  const path = place();
  mkdirSync(join(path, '..'), { recursive: true });
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  writeFileSync(path, `process ${pid} on ${hostname()}\nx\n`);
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => locks.take(path)));
  const taken = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  expect(taken).toHaveLength(1);
  expect(readdirSync(join(path, '..'))).toEqual(['set.lock']);
  await taken[0]!.value();
});

it('leaves the locks of other computers and of other owners alone', async () => {
  const path = place();
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, 'process 1 on elsewhere\nx\n');
  expect(await storageLine(locks.take(path))).toContain('got process 1 on elsewhere');
  expect(readFileSync(path, 'utf8')).toContain('elsewhere');
  writeFileSync(path, '');
  expect(await storageLine(locks.take(path))).toContain('got a lock that names no process');
  const other = place();
  const release = await locks.take(other);
  writeFileSync(other, 'process 1 on elsewhere\nx\n');
  await release();
  expect(existsSync(other)).toBe(true);
});
