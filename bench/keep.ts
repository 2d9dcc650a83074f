// What it saves that outputs stay with the engine: a step that takes parameters of ResNet-50's size (161 tensors, 25.6
// million floats, 102 MB) and gives new ones, moved to and fro or kept. Each way in a process of its own.
// Run: npx tsx bench/keep.ts [steps]

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { encodeModel } from '../src/graph/encode.ts';
import { createNodeEngine } from '../src/node/engine.ts';
import type { NdArray } from '../src/records/array.ts';
import type { Engine, EngineSession, Feed, Held } from '../src/records/ports.ts';

/** Sizes of the weights: a stem, four stages of bottlenecks with their batch norms, a classifier. */
const sizes = (): number[] => {
  const found = [64 * 3 * 49, 64, 64];
  const stages = [
    [64, 3],
    [128, 4],
    [256, 6],
    [512, 3],
  ] as const;
  let from = 64;
  for (const [width, blocks] of stages)
    for (let block = 0; block < blocks; block++) {
      const convolutions = [from * width, width * width * 9, width * 4 * width];
      if (block === 0) convolutions.push(from * 4 * width);
      for (const [at, size] of convolutions.entries()) {
        const channels = at < 2 ? width : 4 * width;
        found.push(size, channels, channels);
      }
      from = 4 * width;
    }
  return [...found, 2048 * 1000, 1000];
};

/** p ← p − g for every parameter; the loss is a number. */
const stepModel = (parameters: readonly number[]): Uint8Array => {
  const value = (name: string, shape: readonly number[]) =>
    ({ name, type: 'float32', shape }) as const;
  return encodeModel({
    name: 'step',
    opset: 17,
    inputs: [value('g', [1]), ...parameters.map((size, at) => value(`p${at}`, [size]))],
    outputs: [value('loss', [1]), ...parameters.map((size, at) => value(`n${at}`, [size]))],
    initialisers: [],
    nodes: [
      { op: 'Neg', inputs: ['g'], outputs: ['loss'] },
      ...parameters.map((_, at) => ({ op: 'Sub', inputs: [`p${at}`, 'g'], outputs: [`n${at}`] })),
    ],
  });
};

const gradient: NdArray = { data: Float32Array.of(0.25), shape: [1] };

/** Parameters go in and come out with every step. */
const moved = (session: EngineSession, first: readonly NdArray[]) => {
  let parameters = first;
  return async (): Promise<void> => {
    const fed = parameters.map((array, at) => [`p${at}`, array] as const);
    const { fetched } = await session.run({ g: gradient, ...Object.fromEntries<Feed>(fed) });
    parameters = parameters.map((_, at) => fetched[`n${at}`]!);
  };
};

/** Parameters stay with the engine; the loss alone comes out. */
const kept = async (engine: Engine, session: EngineSession, first: readonly NdArray[]) => {
  let parameters: readonly Held[] = await Promise.all(first.map((array) => engine.hold(array)));
  const keep = first.map((_, at) => `n${at}`);
  return async (): Promise<void> => {
    const fed = parameters.map((held, at) => [`p${at}`, { held }] as const);
    const outputs = await session.run({ g: gradient, ...Object.fromEntries(fed) }, { keep });
    await Promise.all(parameters.map((held) => engine.drop(held)));
    parameters = keep.map((name) => outputs.kept[name]!);
  };
};

const measured = async (way: string, steps: number): Promise<void> => {
  const engine = await createNodeEngine({ threads: 2 });
  const parameters = sizes();
  const first = parameters.map((size) => ({ data: new Float32Array(size), shape: [size] }));
  const session = await engine.open({ bytes: stepModel(parameters), given: true });
  const step = way === 'kept' ? await kept(engine, session, first) : moved(session, first);
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let at = 0; at < steps; at++) {
    const startedAt = performance.now();
    await step();
    times.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(before);
  await engine.close();
  const sorted = times.toSorted((a, b) => a - b);
  const [least, middle] = [sorted[0]!, sorted[Math.floor(steps / 2)]!];
  const megabytes = (4 * parameters.reduce((sum, size) => sum + size, 0)) / 1e6;
  const peak = process.resourceUsage().maxRSS / 1024;
  const cpu = (user + system) / 1e3 / steps;
  process.stdout.write(
    [
      `${way.padEnd(6)} ${parameters.length} tensors, ${megabytes.toFixed(0)} MB:`,
      `${least.toFixed(0)} ms a step at best, ${middle.toFixed(0)} in the middle,`,
      `${cpu.toFixed(0)} ms of processor; peak ${peak.toFixed(0)} MB\n`,
    ].join(' '),
  );
};

const [way, steps = '30'] = process.argv.slice(2);
if (way === 'moved' || way === 'kept') await measured(way, Number(steps));
else
  for (const each of ['moved', 'kept'])
    execFileSync(
      process.execPath,
      [...process.execArgv, fileURLToPath(import.meta.url), each, way ?? steps],
      { stdio: 'inherit' },
    );
