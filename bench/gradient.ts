// Input gradients of a frozen network, and the second-order step of the harmonizer's loss (the gradient with respect to
// every parameter, batch norms in training mode), ours against PyTorch: same cores, same threads, one after the other, each
// in a process of its own; the least of several repeats, and the peak memory of the process. On a busy machine compare
// seconds of CPU with one thread: PyTorch's threads wait for each other by spinning.
// Run: npx tsx bench/gradient.ts [repeats] [threads]

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { differentiate } from '../src/gradient/differentiate.ts';
import { lower } from '../src/gradient/lower.ts';
import { decodeModel } from '../src/graph/decode.ts';
import { encodeModel } from '../src/graph/encode.ts';
import type { OnnxGraph } from '../src/graph/graph.ts';
import { initialisersToInputs } from '../src/graph/rewrite.ts';
import { createNodeEngine } from '../src/node/engine.ts';
import { createNodeFiles } from '../src/node/files.ts';
import { sizeOf } from '../src/numeric/array.ts';
import type { Float32Nd, NdArray } from '../src/records/array.ts';
import type { Engine, Feed } from '../src/records/ports.ts';
import { canonical } from '../src/sketch/canonical.ts';
import { harmonizerCodeLoss } from '../src/training/harmonizer-loss.ts';

type Work = 'input' | 'step';

interface Case {
  readonly network: string;
  readonly size: number;
  readonly batch: number;
  readonly work: Work;
  readonly threads: number;
}

interface Cost {
  readonly seconds: number;
  /** Seconds that all threads together had a core: what a busy machine changes least. */
  readonly cpu: number;
  /** Bytes. */
  readonly peak: number;
  /** Operations of the graph; 0 for the peer. */
  readonly nodes: number;
}

const CLASSES = 1000;
const peer = fileURLToPath(new URL('./gradient_peer.py', import.meta.url));
const python = process.env.PYTHON ?? '/usr/bin/python3';

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
    lambda: 2,
    smoothing: 0.1,
  });
  const gradients = names.map((name) => `gradient of ${name}`);
  const step = differentiate(withLoss, 'loss', names, { names: gradients });
  const wanted = new Set(['loss', ...gradients]);
  const outputs = step.outputs.filter(({ name }) => wanted.has(name));
  return lower(initialisersToInputs({ ...step, outputs }, names).graph);
};

/** A tensor under its name. */
interface Parameter {
  readonly name: string;
  readonly array: NdArray;
}

interface Prepared {
  readonly bytes: Uint8Array;
  readonly nodes: number;
  readonly parameters: readonly Parameter[];
}

/** The model to run; nothing of what it was made from is kept but the parameters that a step is fed. */
const prepared = async (path: string, { work, batch }: Case): Promise<Prepared> => {
  const decoded = canonical(decodeModel(await createNodeFiles().read(path), path));
  const graph = work === 'step' ? stepGraph(decoded) : inputGraph(decoded, batch);
  const names = new Set(work === 'step' ? parametersOf(decoded) : []);
  return {
    bytes: encodeModel(graph),
    nodes: graph.nodes.length,
    parameters: decoded.initialisers.filter(({ name }) => names.has(name)),
  };
};

const fedTo = async (
  engine: Engine,
  { work, size, batch }: Case,
  parameters: readonly Parameter[],
): Promise<Record<string, Feed>> => {
  const feeds: Record<string, Feed> = {
    image: waves([batch, 3, size, size]),
    labels: oneHot(batch),
  };
  if (work === 'input') return feeds;
  feeds.maps = waves([batch, size, size]);
  feeds.mapped = { data: new Float32Array(batch).fill(1), shape: [batch] };
  for (const { name, array } of parameters) feeds[name] = { held: await engine.hold(array) };
  return feeds;
};

const ours = async (path: string, each: Case, repeats: number): Promise<Cost> => {
  const engine = await createNodeEngine({ threads: each.threads });
  const { bytes, nodes, parameters } = await prepared(path, each);
  const session = await engine.open({ bytes, given: true });
  const feeds = await fedTo(engine, each, parameters);
  const costs: { readonly seconds: number; readonly cpu: number }[] = [];
  for (let repeat = 0; repeat <= repeats; repeat++) {
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await session.run(feeds);
    const { user, system } = process.cpuUsage(before);
    costs.push({ seconds: (performance.now() - startedAt) / 1e3, cpu: (user + system) / 1e6 });
  }
  await engine.close();
  return {
    seconds: Math.min(...costs.slice(1).map(({ seconds }) => seconds)),
    cpu: Math.min(...costs.slice(1).map(({ cpu }) => cpu)),
    peak: process.resourceUsage().maxRSS * 1024,
    nodes,
  };
};

const oursApart = (path: string, each: Case, repeats: number): Cost => {
  const args = [fileURLToPath(import.meta.url), 'ours', path, JSON.stringify(each), `${repeats}`];
  const text = execFileSync(process.execPath, [...process.execArgv, ...args], { encoding: 'utf8' });
  return JSON.parse(text) as Cost;
};

const theirs = ({ network, size, batch, work, threads }: Case, repeats: number): Cost => {
  const environment = {
    ...process.env,
    OPENBLAS_NUM_THREADS: String(threads),
    OMP_NUM_THREADS: String(threads),
  };
  const args = [peer, 'time', network, size, batch, threads, work, repeats].map(String);
  return JSON.parse(execFileSync(python, args, { encoding: 'utf8', env: environment })) as Cost;
};

const compared = (label: string, unit: string, our: number, their: number, digits: number) =>
  `  ${label.padEnd(8)} ${our.toFixed(digits).padStart(8)} ${unit}  PyTorch ${their.toFixed(digits).padStart(8)} ${unit}  ratio ${(our / their).toFixed(2)}\n`;

const report = (each: Case, our: Cost, their: Cost): string => {
  const work = each.work === 'step' ? 'step of the harmonizer’s loss' : 'input gradient';
  const mebi = 2 ** 20;
  return (
    `${each.network}, ${each.size}², batch ${each.batch}, ${work} (${our.nodes} operations)\n` +
    compared('time', 's', our.seconds, their.seconds, 3) +
    compared('CPU', 's', our.cpu, their.cpu, 3) +
    compared('memory', 'MB', our.peak / mebi, their.peak / mebi, 0)
  );
};

const all = (repeats: number, threads: number): void => {
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
      const each: Case = { network, size, batch, work, threads };
      process.stdout.write(report(each, oursApart(path, each, repeats), theirs(each, repeats)));
    }
  }
  rmSync(folder, { recursive: true });
};

const [first, second, text, count] = process.argv.slice(2);
if (first === 'ours') {
  const cost = await ours(second!, JSON.parse(text!) as Case, Number(count));
  process.stdout.write(JSON.stringify(cost));
} else {
  const [repeats, threads] = [Number(first ?? 5), Number(second ?? availableParallelism())];
  process.stdout.write(`${threads} threads; the least of ${repeats} repeats\n`);
  all(repeats, threads);
}
