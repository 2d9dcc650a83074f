// What half a gigabyte of weights beside a model costs: mapped by onnxruntime where they are files of this computer, or
// read through a `Files` of another kind. Each way in a process of its own.
// Run: npx tsx bench/external.ts

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeModel } from '../src/graph/encode.ts';
import { join as joined, messageField, textField, varintField } from '../src/graph/wire.ts';
import { createNodeEngine } from '../src/node/engine.ts';
import { createNodeFiles } from '../src/node/files.ts';

const width = 2048;
const layers = 30;
const bytes = 4 * width * width;

/** A chain of products with weights that all lie in `weights.bin`. */
const chainModel = (): Uint8Array => {
  const value = (name: string) => ({ name, type: 'float32', shape: [1, width] }) as const;
  const graph = encodeModel({
    name: 'chain',
    opset: 17,
    inputs: [value('h0')],
    outputs: [value(`h${layers}`)],
    initialisers: [],
    nodes: Array.from({ length: layers }, (_, at) => ({
      ...{ op: 'MatMul', inputs: [`h${at}`, `w${at}`], outputs: [`h${at + 1}`] },
    })),
  });
  const entry = (key: string, content: string) =>
    messageField(13, [...textField(1, key), ...textField(2, content)]);
  const weight = (at: number) =>
    messageField(5, [
      ...varintField(1, width),
      ...varintField(1, width),
      ...varintField(2, 1),
      ...textField(8, `w${at}`),
      ...entry('location', 'weights.bin'),
      ...entry('offset', `${at * bytes}`),
      ...entry('length', `${bytes}`),
      ...varintField(14, 1),
    ]);
  const weights = Array.from({ length: layers }, (_, at) => weight(at)).flat();
  return joined([graph, ...messageField(7, weights)]);
};

const measured = async (way: string, folder: string): Promise<void> => {
  const host = createNodeFiles();
  const files = way === 'mapped' ? host : { ...host };
  const engine = await createNodeEngine({ threads: 2 });
  const startedAt = performance.now();
  const externalData = [{ name: 'weights.bin', path: `${folder}/weights.bin`, files }];
  const session = await engine.open({ bytes: chainModel(), externalData });
  const seconds = (performance.now() - startedAt) / 1000;
  await session.run({ h0: { data: new Float32Array(width).fill(1), shape: [1, width] } });
  const [peak, now] = [process.resourceUsage().maxRSS / 1024, process.memoryUsage().rss / 2 ** 20];
  await engine.close();
  process.stdout.write(
    `${way.padEnd(6)} opened in ${seconds.toFixed(1)} s; peak ${peak.toFixed(0)} MB, with the session open ${now.toFixed(0)} MB\n`,
  );
};

const [way, place = ''] = process.argv.slice(2);
if (way !== undefined) await measured(way, place);
else {
  const folder = mkdtempSync(join(tmpdir(), 'ventral-external-'));
  try {
    const weights = new Float32Array((layers * bytes) / 4);
    for (let at = 0; at < weights.length; at++) weights[at] = ((at * 7919) % 1000) / 1e3 / width;
    await createNodeFiles().write(`${folder}/weights.bin`, [new Uint8Array(weights.buffer)]);
    process.stdout.write(`${layers} weights, ${((layers * bytes) / 1e6).toFixed(0)} MB\n`);
    const own = [...process.execArgv, fileURLToPath(import.meta.url)];
    for (const each of ['mapped', 'read'])
      execFileSync(process.execPath, [...own, each, folder], { stdio: 'inherit' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
