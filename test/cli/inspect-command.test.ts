import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeRecording } from '../../src/formats/recording-write.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { viridis } from '../../src/report/colours.ts';
import { cliDone, refused } from './run-cli.ts';

const images = createNodeImages();
let folder: string;
let recording: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ventral-inspect-'));
  recording = join(folder, 'grid');
  const random = createRandom('inspect');
  // [stimulus 3, row 2, column 2, trial 2, site 2]: site "b" sees only the last fixation of each image.
  const data = Float64Array.from({ length: 48 }, (_, index) => {
    if (index % 2 === 0) return random.next();
    return Math.floor(index / 4) % 4 === 3 ? 8 : 0;
  });
  const png = await images.encode({
    width: 4,
    height: 4,
    channels: 3,
    data: new Uint8Array(48).fill(90),
  });
  await writeRecording(
    recording,
    {
      header: {
        kind: 'recording',
        format: 2,
        name: 'grid',
        species: 'simulated',
        dims: ['stimulus', 'row', 'column', 'trial', 'site'],
        sites: ['a', 'b'].map((id) => ({ id, area: 'IT' })),
        timeBins: [{ start: 50, end: 90 }],
        grid: { rows: 2, columns: 2, extent: null, patchSize: null, pixelsPerDegree: null },
        unit: '',
        licence: null,
        citation: null,
        notes: [],
      },
      responses: { data, shape: [3, 2, 2, 2, 2] },
      stimuli: ['x', 'y', 'z'].map((id) => ({ id, file: `${id}.png`, columns: {} })),
      image: async () => png,
    },
    { files: createNodeFiles() },
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('ventral data inspect', () => {
  it('writes the maps of a site as an image: the mean, then each stimulus', async () => {
    const out = join(folder, 'b.png');
    const { stdout } = await cliDone('data', 'inspect', recording, '--site', 'b', '--map', out);
    expect(stdout).toContain('b, 50–90 ms, 0.00 (dark) to 8.00 (bright)');
    const { width, height, data } = await images.decode(readFileSync(out), out);
    // Four maps, two in a row: cells of 80 pixels, gaps of 8.
    expect([width, height]).toEqual([2 * 168 + 8, 2 * 168 + 8]);
    const pixel = (x: number, y: number) => [
      ...data.slice((y * width + x) * 3, (y * width + x) * 3 + 3),
    ];
    for (const left of [8, 176]) {
      for (const top of [8, 176]) {
        expect(pixel(left + 40, top + 40)).toEqual([...viridis(0)]);
        expect(pixel(left + 120, top + 120)).toEqual([...viridis(1)]);
      }
    }
    rmSync(out);
  });

  it('writes one page, and the same twice', async () => {
    const out = join(folder, 'report.html');
    await cliDone('data', 'inspect', recording, '--html', out);
    const first = readFileSync(out, 'utf8');
    expect(first.match(/<figure>/g)).toHaveLength(2 + 3);
    await cliDone('data', 'inspect', recording, '--html', out);
    expect(readFileSync(out, 'utf8')).toBe(first);
    rmSync(out);
  });

  it('refuses options that would be ignored, unknown sites and bins, and to overwrite the recording', async () => {
    const inspect = (...args: string[]) => refused(folder, 'data', 'inspect', recording, ...args);
    const out = join(folder, 'x.png');
    expect((await inspect('--site', 'a')).expected).toBe('--map beside it');
    expect((await inspect('--map', out)).expected).toBe('--site beside it');
    expect((await inspect('--bin', '50-90')).where).toBe('--bin');
    expect((await inspect('--site', 'c', '--map', out)).got).toBe('"c"');
    const bin = await inspect('--site', 'a', '--map', out, '--bin', '0-40');
    expect([bin.expected, bin.got]).toEqual(['one of 50-90', '0-40']);
    const over = await inspect('--html', join(recording, 'recording.json'));
    expect(over.got).toBe('the file of the recording');
  });
});
