// The demo on the five seeds fixed beforehand, both areas in full: whether the planted network stands apart on each.
// npx tsx bench/demo-seeds.ts

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { demo } from '../src/demo.ts';
import { createNodePorts } from '../src/node/index.ts';
import { numberText, tableLines } from '../src/report/table.ts';
import { worldSettings } from '../src/world/world.ts';

const folder = await mkdtemp(`${tmpdir()}/ventral-demo-seeds-`);
const ports = await createNodePorts({ cache: `${folder}/cache` });
const heads = ['seed', 'area', 'network', 'layer', 'raw', 'score', 'low', 'high', 'recovered', ''];
const rows: string[][] = [];
try {
  for (const seed of [1, 2, 3, 4, 5]) {
    const started = Date.now();
    const request = { folder: `${folder}/${seed}`, world: worldSettings(seed), memory: 4e9 };
    const { areas } = await demo(request, ports);
    for (const { area, scores, shuffled, ceiling, attainable, apart } of areas) {
      for (const each of [...scores, { ...shuffled, recovery: null }])
        rows.push([
          String(seed),
          area,
          each.network,
          each.layer,
          ...[each.raw, each.value, each.interval?.low, each.interval?.high, each.recovery].map(
            (value) => numberText(value ?? null),
          ),
          each.recovery === null ? 'maps exchanged' : '',
        ]);
      console.log(
        `seed ${seed} ${area}: apart ${apart}, attainable ${numberText(attainable)}, ceiling ${numberText(ceiling.estimated)} estimated, ${numberText(ceiling.known)} known`,
      );
    }
    console.log(`seed ${seed}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
  }
  const columns = heads.map((head, k) => ({ head, align: k < 4 ? 'left' : 'right' }) as const);
  console.log(tableLines(columns, rows).join('\n'));
} finally {
  await ports.engine.close();
  await rm(folder, { recursive: true, force: true });
}
