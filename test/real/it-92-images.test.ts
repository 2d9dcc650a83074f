// The 92 object images of Kriegeskorte et al. 2008, where `../shared` holds them: monkey IT, human IT and pixels.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { MatStruct, MatValue } from '../../src/formats/mat.ts';
import { openMatlab } from '../../src/formats/matlab.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { sourceStream } from '../../src/formats/stream.ts';
import { rowGram } from '../../src/kernels/row-gram.ts';
import { compareDissimilarities, dissimilarities } from '../../src/kernels/similarity.ts';
import { quiet, sourceOf } from '../regression/problems.ts';
import { sharedPath, sharedSkipReason } from '../shared.ts';
import { testPorts } from '../small-study.ts';

const path = sharedPath(
  'data',
  'recordings',
  'it-kriegeskorte2008',
  'Kriegeskorte_Neuron2008_supplementalData.mat',
);

const numbersOf = (value: MatValue | undefined) => {
  if (value?.kind !== 'numbers') throw new Error('not numbers');
  return value.array;
};
const structOf = (value: MatValue): MatStruct => {
  if (value.kind !== 'struct') throw new Error('not a struct');
  return value;
};

describe.skipIf(path === null)(
  `the 92 object images${path === null ? ` (${sharedSkipReason})` : ''}`,
  () => {
    const brains = new Map<string, Float64Array>();
    let pixels: Float64Array;

    beforeAll(async () => {
      const bytes = readFileSync(path!);
      const source = { size: bytes.length, open: async () => sourceStream(bytesSource(bytes)) };
      const file = await openMatlab(source, 'supplementalData.mat');
      const { fields } = structOf(await file.read('RDMs_mIT_hIT_fig1'));
      fields.get('name')!.forEach((name, index) => {
        // In the order of MATLAB's pdist, which is ours.
        const { data } = numbersOf(fields.get('RDM')![index]);
        if (name.kind === 'text')
          brains.set(name.rows[0]!, Float64Array.from(data as Float64Array));
      });
      const images = structOf(await file.read('stimuli_92objs')).fields.get('image')!;
      const size = 175 * 175 * 3;
      const x = new Float32Array(images.length * size);
      images.forEach((image, row) => {
        x.set(numbersOf(image).data as Uint8Array, row * size);
      });
      const { engine } = await testPorts({}, 2);
      const gram = await rowGram(
        engine,
        sourceOf({ data: x, shape: [images.length, size] }),
        quiet,
      );
      pixels = dissimilarities(gram, 'correlation');
    });

    it('gives monkey and human IT the similarity that the paper reports, and pixels hardly any', () => {
      expect(brains.size).toBe(2);
      const [monkey, human] = [...brains.values()] as [Float64Array, Float64Array];
      expect(pixels).toHaveLength((92 * 91) / 2);
      // Kriegeskorte et al. 2008, Neuron 60: r = .49 (Pearson).
      expect(compareDissimilarities(monkey, human, 'pearson')).toBeCloseTo(0.49, 2);
      // SciPy on the same lists, and on NumPy's corrcoef of the pixels.
      expect(compareDissimilarities(monkey, human, 'spearman')).toBeCloseTo(0.438924, 6);
      expect(compareDissimilarities(monkey, pixels, 'spearman')).toBeCloseTo(0.144782, 5);
      expect(compareDissimilarities(human, pixels, 'spearman')).toBeCloseTo(0.106454, 5);
    });
  },
);
