// Images per second through an exported ResNet-50 at 224 × 224 in eights, with 0, 4 and 16 block outputs tapped:
// ours against PyTorch with forward hooks, same cores, same threads, one after the other.
// Run: npx tsx bench/extract.ts

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readModel } from '../src/graph/read.ts';
import { listLayers } from '../src/models/layers.ts';
import { type TapForm, tapModel } from '../src/models/taps.ts';
import { createNodeEngine } from '../src/node/engine.ts';
import { createNodeFiles } from '../src/node/files.ts';
import type { Engine } from '../src/records/ports.ts';

const batch = 8;
const batches = 6;
const peer = fileURLToPath(new URL('./extract_peer.py', import.meta.url));
const python = process.env.PYTHON ?? '/usr/bin/python3';

interface Rate {
  readonly imagesPerSecond: number;
  readonly peak: number;
}

const ours = async (engine: Engine, bytes: Uint8Array): Promise<number> => {
  const session = await engine.open({ bytes });
  const image = Float32Array.from({ length: batch * 3 * 224 * 224 }, (_, i) => Math.sin(i));
  const feed = { image: { data: image, shape: [batch, 3, 224, 224] } };
  await session.run(feed);
  const startedAt = performance.now();
  for (let i = 0; i < batches; i++) await session.run(feed);
  const seconds = (performance.now() - startedAt) / 1000;
  await session.release();
  return (batch * batches) / seconds;
};

const theirs = (threads: number, taps: number): Rate => {
  const environment = {
    ...process.env,
    OPENBLAS_NUM_THREADS: '1',
    OMP_NUM_THREADS: String(threads),
  };
  const args = [peer, 'time', batches, batch, threads, taps].map(String);
  return JSON.parse(execFileSync(python, args, { encoding: 'utf8', env: environment })) as Rate;
};

const folder = mkdtempSync(join(tmpdir(), 'ventral-bench-'));
const path = join(folder, 'resnet50.onnx');
execFileSync(python, [peer, 'export', path], { stdio: 'ignore' });
const bytes = await createNodeFiles().read(path);
const structure = readModel(bytes, 'resnet50.onnx');
const blocks = listLayers(structure).filter(({ operation }) => operation === 'Add');
const engine = await createNodeEngine();
const line = (label: string, our: number, their: number | null): void => {
  const ratio =
    their === null ? '' : `   PyTorch ${their.toFixed(1)}   ratio ${(our / their).toFixed(2)}`;
  process.stdout.write(`${label.padEnd(34)} ${our.toFixed(1).padStart(6)} images/s${ratio}\n`);
};
process.stdout.write(
  `ResNet-50, 224 × 224, batch ${batch}, ${engine.threads} threads, ${engine.version}; ${blocks.length} block outputs\n`,
);
for (const count of [0, 4, 16]) {
  const chosen = Array.from(
    { length: count },
    (_, index) => blocks[Math.round((index * (blocks.length - 1)) / Math.max(count - 1, 1))]!,
  );
  const their = theirs(engine.threads, count).imagesPerSecond;
  if (count === 0) {
    line('no taps', await ours(engine, bytes), their);
    continue;
  }
  for (const form of [{ kind: 'flatten' }, { kind: 'pool' }] satisfies TapForm[]) {
    const taps = chosen.map((layer, index) => ({ layer, form, output: `tap.${index}` }));
    const tapped = tapModel(bytes, structure, taps, { sliced: false, batch: 'keep' });
    line(
      `${count} taps, ${form.kind === 'flatten' ? 'whole' : 'pooled in the graph'}`,
      await ours(engine, tapped),
      their,
    );
  }
}
const stem = listLayers(structure)[0]!;
const alone = tapModel(
  bytes,
  structure,
  [{ layer: stem, form: { kind: 'flatten' }, output: 'tap' }],
  { sliced: false, batch: 'keep' },
);
line(`${stem.name} alone`, await ours(engine, alone), null);
process.stdout.write(
  `peak memory of this process ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`,
);
await engine.close();
rmSync(folder, { recursive: true });
