import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo } from '../src/demo.ts';
import { readRecording } from '../src/formats/recording.ts';
import { createNodePorts } from '../src/node/index.ts';
import { mean } from '../src/numeric/statistics.ts';
import type { Demo, DemoArea } from '../src/records/demo.ts';
import type { Ports } from '../src/records/ports.ts';
import { demoLines } from '../src/report/demo-report.ts';
import { type WorldSettings, worldSettings } from '../src/world/world.ts';

/** Fixed beforehand. */
const seeds = [1, 2, 3, 4, 5];

/** V4 alone, which is small enough for five worlds in a test. `bench/demo-seeds.ts` does both areas in full. */
const onlyV4 = (seed: number): WorldSettings => {
  const settings = worldSettings(seed);
  return { ...settings, areas: settings.areas.filter(({ area }) => area === 'V4') };
};

/** IT at every second fixation. */
const coarseIt = (seed: number): WorldSettings => {
  const settings = worldSettings(seed);
  const plan = settings.areas.find(({ area }) => area === 'IT')!;
  return { ...settings, areas: [{ ...plan, fixations: 9, step: 16 }] };
};

let folder: string;
let ports: Ports;
/** The five V4 worlds, then one of IT. */
let found: Demo[];
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/ventral-demo-`);
  ports = await createNodePorts({ threads: 1, cache: `${folder}/cache` });
  found = [];
  for (const world of [...seeds.map(onlyV4), coarseIt(1)]) {
    const request = { folder: `${folder}/${world.scenes.seed}`, world, memory: 2e9 };
    found.push(await demo(request, ports));
  }
}, 400_000);
afterAll(async () => {
  await ports.engine.close();
  await rm(folder, { recursive: true, force: true });
});

const everyArea = (): DemoArea[] => found.flatMap(({ areas }) => areas);

describe('the demo, on five seeds', () => {
  it('finds the planted network, by its own layer of each area, with intervals apart from the others', () => {
    expect(everyArea().map(({ area }) => area)).toEqual(['V4', 'V4', 'V4', 'V4', 'V4', 'IT']);
    for (const { area, scores, apart } of everyArea()) {
      const [planted, ...others] = scores;
      expect(planted!.network).toBe('planted');
      expect(planted!.layer).toBe(area === 'V4' ? 'v4.pool' : 'it.pool');
      expect(others.map(({ network }) => network)).toEqual(['gabor-bank', 'random-cnn']);
      for (const other of others) {
        expect(planted!.interval!.low).toBeGreaterThan(other.interval!.high);
        expect(other.value).toBeGreaterThan(0.05);
      }
      expect(apart).toBe(true);
    }
  });

  it('recovers most of what is attainable, and never more', () => {
    for (const { scores, attainable } of everyArea()) {
      expect(attainable).toBeLessThan(0.97);
      expect(scores[0]!.recovery).toBeGreaterThan(0.75);
      for (const { value, recovery } of scores) {
        expect(value).toBeLessThan(1);
        expect(recovery).toBeLessThan(1);
      }
    }
  });

  it('estimates the known ceiling from split halves', () => {
    for (const { ceiling } of everyArea())
      expect(Math.abs(ceiling.estimated - ceiling.known)).toBeLessThan(0.02);
  });

  it('scores exchanged maps near 0', () => {
    const values = everyArea().map(({ shuffled }) => shuffled.value);
    for (const value of values) expect(Math.abs(value)).toBeLessThan(0.15);
    expect(Math.abs(mean(values))).toBeLessThan(0.05);
  });

  it('picks the time bin where each area peaks', () => {
    for (const { area, timeBin } of everyArea())
      expect(timeBin.start).toBe(area === 'V4' ? 90 : 130);
  });
});

describe('the demo', () => {
  it('leaves recordings that can be read and models beside their preprocessing', async () => {
    const recording = await readRecording(`${folder}/1/IT`, ports);
    expect(recording.header.name).toBe('demo-IT-1');
    expect(recording.stimuli).toHaveLength(14);
    expect(recording.warnings).toEqual([]);
    const shuffled = await readRecording(`${folder}/1/IT-shuffled`, ports);
    expect(shuffled.header.notes.at(-1)).toMatch(/exchanged/);
    expect(await ports.files.list(`${folder}/1/models`)).toEqual([
      'gabor-bank.onnx',
      'planted.onnx',
      'preprocessor_config.json',
      'random-cnn.onnx',
    ]);
  });

  it('gives the same values again, now from the cache', async () => {
    const again = await demo({ folder: `${folder}/1`, world: onlyV4(1), memory: 2e9 }, ports);
    expect(again).toEqual(found[0]);
  });

  it('says what is simulated and shows a row per network', () => {
    const text = demoLines(found[0]!).join('\n');
    expect(text).toMatch(/No animal, no trained network/);
    for (const row of ['planted  ', 'gabor-bank  ', 'random-cnn  ', 'planted, maps exchanged'])
      expect(text).toContain(`\n${row}`);
    expect(text).toContain(found[0]!.areas[0]!.scores[0]!.value.toFixed(3));
  });
});
