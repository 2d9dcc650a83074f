import { createRandom } from '../numeric/random.ts';
import type { TimeBin } from '../records/recording.ts';
import { signalMaps } from './features.ts';
import { drawScenes, type Scene, type SceneSettings } from './scene.ts';
import { type AreaPlan, type SimulatedRecording, simulateRecording } from './simulation.ts';

export interface WorldSettings {
  readonly scenes: SceneSettings;
  readonly areas: readonly AreaPlan[];
}

/** A synthetic world: scenes, and what simulated areas do while they look at them. */
export interface World {
  readonly settings: WorldSettings;
  readonly scenes: readonly Scene[];
  readonly recordings: readonly SimulatedRecording[];
}

const timeBins: readonly TimeBin[] = [50, 90, 130, 170, 210].map((start) => ({
  start,
  end: start + 40,
}));

const v4: AreaPlan = {
  area: 'V4',
  sites: 24,
  trials: 8,
  fixations: 9,
  step: 16,
  margin: 4,
  tuning: {
    kind: 'conjunction',
    features: 3,
    simple: 0.5,
    context: 0.35,
    offset: 0.5,
    exponent: 1.5,
    saturation: 4,
  },
  baseline: 3,
  gain: 22,
  timeBins,
  course: [0.5, 1, 0.7, 0.5, 0.35],
};

const it: AreaPlan = {
  ...v4,
  area: 'IT',
  sites: 28,
  fixations: 17,
  step: 8,
  tuning: { ...v4.tuning, kind: 'pair' },
  course: [0.15, 0.6, 1, 0.7, 0.5],
};

/** 14 scenes of 168 pixels; V4 on a 9 × 9 grid, IT on 17 × 17; 32-pixel patches that lie inside the image. */
export const worldSettings = (seed: number): WorldSettings => ({
  scenes: { seed, count: 14, size: 168, objects: 4 },
  areas: [v4, it],
});

const notes = [
  'Simulated: no animal. Poisson spike counts around a rate that is a rectified power of the weighted sum of image features in the patch at the fixation.',
  'V4 is driven by products of orientation and colour, IT by products of orientations side by side; a part of every rate depends on the objects of the scene, which no network is told.',
];

/** Equal settings give the same world, byte for byte. */
export const createWorld = (settings: WorldSettings): World => {
  const { seed } = settings.scenes;
  const scenes = drawScenes(settings.scenes);
  const maps = scenes.map(({ pixels }) => signalMaps(pixels));
  const recordings = settings.areas.map((plan) =>
    simulateRecording(
      createRandom(seed).fork(plan.area),
      plan,
      scenes,
      maps,
      `demo-${plan.area}-${seed}`,
      notes,
    ),
  );
  return { settings, scenes, recordings };
};
