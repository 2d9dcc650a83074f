import { describe, expect, it } from 'vitest';
import { outOfRange } from '../../src/scoring/out-of-range.ts';

const site = (value: number | null) => ({ site: 's', raw: 0, ceiling: 1, value });

describe('values above 1 and below 0', () => {
  it('are counted by layer, time bin and site, with the reason that the ceiling gives', () => {
    const said = outOfRange(
      { kind: 'best-other-site' },
      { sites: [1.2, 1, 0, -0.1, null, 1.001].map(site) },
      [{ value: 1.5 }, { value: 0.5 }, { value: null }],
      {
        timeBins: [],
        ...{ common: true, sites: [], ownSites: [] },
        ceilings: [],
        layers: [
          { layer: 'a', raw: [], value: [1.5, -2] },
          { layer: 'b', raw: [], value: [null, -1] },
        ],
      },
    );
    expect(said).toEqual([
      'scores above 1, not clipped: 1 of 3 layers, 1 of 4 layers in a time bin, 2 of 6 sites; the ceiling is what the best other site reaches: no upper bound, a network may do better',
      'scores below 0, not clipped: 2 of 4 layers in a time bin, 1 of 6 sites; predictions of held-out responses that point the wrong way',
    ]);
  });

  it('are not spoken of where there are none', () => {
    const settings = { kind: 'split-half', splits: 10, minimumReliability: 0.1 } as const;
    expect(outOfRange(settings, { sites: [site(1), site(0)] }, [{ value: 0.3 }], null)).toEqual([]);
    const [said] = outOfRange(settings, { sites: [site(1.1)] }, [{ value: 0.3 }], null);
    expect(said).toMatch(
      /^scores above 1, not clipped: 1 of 1 sites; .* from halves of the trials/,
    );
  });
});
