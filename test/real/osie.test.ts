import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlignPorts, type AlignRequest, align, planAlignment } from '../../src/align.ts';
import { createNodePorts } from '../../src/node/index.ts';
import type { Alignment } from '../../src/records/alignment.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';

// 60 photographs of OSIE with the fixations of 15 people, and classifiers trained on ImageNet: the top-1 logit's gradient
// against where people looked. No outside value is known for this pair; what is held here is what must be so, and what
// it came to.

const maps = sharedPath('data', 'human-maps', 'osie', 'fixations.mat');
const images = sharedPath('data', 'human-maps', 'osie', 'stimuli');
const models = sharedPath('data', 'models');

describe('MobileNets on OSIE', () => {
  let ports: AlignPorts;
  beforeAll(async () => {
    ports = await createNodePorts();
  });
  afterAll(() => ports.engine.close());

  const run = async (model: string, limit: number): Promise<Alignment> => {
    const request: AlignRequest = {
      model: `${models}/${model}.onnx`,
      maps: maps!,
      images,
      root: 'cache',
      preprocess: 'tf-224',
      protocol: null,
      ceiling: null,
      limit,
      seed: 1,
    };
    return align(await planAlignment(request, ports), ports);
  };

  it('looks where people look less than the centre and edges do', async ({ skip }) => {
    if (maps === null || images === null || models === null) skip(sharedSkipReason);
    const {
      metrics,
      controls,
      images: compared,
      excludedImages,
    } = await run('mobilenet_v1_0.25_128', 10);
    expect([compared.length, excludedImages.length]).toEqual([10, 0]);
    // What the true map would reach with fifteen people: halves agree by .81, and all of them by √(2 · .81 / 1.81).
    expect(metrics.spearman.ceiling).toBeGreaterThan(0.93);
    expect(metrics.spearman.ceiling).toBeLessThan(0.96);
    const [centre, edges] = controls.map((control) => control.metrics!.spearman.raw);
    expect(centre).toBeGreaterThan(0.5);
    expect(edges).toBeGreaterThan(0.2);
    expect(centre).toBeGreaterThan(edges!);
    expect(metrics.spearman.raw).toBeLessThan(edges!);
    for (const { network } of compared) expect(Number.isFinite(network.spearman)).toBe(true);
  });

  it('is the same for an export of 2,292 nodes and its folded twin', async ({ skip }) => {
    if (maps === null || images === null || models === null) skip(sharedSkipReason);
    const [folded, unfolded] = [
      await run('mobilenet_v1_0.25_128', 2),
      await run('mobilenet_v1_0.25_128_unfolded', 2),
    ];
    unfolded.images.forEach((image, index) => {
      expect(image.class).toBe(folded.images[index]!.class);
      expect(image.network.spearman).toBeCloseTo(folded.images[index]!.network.spearman!, 3);
    });
  });
});
