import { readdirSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { runCli } from '../../src/cli/program.ts';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, as `ventral …` would, and collects what it writes. */
export const cli = async (...args: readonly string[]): Promise<Outcome> => {
  const collect = (stream: 'stdout' | 'stderr', text: string[]) =>
    vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
      text.push(String(chunk));
      return true;
    });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  const spies = [collect('stdout', stdout), collect('stderr', stderr)];
  try {
    const code = await runCli(args);
    return { code, stdout: stdout.join(''), stderr: stderr.join('') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
};

/** The same, for a command that must succeed. */
export const cliDone = async (...args: readonly string[]): Promise<Outcome> => {
  const outcome = await cli(...args);
  if (outcome.code !== 0) throw new Error(`exit code ${outcome.code}: ${outcome.stderr}`);
  return outcome;
};

/** Everything in a folder and below it, sorted. */
export const listing = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

/** What a refusal says, in the four parts that every message has. */
export interface Refusal {
  readonly line: string;
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly mend: string;
}

/**
 * Runs a command line that must be refused: exit code 2, nothing on standard output, at most three lines on standard
 * error, and `folder` as it was. Returns the message's parts.
 */
export const refused = async (folder: string, ...args: readonly string[]): Promise<Refusal> => {
  const before = listing(folder);
  const { code, stdout, stderr } = await cli(...args);
  expect(listing(folder)).toEqual(before);
  expect(stdout).toBe('');
  expect({ code, stderr }).toMatchObject({ code: 2 });
  const lines = stderr.trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(3);
  const line = lines.find((each) => each.startsWith('ventral: ')) ?? '';
  const parts = /^ventral: (.+?): expected (.+), got (.+); (.+)$/.exec(line);
  expect(parts, stderr).not.toBeNull();
  const [, where, expected, got, mend] = parts as unknown as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { line, where, expected, got, mend };
};

/** A command line with a wrong option: the program's own parser says so in at most three lines. */
export const misused = async (folder: string, ...args: readonly string[]): Promise<string> => {
  const before = listing(folder);
  const { code, stdout, stderr } = await cli(...args);
  expect(listing(folder)).toEqual(before);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
  expect(stderr).toMatch(/^error: /);
  return stderr;
};
