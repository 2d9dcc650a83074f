import { describe, expect, it } from 'vitest';
import { createProgressPrinter, progressLine } from '../../src/cli/progress.ts';
import type { ScorePlan } from '../../src/records/plan.ts';
import { planLines, planSummary } from '../../src/report/plan-report.ts';
import { bytesText, durationText, numberText, tableLines } from '../../src/report/table.ts';
import { protocols } from '../../src/scoring/protocols.ts';

const plan: ScorePlan = {
  kind: 'score-plan',
  format: 2,
  candidate: { kind: 'model', path: 'net.onnx', preprocess: null },
  recording: { name: 'v4', path: 'v4' },
  protocol: protocols.find(({ name }) => name === 'image-cv')!,
  conditions: {
    layers: null,
    memory: 1e9,
    seed: 1,
    timeBins: 'all',
    timeCourseSites: 'common',
  },
  inputs: [],
  timeBin: { start: 0, end: 100 },
  timeBins: 1,
  stimuli: 3,
  rows: 3,
  sites: 1,
  folds: 2,
  layers: [
    { name: 'a', features: 10, pass: 1, slices: 1, done: true },
    { name: 'b', features: 999, pass: 2, slices: 3, done: false },
  ],
  passes: 4,
  estimate: { bytes: 2.5e9, seconds: 61 },
  warnings: ['two stimuli are equal'],
};

describe('plain text for a person', () => {
  it('shows passes, slices, what is done, and that the memory does not do', () => {
    expect(planLines(plan)).toEqual([
      'v4, 0–100 ms: 3 stimuli, 3 rows, 1 site; protocol image-cv',
      '',
      'layer  features  pass',
      'a            10  1             done before',
      'b           999  2 (3 slices)',
      '',
      'note: two stimuli are equal',
      'note: about 2.5 GB are needed, more than the 1.0 GB allowed',
      'plan: 2 layers (1 done before), 4 passes over the inputs, 2 folds; about 2.5 GB of memory and 1 min 01 s',
    ]);
    expect(planSummary({ ...plan, conditions: { ...plan.conditions, memory: 3e9 } })).toHaveLength(
      1,
    );
  });

  it('pads numbers to the right and words to the left, without trailing blanks', () => {
    const columns = [
      { head: 'name', align: 'left' as const },
      { head: 'n', align: 'right' as const },
    ];
    expect(
      tableLines(columns, [
        ['a', '1.000'],
        ['long one', '–'],
      ]),
    ).toEqual(['name          n', 'a         1.000', 'long one      –']);
  });

  it('names sizes, times and missing values', () => {
    expect([bytesText(4.13e9), bytesText(12e6), bytesText(10)]).toEqual([
      '4.1 GB',
      '12 MB',
      '1 kB',
    ]);
    expect([durationText(7265), durationText(200), durationText(0.2)]).toEqual([
      '2 h 01 min',
      '3 min 20 s',
      '0 s',
    ]);
    expect([numberText(0.12345), numberText(null), numberText(-0.5)]).toEqual([
      '0.123',
      '–',
      '-0.500',
    ]);
  });

  it('says rate and time left', () => {
    expect(progressLine({ task: 'fit', done: 30, total: 100, unit: 'steps' }, 10, 10_000)).toBe(
      'fit: 30/100 steps (30 %), 2.0 steps/s, 35 s left',
    );
  });

  it('writes plain lines every ten seconds where there is no terminal', () => {
    let time = 0;
    const lines: string[] = [];
    const printer = createProgressPrinter({
      isTerminal: false,
      columns: 80,
      write: (text) => lines.push(text),
      now: () => time,
    });
    for (time = 0; time <= 25_000; time += 500)
      printer.report({ task: time < 15_000 ? 'a' : 'b', done: time, total: 25_000, unit: 'ms' });
    printer.clear();
    expect(lines.map((line) => line.slice(0, 8))).toEqual(['a: 10000', 'b: 20000']);
    expect(lines.join('')).not.toContain('\u001b');
  });
});
