// Input gradients of a frozen network, and the second-order step of the harmonizer's loss (the gradient with respect to
// every parameter, batch norms in training mode), ours against PyTorch: same cores, same threads, one after the other, each
// in a process of its own; the fastest of several repeats, and the peak memory of the process.
// Run: npx tsx bench/gradient.ts [repeats]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differentiate } from '../src/gradient/differentiate.ts';
import { lower } from '../src/gradient/lower.ts';
import { canonical } from '../src/graph/canonical.ts';
import { decodeModel } from '../src/graph/decode.ts';
import { encodeModel, type OnnxGraph } from '../src/graph/encode.ts';
import { initialisersToInputs } from '../src/graph/rewrite.ts';
import { createNodeEngine } from '../src/node/engine.ts';
import { createNodeFiles } from '../src/node/files.ts';
import { sizeOf } from '../src/numeric/array.ts';
import type { Float32Nd } from '../src/records/array.ts';
import type { Feed } from '../src/records/ports.ts';
import { harmonizerCodeLoss } from '../src/training/harmonizer-loss.ts';

type Work = 'input' | 'step';

interface Case {
  readonly network: string;
  readonly size: number;
  readonly batch: number;
  readonly work: Work;
}

interface Cost {
  readonly seconds: number;
  /** Bytes. */
  readonly peak: number;
}

const CLASSES = 1000;
const peer = fileURLToPath(new URL('./gradient_peer.py', import.meta.url));
const python = process.env.PYTHON ?? '/usr/bin/python3';
const threads = availableParallelism();

const waves = (shape: readonly number[], scale = 1): Float32Nd => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(i * 1.7)),
  shape,
});

const oneHot = (batch: number): Float32Nd => {
  const data = new Float32Array(batch * CLASSES);
  for (let image = 0; image < batch; image++) data[image * CLASSES + image] = 1;
  return { data, shape: [batch, CLASSES] };
};

/** Σ label · logit as a further output, differentiated with respect to the image; weights stay constants. */
const inputGraph = (graph: OnnxGraph, batch: number): OnnxGraph => {
  const labelled: OnnxGraph = {
    ...graph,
    inputs: [...graph.inputs, { name: 'labels', type: 'float32', shape: [batch, CLASSES] }],
    nodes: [
      ...graph.nodes,
      { op: 'Mul', inputs: ['logits', 'labels'], outputs: ['products'] },
      {
        op: 'ReduceSum',
        inputs: ['products'],
        outputs: ['chosen'],
        attributes: { keepdims: { int: 0 } },
      },
    ],
    outputs: [{ name: 'chosen', type: 'float32', shape: [] }],
  };
  return lower(differentiate(labelled, 'chosen', ['image']));
};

/** What PyTorch calls parameters: not the running statistics of norms. */
const parametersOf = (graph: OnnxGraph): string[] =>
  graph.initialisers.flatMap(({ name }) => (/\.(weight|bias)$/.test(name) ? [name] : []));

const stepGraph = (graph: OnnxGraph): OnnxGraph => {
  const names = parametersOf(graph);
  const withLoss = harmonizerCodeLoss(graph, {
    image: 'image',
    logits: 'logits',
    strength: 2,
    smoothing: 0.1,
  });
  const gradients = names.map((name) => `gradient of ${name}`);
  const step = differentiate(withLoss, 'loss', names, { names: gradients });
  const wanted = new Set(['loss', ...gradients]);
  const outputs = step.outputs.filter(({ name }) => wanted.has(name));
  return lower(initialisersToInputs({ ...step, outputs }, names).graph);
};

const ours = async (
  path: string,
  { work, size, batch }: Case,
  repeats: number,
): Promise<Cost & { readonly nodes: number }> => {
  const engine = await createNodeEngine({ threads });
  const decoded = canonical(decodeModel(await createNodeFiles().read(path), path));
  const graph = work === 'step' ? stepGraph(decoded) : inputGraph(decoded, batch);
  const session = await engine.open({ bytes: encodeModel(graph), externalDataFolder: null });
  const feeds: Record<string, Feed> = {
    image: waves([batch, 3, size, size]),
    labels: oneHot(batch),
  };
  if (work === 'step') {
    feeds.maps = waves([batch, size, size]);
    feeds.mapped = { data: new Float32Array(batch).fill(1), shape: [batch] };
    const names = new Set(parametersOf(decoded));
    for (const { name, array } of decoded.initialisers) {
      if (names.has(name)) feeds[name] = { held: await engine.hold(array) };
    }
  }
  const seconds: number[] = [];
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const startedAt = performance.now();
    await session.run(feeds);
    seconds.push((performance.now() - startedAt) / 1000);
  }
  await engine.close();
  const peak = process.resourceUsage().maxRSS * 1024;
  return { seconds: Math.min(...seconds.slice(1)), peak, nodes: graph.nodes.length };
};

const oursApart = (path: string, each: Case, repeats: number): Cost & { nodes: number } => {
  const args = [
    fileURLToPath(import.meta.url),
    'ours',
    path,
    JSON.stringify(each),
    String(repeats),
  ];
  const text = execFileSync(process.execPath, [...process.execArgv, ...args], { encoding: 'utf8' });
  return JSON.parse(text) as Cost & { nodes: number };
};

const theirs = ({ network, size, batch, work }: Case, repeats: number): Cost => {
  const environment = {
    ...process.env,
    OPENBLAS_NUM_THREADS: String(threads),
    OMP_NUM_THREADS: String(threads),
  };
  const args = [peer, 'time', network, size, batch, threads, work, repeats].map(String);
  return JSON.parse(execFileSync(python, args, { encoding: 'utf8', env: environment })) as Cost;
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MB`.padStart(8);

const line = (each: Case, our: Cost & { nodes: number }, their: Cost): string => {
  const label = `${each.network} ${each.size}², batch ${each.batch}, ${each.work === 'step' ? 'step' : 'input gradient'}`;
  const [time, memory] = [our.seconds / their.seconds, our.peak / their.peak];
  return (
    `${label.padEnd(46)} ${our.seconds.toFixed(3)} s  PyTorch ${their.seconds.toFixed(3)} s  ratio ${time.toFixed(2)}   ` +
    `${megabytes(our.peak)}  PyTorch ${megabytes(their.peak)}  ratio ${memory.toFixed(2)}   (${our.nodes} nodes)\n`
  );
};

const all = (repeats: number): void => {
  const folder = mkdtempSync(join(tmpdir(), 'ventral-bench-'));
  for (const [network, size, batch] of [
    ['resnet18', 64, 16],
    ['resnet50', 224, 2],
  ] as const) {
    for (const work of ['input', 'step'] as const) {
      const path = join(folder, `${network}-${work}.onnx`);
      const mode = work === 'step' ? 'train' : 'eval';
      const args = [peer, 'export', network, size, batch, mode, path].map(String);
      execFileSync(python, args, { stdio: 'ignore' });
      const each: Case = { network, size, batch, work };
      const our = oursApart(path, each, repeats);
      process.stdout.write(line(each, our, theirs(each, repeats)));
    }
  }
  rmSync(folder, { recursive: true });
};

const [kind, path, text, count] = process.argv.slice(2);
if (kind === 'ours') {
  const cost = await ours(path!, JSON.parse(text!) as Case, Number(count));
  process.stdout.write(JSON.stringify(cost));
} else {
  process.stdout.write(`${threads} threads; fastest of ${Number(kind ?? 5)} repeats\n`);
  all(Number(kind ?? 5));
}
