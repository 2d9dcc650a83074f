import { describe, expect, it } from 'vitest';
import { textColumn, unitAreas } from '../../src/data/nwb-table.ts';
import type { Hdf5File } from '../../src/records/hdf5.ts';

interface Stored {
  readonly values?: readonly string[] | readonly number[];
  readonly type?: 'reference';
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A file of these datasets; groups are what lies above them. */
const fileOf = (datasets: Readonly<Record<string, Stored>>): Hdf5File => ({
  name: 'a.nwb',
  size: 1,
  item: async (path) => {
    const found = datasets[path];
    if (found?.values !== undefined) {
      const isText = typeof found.values[0] === 'string';
      const shape = [found.values.length];
      const type = found.type ?? (isText ? 'text' : 'integer');
      return { kind: 'dataset', type, shape, itemSize: 8, chunks: null, dimensions: [null] };
    }
    const below = Object.keys(datasets).filter((each) => each.startsWith(`${path}/`));
    const names = below.map((each) => each.slice(path.length + 1).split('/')[0]!);
    return names.length === 0 ? null : { kind: 'group', names: [...new Set(names)] };
  },
  attribute: async (path, name) => {
    const value = datasets[path]?.attributes?.[name];
    return value === undefined ? null : [value];
  },
  read: async (path) => {
    const values = datasets[path]!.values!;
    return typeof values[0] === 'string'
      ? (values as readonly string[])
      : Float64Array.from(values as readonly number[]);
  },
  close: async () => undefined,
});

const electrodes = '/general/extracellular_ephys/electrodes';
const pointing = (rows: readonly number[], ends: readonly number[]) => ({
  '/units/electrodes': { values: rows, attributes: { table: electrodes } },
  '/units/electrodes_index': { values: ends },
});

describe('areas of NWB units', () => {
  it('are one area where a unit lies on several electrodes of it', async () => {
    const places = { [`${electrodes}/location`]: { values: ['V4', 'IT', 'IT'] } };
    const file = fileOf({ ...places, ...pointing([1, 2, 0], [2, 3]) });
    expect(await unitAreas(file, 'electrodes')).toEqual(['IT', 'V4']);
    const mixed = fileOf({ ...places, ...pointing([0, 1], [2]) });
    await expect(unitAreas(mixed, 'location')).rejects.toThrow('got V4, IT in row 0');
    const beyond = fileOf({ ...places, ...pointing([5], [1]) });
    await expect(unitAreas(beyond, 'location')).rejects.toThrow('got row 5');
  });

  it('are those of the electrode groups where only these say it', async () => {
    const group = '/general/extracellular_ephys/probe';
    const file = fileOf({
      [group]: { attributes: { location: 'TE' } },
      [`${electrodes}/group`]: { values: [group, group], type: 'reference' },
      ...pointing([0, 1], [1, 2]),
      '/units/electrode_group': { values: [group, group], type: 'reference' },
    });
    expect(await unitAreas(file, 'electrodes')).toEqual(['TE', 'TE']);
    expect(await unitAreas(file, 'electrode_group')).toEqual(['TE', 'TE']);
    const elsewhere = fileOf({ '/units/x': { values: ['/a'], type: 'reference' } });
    await expect(unitAreas(elsewhere, 'x')).rejects.toThrow('a reference to /a, which has none');
  });

  it('are names, not codes or places in a list', async () => {
    const file = fileOf({
      '/units/area': { values: [1, 0], attributes: { elements: '/units/area_elements' } },
      '/units/area_elements': { values: ['V4', 'IT'] },
      '/units/label': { values: ['V4', 'IT'] },
      '/units/label_index': { values: [0, 2] },
    });
    expect(await unitAreas(file, 'area')).toEqual(['IT', 'V4']);
    await expect(unitAreas(file, 'label')).rejects.toThrow('got none in row 0');
  });

  it('are no names of stimuli where a column points into another table', async () => {
    const file = fileOf({
      '/intervals/trials/image': { values: [3, 1], attributes: { table: '/stimulus/templates' } },
    });
    await expect(textColumn(file, '/intervals/trials', 'image')).rejects.toThrow(
      'expected a column of names, got one of rows of /stimulus/templates',
    );
  });
});
