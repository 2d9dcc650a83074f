import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parseKeep, parseList, parseWindows } from '../../src/cli/options.ts';

const parsed = (...args: string[]) =>
  new Command()
    .option('--keep <what>', '', parseKeep)
    .option('--layers <globs>', '', parseList)
    .option('--bins <ms>', '', parseWindows)
    .parse(args, { from: 'user' })
    .opts();

describe('an option with a list', () => {
  it('adds to what was given before', () => {
    expect(parsed('--keep', 'readout', '--keep', 'predictions,readout')).toEqual({
      keep: ['readout', 'predictions'],
    });
    expect(parsed('--layers', 'a,b', '--layers', 'c')).toEqual({ layers: ['a', 'b', 'c'] });
    expect(parsed('--bins', '50-90', '--bins', '90-130')).toEqual({
      bins: [
        { start: 50, end: 90 },
        { start: 90, end: 130 },
      ],
    });
  });
});
