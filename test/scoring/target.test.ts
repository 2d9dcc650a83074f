import { expect, it } from 'vitest';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { prepareTarget } from '../../src/scoring/target.ts';
import { drawAnimal, recordingOf } from './animals.ts';

const animal = drawAnimal('areas', { sites: 3, shared: 2, own: 0.3 });
const recording = recordingOf(animal, { images: 60, trials: 4, noise: 0.5 });
const protocol = protocolNamed('image-cv', 'image')!;

it('says of sites of several areas that they are scored together', () => {
  const warningsOf = (areas: readonly string[]): readonly string[] => {
    const { header } = recording;
    const sites = header.sites.map((site, index) => ({ ...site, area: areas[index]! }));
    return prepareTarget(protocol, { ...recording, header: { ...header, sites } }, 1, 'best')
      .warnings;
  };
  expect(warningsOf(['V4', 'IT', 'V4'])).toContain(
    'sites of V4 (2), IT (1) are scored together; import each area on its own for a score of each',
  );
  expect(warningsOf(['V4', 'V4', 'V4']).join()).not.toContain('together');
});
