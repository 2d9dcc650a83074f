// Time and memory of importing an array of the paper's size from MATLAB files: npx tsx bench/matlab.ts
// Debian's python3-scipy writes the files (1 GB of disk in the temporary folder), and says what must come out.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importMat } from '../src/data/import.ts';
import { createStoragePorts } from '../src/node/index.ts';

const bins = [50, 90, 130, 170, 210].map((start) => ({ start, end: start + 40 }));

/** In a process of its own, whose peak memory is then its own. */
const importOne = async (folder: string, kind: string): Promise<void> => {
  const ports = createStoragePorts({ cache: folder });
  const started = performance.now();
  const { responses } = await importMat(
    {
      responses: join(folder, `${kind.split(' ')[0]}.mat`),
      variable: 'imageRF',
      names: 'UniqueNames',
      dims: ['row', 'column', 'time', 'site', 'stimulus'],
      time: { start: 0, step: 1 },
      ...(kind.endsWith('samples') ? {} : { bins }),
      window: null,
      stimuli: join(folder, 'set'),
      area: 'ML',
      species: 'macaque',
      out: join(folder, `out ${kind}`),
    },
    ports,
  );
  const seconds = (performance.now() - started) / 1000;
  const [images, sites, times, columns, rows] = responses.shape as [
    number,
    number,
    number,
    number,
    number,
  ];
  const sums = new Array<number>(times).fill(0);
  for (let at = 0; at < responses.data.length; at++) {
    sums[Math.floor(at / (columns * rows)) % times]! += responses.data[at]!;
  }
  const peak = process.resourceUsage().maxRSS / 1024;
  process.send!({ seconds, peak, sums: kind.endsWith('samples') ? null : sums, images, sites });
};

interface Outcome {
  readonly seconds: number;
  readonly peak: number;
  readonly sums: number[] | null;
}

const inChild = (folder: string, kind: string): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, folder, kind], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    child.on('message', (outcome) => {
      resolve(outcome as Outcome);
      child.kill();
    });
    child.on('exit', (code) => reject(new Error(`exit code ${code}`)));
  });

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'ventral-bench-'));
  try {
    const images = createStoragePorts({ cache: folder }).images;
    for (let index = 0; index < 14; index++) {
      const data = new Uint8Array(8 * 8 * 3).map((_, at) => (at * 7 + index * 31) % 256);
      const png = await images.encode({ width: 8, height: 8, channels: 3, data });
      const name = `image${String(index).padStart(2, '0')}.png`;
      await createStoragePorts({ cache: folder }).files.write(join(folder, 'set', name), [png]);
    }
    const peer = fileURLToPath(new URL('./matlab_peer.py', import.meta.url));
    const made = spawnSync('/usr/bin/python3', [peer, folder], { encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    const expected = made.stdout.trim().split(',').map(Number);
    for (const kind of ['raw', 'compressed', 'raw, all samples']) {
      const { seconds, peak, sums } = await inChild(folder, kind);
      const size = statSync(join(folder, `${kind.split(',')[0]}.mat`)).size / 1e6;
      const worst = sums?.reduce(
        (most, sum, bin) => Math.max(most, Math.abs(sum / expected[bin]! - 1)),
        0,
      );
      const agrees = worst === undefined ? '' : `, sums agree to ${worst.toExponential(0)}`;
      console.log(
        `${kind}: ${size.toFixed(0)} MB in ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)} MiB${agrees}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const [, , folder, kind] = process.argv;
if (folder !== undefined && kind !== undefined) await importOne(folder, kind.replace(',', ''));
else await main();
