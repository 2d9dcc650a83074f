import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importNwb } from '../../../src/data/nwb.ts';
import { readRecording } from '../../../src/formats/recording.ts';
import { nodePorts } from '../../../src/node/index.ts';
import type { Hdf5 } from '../../../src/records/hdf5.ts';
import { base, cli, cliDone, openCase } from '../run-case.ts';

// 60 images shown three times; the sixth interval has no stimulus (""), as a catch trial. That one stopped the import once.

const file = join(import.meta.dirname, 'session.nwb');
const stimuli = join(base, 'rec/stimuli');
const column = 'stimulus_name';

describe('an interval without a stimulus', () => {
  const { work } = openCase();
  const importing = (out: string, ...more: string[]): string[] => [
    ...['data', 'import', 'nwb', '--file', file, '--stimulus-column', column],
    ...['--stimuli', stimuli, '--bins', '50-150', '--species', 'macaque', '--area', 'IT'],
    ...['--out', join(work, out), '--quiet', ...more],
  ];

  /** The import with other names in the column. */
  const renamed = async (
    out: string,
    skip: readonly string[],
    change: (name: string) => string,
  ) => {
    const ports = await nodePorts({ threads: 1 });
    const changed: Hdf5 = {
      open: async (source, name) => {
        const opened = await ports.hdf5.open(source, name);
        return {
          ...opened,
          read: async (path, ranges) => {
            const values = await opened.read(path, ranges);
            if (!path.endsWith(column)) return values;
            return (values as readonly string[]).map(change);
          },
        };
      },
    };
    try {
      return await importNwb(
        {
          ...{ file, intervals: 'trials', stimulusColumn: column, stimuli, skip },
          ...{ bins: [{ start: 50, end: 150 }], area: { name: 'IT' }, species: 'macaque' },
          out: join(work, out),
        },
        { ...ports, hdf5: changed },
      );
    } finally {
      await ports.close();
    }
  };

  it('is left out, and counted', async () => {
    await cliDone(...importing('rec'));
    const { hdf5, files, hash, close } = await nodePorts({ threads: 1 });
    const {
      header,
      responses,
      stimuli: shown,
    } = await readRecording(join(work, 'rec'), {
      files,
      hash,
    });
    expect(header.dims).toEqual(['stimulus', 'trial', 'site']);
    expect(responses.shape).toEqual([60, 3, 4]);
    expect(header.notes).toContain('1 of 180 intervals left out, which have no stimulus');
    // Counted anew: spikes of each unit within 50 to 150 ms of each interval that has a name.
    const session = await hdf5.open(file, 'session.nwb');
    const numbers = async (path: string) =>
      Array.from((await session.read(path)) as Float64Array, Number);
    const [starts, times, ends] = await Promise.all(
      ['/intervals/trials/start_time', '/units/spike_times', '/units/spike_times_index'].map(
        numbers,
      ),
    );
    const names = (await session.read(`/intervals/trials/${column}`)) as readonly string[];
    await session.close();
    await close();
    const trials = new Map<string, number>();
    let missing = responses.data.length;
    names.forEach((name, interval) => {
      if (name === '') return;
      const trial = trials.get(name) ?? 0;
      trials.set(name, trial + 1);
      const image = shown.findIndex(({ file: each }) => each.endsWith(name));
      for (let unit = 0; unit < 4; unit++) {
        const own = times!.slice(ends![unit - 1] ?? 0, ends![unit]);
        const from = starts![interval]!;
        const count = own.filter((at) => at >= from + 0.05 && at < from + 0.15).length;
        expect(responses.data[(image * 3 + trial) * 4 + unit]).toBe(count);
        missing--;
      }
    });
    expect(missing).toBe(4);
    expect(responses.data.filter(Number.isNaN).length).toBe(4);
  });

  it.each(['nan', 'None', ' ', '-1'])('may be written as "%s"', async (written) => {
    const { header, responses } = await renamed(`none-${written}`, [], (name) =>
      name === '' ? written : name,
    );
    expect(header.notes).toContain('1 of 180 intervals left out, which have no stimulus');
    expect(responses.data.filter(Number.isNaN).length).toBe(4);
  });

  it('is refused where a name is none of the images, unless it is to be skipped', async () => {
    const blank = (name: string): string => (name === 'im007.png' ? 'blank' : name);
    await expect(renamed('refused', [], blank)).rejects.toThrow(/got "blank", which is not among/);
    const { header, responses } = await renamed('skipped', ['blank'], blank);
    expect(responses.shape).toEqual([59, 3, 4]);
    expect(header.notes).toContain('3 of 180 intervals left out, which are of "blank"');
    const { code, stderr } = await cli(...importing('unused', '--skip', 'grey'));
    expect(code).toBe(2);
    expect(stderr).toContain('got "grey", which does not occur there');
    expect(() => readFileSync(join(work, 'unused/recording.json'))).toThrow();
  });
});
