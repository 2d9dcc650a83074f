import { describe, expect, it } from 'vitest';
import type { Interval } from '../../src/records/interval.ts';
import { scoreLines } from '../../src/report/score-report.ts';
import { protocolNamed } from '../../src/scoring/protocols.ts';
import { madeLayer, madeScore } from '../made-score.ts';

const interval: Interval = {
  ...{ low: 0.6, high: 0.95, level: 0.95, method: 't over images' },
  ...{ n: { images: 14, sites: 2 }, approximate: true },
};

describe('the report of a score', () => {
  it('shows the interval of the ceiling beside it', () => {
    const lines = scoreLines(madeScore({ ceilingInterval: interval }));
    expect(lines.find((line) => line.startsWith('best layer'))).toContain(
      'ceiling 0.800 [0.600, 0.950];',
    );
  });

  it('says none, not 1.000, where there is no ceiling', () => {
    const protocol = { ...protocolNamed('image-cv', 'image')!, ceiling: { kind: 'none' } as const };
    const timeCourse = {
      timeBins: [
        { start: 0, end: 70 },
        { start: 70, end: 170 },
      ],
      ...{ common: true, sites: [], ownSites: [] },
      ceilings: [1, 1],
      layers: [{ layer: 'conv', raw: [0.1, 0.4], value: [0.1, 0.4] }],
    };
    const layers = [madeLayer('conv', { ceiling: 1, value: 0.4 })];
    const text = scoreLines(
      madeScore({ protocol, layers, timeCourse, ceiling: 1, value: 0.4 }),
    ).join('\n');
    expect(text).not.toContain('1.000');
    expect(text.match(/\bnone\b/g)).toHaveLength(4);
  });

  it('says none in the rows of a curve too', () => {
    const protocol = { ...protocolNamed('image-cv', 'image')!, ceiling: { kind: 'none' } as const };
    const point = { count: 2, draws: 1, raw: 0.4, rawSpread: null, ceiling: 1, value: 0.4 };
    const learningCurve = { layer: 'conv', trials: [], sites: [{ ...point, valueSpread: null }] };
    const rows = (score: Parameters<typeof madeScore>[0]) =>
      scoreLines(madeScore({ ...score, learningCurve })).filter((line) => /^ +2 +1 /.test(line));
    expect(rows({ protocol })).toEqual([expect.stringMatching(/ none /)]);
    expect(rows({})).toEqual([expect.stringMatching(/ 1\.000 /)]);
  });
});
