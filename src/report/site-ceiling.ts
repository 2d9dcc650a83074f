import { knownInput } from '../records/provenance.ts';
import { sameBin } from '../records/recording.ts';
import type { Score } from '../records/score.ts';
import type { CeilingSide, Measured, SiteCeiling, SiteCeilings } from '../records/site-ceiling.ts';
import { type Column, counted, numberText, tableLines } from './table.ts';

const columns: readonly Column[] = [
  { head: 'predicted', align: 'left' },
  { head: 'by', align: 'left' },
  { head: 'stimuli', align: 'right' },
  { head: 'raw', align: 'right' },
  { head: 'interval', align: 'left' },
  { head: 'ceiling', align: 'right' },
  { head: 'score', align: 'right' },
  { head: 'interval', align: 'left' },
  { head: 'corrected', align: 'right' },
  { head: 'interval', align: 'left' },
];

const intervalText = ({ interval }: Measured): string =>
  interval === null ? '–' : `[${numberText(interval.low)}, ${numberText(interval.high)}]`;

const sideText = ({ recording, area, timeBin, sites }: CeilingSide): string =>
  `${recording} (${area}, ${counted(sites, 'site')}, ${timeBin.start}–${timeBin.end} ms)`;

const byText = ({ predictor }: SiteCeiling): string =>
  predictor === null ? 'its other sites' : sideText(predictor);

const row = (ceiling: SiteCeiling): string[] => [
  sideText(ceiling.target),
  byText(ceiling),
  String(ceiling.stimuli),
  numberText(ceiling.raw.value),
  intervalText(ceiling.raw),
  numberText(ceiling.ceiling),
  numberText(ceiling.value.value),
  intervalText(ceiling.value),
  numberText(ceiling.corrected?.value ?? null),
  ceiling.corrected === null ? '–' : intervalText(ceiling.corrected),
];

/** How well sites predict sites, as plain lines. */
export const siteCeilingLines = ({ ceilings, warnings, provenance }: SiteCeilings): string[] => [
  `how well sites predict sites, protocol ${knownInput(provenance, 'protocol').name}`,
  '',
  ...tableLines(columns, ceilings.map(row)),
  '',
  'raw: correlation of held-out predictions; score: by the ceiling of the predicted sites, as a network is scored; corrected: for the noise of the predicting sites too',
  ...(ceilings.some(({ predictor }) => predictor === null)
    ? [
        'note: within a recording, noise that sites share in a trial helps raw and score, not corrected',
      ]
    : []),
  ...warnings.map((warning) => `note: ${warning}`),
  ...ceilings.flatMap((ceiling) =>
    ceiling.warnings.map(
      (warning) => `note: ${ceiling.target.recording} by ${byText(ceiling)}: ${warning}`,
    ),
  ),
  `seed ${provenance.run.seed}; inference is to these animals and sites`,
];

/** One line for each ceiling of the scored recording, to stand beneath its score. */
export const besideScoreLines = (
  score: Score,
  { provenance, ceilings }: SiteCeilings,
): string[] => {
  const recording = knownInput(score.provenance, 'recording');
  const scored = knownInput(score.provenance, 'protocol');
  const protocol = knownInput(provenance, 'protocol');
  const own = ceilings.filter(({ target }) => target.sha256 === recording.sha256);
  const inItsBin = ({ target }: SiteCeiling): boolean => sameBin(target.timeBin, score.timeBin);
  const share = (value: number | null): string =>
    value === null || value <= 0
      ? ''
      : `; the score is ${Math.round((100 * score.value) / value)} % of that`;
  return [
    ...own.map(
      (ceiling) =>
        `predicted by ${ceiling.predictor === null ? 'the other sites of the recording' : `the ${counted(ceiling.predictor.sites, 'site')} of ${ceiling.predictor.recording}`}: ${numberText(ceiling.value.value)} ${intervalText(ceiling.value)} (raw ${numberText(ceiling.raw.value)}, corrected for noise on both sides ${numberText(ceiling.corrected?.value ?? null)})${share(ceiling.value.value)}`,
    ),
    ...(protocol.sha256 === scored.sha256
      ? []
      : [`note: these are under protocol ${protocol.name}, not ${scored.name}`]),
    ...(own.every(inItsBin) ? [] : ['note: these are of another time bin']),
  ];
};
