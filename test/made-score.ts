import type { Provenance, ProvenanceInput } from '../src/records/provenance.ts';
import { type LayerScore, type Score, scoreSchema } from '../src/records/score.ts';
import { protocolNamed } from '../src/scoring/protocols.ts';

const sha256 = 'a'.repeat(64);

export const madeLayer = (layer: string, change: Partial<LayerScore> = {}): LayerScore => ({
  layer,
  features: 30,
  place: null,
  value: 0.5,
  raw: 0.4,
  ceiling: 0.8,
  interval: null,
  sitesUsed: 2,
  folds: [],
  sites: [],
  regression: 'float64 gram',
  alphas: null,
  warnings: [],
  ...change,
});

/** A run of two threads and seven seconds that rests on these. */
export const madeProvenance = (inputs: readonly ProvenanceInput[]): Provenance => ({
  run: {
    ...{ versions: {}, seed: 1, threads: 2, device: 'cpu' },
    ...{ seconds: 7, startedAt: '2026-01-01T00:00:00Z' },
  },
  inputs,
  engineCheck: null,
});

/** A score with one layer `conv` in 70–170 ms, as its schema has it, and what the caller changes. */
export const madeScore = (change: Partial<Score> = {}): Score =>
  scoreSchema.parse({
    kind: 'neural-predictivity',
    format: 2,
    area: 'IT',
    value: 0.5,
    raw: 0.4,
    ceiling: 0.8,
    ceilingInterval: null,
    nullCeiling: null,
    interval: null,
    layer: 'conv',
    nestedSelection: null,
    standardErrorOverSplits: null,
    timeBin: { start: 70, end: 170 },
    protocol: protocolNamed('image-cv', 'image')!,
    layers: [madeLayer('conv')],
    timeCourse: null,
    excludedSites: [],
    warnings: [],
    provenance: madeProvenance([
      { role: 'model', name: 'net.onnx', sha256 },
      { role: 'recording', name: 'recording', sha256 },
      { role: 'stimuli', name: 'recording', sha256, count: 5 },
      { role: 'protocol', name: 'image-cv', sha256 },
    ]),
    ...change,
  });
