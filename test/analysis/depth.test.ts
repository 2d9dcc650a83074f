import { describe, expect, it } from 'vitest';
import { centreOfMass, peakOf, relativeDepths } from '../../src/analysis/depth.ts';

describe('where a profile lies', () => {
  it('runs from 0 to 1 over the layers', () => {
    expect(relativeDepths(5)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(relativeDepths(1)).toEqual([0]);
  });

  it('peaks at the first of the highest values that are defined', () => {
    expect(peakOf([0.1, Number.NaN, 0.4, 0.4])).toBe(2);
    expect(peakOf([Number.NaN, -0.2, -0.1])).toBe(2);
    expect(peakOf([Number.NaN])).toBe(-1);
  });

  it('has a centre of mass that no shared constant moves, and none where it is flat', () => {
    const depths = relativeDepths(3);
    // Above the lowest: 0, 0.2, 0.1 → (0.5 · 0.2 + 1 · 0.1) / 0.3.
    expect(centreOfMass([0.3, 0.5, 0.4], depths)).toBeCloseTo(2 / 3, 12);
    expect(centreOfMass([-0.7, -0.5, -0.6], depths)).toBeCloseTo(2 / 3, 12);
    expect(centreOfMass([Number.NaN, 0.1, 0.2], depths)).toBe(1);
    expect(centreOfMass([0.4, 0.4, 0.4], depths)).toBeNaN();
  });
});
