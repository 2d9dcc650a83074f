import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCli } from '../../../src/cli/program.ts';
import { base, openCase } from '../run-case.ts';

// In a terminal the first line of a result once stood behind the last progress: "… 0 s leftnet.onnx against rec".

const { work } = openCase();

const emptied = '\r\u001b[2K';

/** What a terminal shows that both streams write to: what stands on a line before it is emptied is gone. */
const screenOf = (text: string): string[] =>
  text.split('\n').map((line) => line.split(emptied).at(-1)!);

describe('the line of progress', () => {
  const isTerminal = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  beforeEach(() => {
    Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
    vi.stubEnv('TERM', 'xterm');
  });
  afterEach(() => {
    if (isTerminal === undefined) Reflect.deleteProperty(process.stderr, 'isTTY');
    else Object.defineProperty(process.stderr, 'isTTY', isTerminal);
  });

  const written = async (...args: string[]): Promise<{ code: number; text: string }> => {
    const chunks: string[] = [];
    const collect = (stream: 'stdout' | 'stderr') =>
      vi.spyOn(process[stream], 'write').mockImplementation((chunk) => {
        chunks.push(String(chunk));
        return true;
      });
    const spies = [collect('stdout'), collect('stderr')];
    try {
      return { code: await runCli(args), text: chunks.join('') };
    } finally {
      for (const spy of spies) spy.mockRestore();
    }
  };
  const model = join(import.meta.dirname, '../pad-maxpool/net.onnx');
  const scoring = (...more: string[]): string[] => [
    ...['score', model, '--recording', join(base, 'rec'), '--protocol', 'image-cv'],
    ...['--preprocess', join(base, 'p32.json'), ...more],
  ];
  const importing = (responses: string, out: string): string[] => [
    ...['data', 'import', 'npy', '--responses', join(base, responses), '--dims'],
    ...['site,stimulus,trial', '--stimuli', join(base, 'rec/stimuli'), '--area', 'IT'],
    ...['--species', 'macaque', '--window', '70-170', '--out', join(work, out)],
  ];

  it('is cleared before a result', async () => {
    const { code, text } = await written(...scoring());
    expect(code, text).toBe(0);
    expect(text).toMatch(/intervals: \d\/2 layers/);
    const screen = screenOf(text);
    expect(screen.filter((line) => / layers \(\d+ %\)| steps \(\d+ %\)/.test(line))).toEqual([]);
    expect(screen.some((line) => line.startsWith('net.onnx against rec'))).toBe(true);
  });

  it('is cleared before results, notes and errors of other commands', async () => {
    const imported = await written(...importing('responses.npy', 'rec'));
    expect(imported.code, imported.text).toBe(0);
    expect(imported.text).toContain('stimuli: 1/60 images');
    expect(screenOf(imported.text).join('\n')).not.toContain('/60 images');
    expect(screenOf(imported.text)[0]).toMatch(/^(note: |rec)/);
    const refused = await written(...importing('features.npy', 'other'));
    expect(refused.code).toBe(2);
    expect(screenOf(refused.text)[0]).toMatch(/^ventral: /);
  });

  it('is plain lines, now and then, in a terminal that cannot go back', async () => {
    vi.stubEnv('TERM', 'dumb');
    const { code, text } = await written(...importing('responses.npy', 'dumb'));
    expect(code, text).toBe(0);
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\r');
  });
});
