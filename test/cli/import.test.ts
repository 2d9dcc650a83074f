import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeImages } from '../../src/node/images.ts';
import { noisePixels } from '../formats/noise.ts';
import { cliDone, listing, refused } from './run-cli.ts';

const golden = (name: string): string =>
  fileURLToPath(new URL(`../golden/${name}`, import.meta.url));

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'ventral-imports-'));
  mkdirSync(join(root, 'set'));
  const images = createNodeImages();
  for (const [index, name] of ['a', 'b', 'x', 'y', 'a1', 'b7', 'c9'].entries()) {
    const png = await images.encode(noisePixels(4 + index, 8));
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, 'set', `${name}.png`), png);
    writeFileSync(join(root, name, `${name}.png`), png);
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const header = (folder: string) =>
  JSON.parse(readFileSync(join(root, folder, 'recording.json'), 'utf8')) as {
    dims: string[];
    sites: { area: string }[];
    timeBins: object[];
  };
const at = (name: string): string => join(root, name);

describe('ventral data import', () => {
  it('mat, of version 7.3, with bins and names', async () => {
    const { stdout } = await cliDone(
      ...['data', 'import', 'mat', '--responses', golden('hdf5/matlab73.mat')],
      ...['--variable', 'doubles', '--dims', 'trial,site,stimulus,time', '--names', 'paths'],
      ...['--time-start', '0', '--time-step', '10', '--bins', '10-30,30-50'],
      ...['--stimuli', at('set'), '--area', 'IT', '--species', 'macaque', '--out', at('mat')],
      '--quiet',
    );
    expect(stdout).toContain('10–30');
    expect(header('mat')).toMatchObject({
      dims: ['time', 'stimulus', 'site', 'trial'],
      timeBins: [
        { start: 10, end: 30 },
        { start: 30, end: 50 },
      ],
    });
    expect(listing(at('mat/stimuli'))).toEqual(['a.png', 'b.png']);
  });

  it('brainio, one region', async () => {
    const csv = 'stimulus_id,filename\na1,a1.png\nb7,b7.png\nc9,c9.png\n';
    writeFileSync(at('s.csv'), csv);
    await cliDone(
      ...['data', 'import', 'brainio', '--assembly', golden('hdf5/assembly.nc')],
      ...['--stimuli', at('s.csv'), '--images', at('set'), '--species', 'macaque'],
      ...['--area', 'IT', '--out', at('brainio'), '--quiet'],
    );
    expect(header('brainio').sites.map(({ area }) => area)).toEqual(['IT', 'IT']);
    const table = readFileSync(at('brainio/stimuli.csv'), 'utf8').split('\n');
    expect(table.slice(0, 2)).toEqual(['stimulus_id,file,object_name', 'a1,a1.png,dog']);
  });

  it('nwb, with areas of its units', async () => {
    const line = ['data', 'import', 'nwb', '--file', golden('hdf5/units.nwb'), '--quiet'];
    const rest = [
      ...['--stimulus-column', 'image', '--stimuli', at('set'), '--bins', '50-150'],
      ...['--species', 'mouse', '--out', at('nwb')],
    ];
    expect((await refused(root, ...line, ...rest)).line).toBe(
      'ventral: ventral data import nwb: expected --area or --area-column, got neither; give one area for all units, or the column of units that has it',
    );
    await cliDone(...line, ...rest, '--area-column', 'location');
    expect(header('nwb').dims).toEqual(['stimulus', 'trial', 'site']);
  });

  it('arcaro2020, three recordings', async () => {
    const { stdout } = await cliDone(
      ...['data', 'import', 'arcaro2020', '--archive', golden('arcaro2020.zip')],
      ...['--out', at('arcaro2020'), '--quiet'],
    );
    expect(
      stdout
        .trim()
        .split('\n')
        .map((path) => path.split('/').at(-1)),
    ).toEqual(['m1-ml', 'm1-pl', 'm2-ml']);
    const { stdout: shown } = await cliDone('data', 'inspect', at('arcaro2020/m1-pl'));
    expect(shown).toContain('PL');
  });

  it('refuses files of other kinds in one line', async () => {
    const { got } = await refused(
      root,
      ...['data', 'import', 'mat', '--responses', golden('arcaro2020.zip')],
      ...['--variable', 'x', '--dims', 'stimulus,site', '--window', '0-100'],
      ...['--stimuli', at('set'), '--area', 'IT', '--species', 'm', '--out', at('z'), '--quiet'],
    );
    expect(got).toBe('another file');
  });
});
