import type { Interval } from '../records/interval.ts';
import { candidateInput, knownInput } from '../records/provenance.ts';
import type { LayerScore, Score } from '../records/score.ts';
import { learningCurveLines } from './learning-curve-report.ts';
import { nullLines } from './null-report.ts';
import { runText } from './run-text.ts';
import { type Column, counted, numberText, shortList, tableLines } from './table.ts';

const columns: readonly Column[] = [
  { head: '', align: 'left' },
  { head: 'layer', align: 'left' },
  { head: 'features', align: 'right' },
  { head: 'raw', align: 'right' },
  { head: 'ceiling', align: 'right' },
  { head: 'score', align: 'right' },
  { head: 'interval', align: 'left' },
  { head: 'sites', align: 'right' },
];

const intervalText = (interval: Interval | null): string =>
  interval === null ? '–' : `[${numberText(interval.low)}, ${numberText(interval.high)}]`;

const methodText = (interval: Interval | null): string => {
  if (interval === null) return 'too few images for an interval';
  const level = `${Math.round(interval.level * 100)} % interval`;
  if (interval.approximate)
    return `${level}, t over ${interval.n.images} images, approximate, about these sites`;
  const { undefinedDraws: lost = 0 } = interval;
  const undefinedText = lost === 0 ? '' : `, ${lost} draws not defined`;
  return `${level}, bootstrap over ${counted(interval.n.images ?? 0, 'image')} and ${counted(interval.n.sites ?? 0, 'site')}${undefinedText}`;
};

/** A ceiling of 1 stands in the record where there is none. */
const ceilingText = ({ protocol }: Score, ceiling: number | null): string =>
  protocol.ceiling.kind === 'none' ? 'none' : numberText(ceiling);

const row = (layer: LayerScore, score: Score): string[] => [
  layer.layer === score.layer ? '*' : '',
  layer.layer,
  String(layer.features),
  numberText(layer.raw),
  ceilingText(score, layer.ceiling),
  numberText(layer.value),
  intervalText(layer.interval),
  String(layer.sitesUsed),
];

/** What a score says, as plain lines: a heading, a row per layer (the best marked), the verdict, warnings. */
export const scoreLines = (score: Score): string[] => {
  const { provenance, timeBin, interval, ceilingInterval } = score;
  const candidate = candidateInput(provenance)?.name ?? '';
  const ceiling = [
    ceilingText(score, score.ceiling),
    ...(ceilingInterval === null ? [] : [intervalText(ceilingInterval)]),
  ].join(' ');
  const lines = [
    `${candidate} against ${knownInput(provenance, 'recording').name} (${score.area}, ${timeBin.start}–${timeBin.end} ms), protocol ${score.protocol.name}`,
    ...responsesLines(score),
    '',
    ...tableLines(
      columns,
      score.layers.map((layer) => row(layer, score)),
    ),
    '',
    ...nestedSelectionLines(score),
    `${score.nestedSelection === null ? `best layer ${score.layer}` : 'score'}: ${numberText(score.value)} ${intervalText(interval)} (raw ${numberText(score.raw)}, ceiling ${ceiling}; ${methodText(interval)})`,
    ...standardErrorOverSplitsLines(score),
    ...timeCourseLines(score),
    ...nullLines(score),
    ...learningCurveLines(score),
    ...noteLines(score),
  ];
  // Each part begins and ends with an empty line.
  return lines.filter((line, place) => line !== '' || lines[place - 1] !== '');
};

/** What of the responses the values rest on, where that is not all. */
const responsesLines = ({ responses, protocol }: Score): string[] => {
  if (responses === null || responses.used === 1) return [];
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return [
    `${percent(responses.used)} of the responses (site × ${protocol.layout === 'grid' ? 'fixation' : 'stimulus'}) are used, ${percent(responses.missing)} are missing`,
  ];
};

/** Which layers a nested choice took, and what the best layer would have gained. */
const nestedSelectionLines = ({ nestedSelection, layer }: Score): string[] => {
  if (nestedSelection === null) return [];
  const counts = new Map<string, number>();
  for (const each of nestedSelection.folds)
    counts.set(each.layer, (counts.get(each.layer) ?? 0) + 1);
  const taken = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} (${count})`);
  return [
    `layer chosen for each of ${counted(nestedSelection.folds.length, 'fold')} on the others: ${shortList(taken, 4)}`,
    `best layer on all: ${layer}, ${numberText(nestedSelection.best)}; optimism of that choice ${numberText(nestedSelection.optimism)}`,
  ];
};

const standardErrorOverSplitsLines = ({ standardErrorOverSplits, protocol }: Score): string[] =>
  standardErrorOverSplits === null
    ? []
    : [
        `error over splits: ${numberText(standardErrorOverSplits.value)} in the unit of the score (${protocol.normalisation}); ${numberText(standardErrorOverSplits.unscaled)} as Brain-Score reports it, in the unit of r`,
      ];

/** Layer × time bin, where more than one was fitted: scores, the ceilings above them. */
const timeCourseLines = (score: Score): string[] => {
  const { timeCourse } = score;
  if (timeCourse === null) return [];
  const { timeBins, ceilings, layers, sites, ownSites, common } = timeCourse;
  const fewer = common && ownSites.some((count, bin) => count !== sites[bin]);
  return [
    '',
    ...tableLines(
      [
        { head: 'score by time bin (ms)', align: 'left' },
        ...timeBins.map(({ start, end }): Column => ({ head: `${start}–${end}`, align: 'right' })),
      ],
      [
        ['ceiling', ...ceilings.map((ceiling) => ceilingText(score, ceiling))],
        ...(sites.length > 0 ? [[common ? 'sites, common' : 'sites', ...sites.map(String)]] : []),
        ...(fewer ? [['sites, own', ...ownSites.map(String)]] : []),
        ...layers.map(({ layer, value }) => [layer, ...value.map(numberText)]),
      ],
    ),
    '',
  ];
};

const nullCeilingNotes = ({ ceiling, nullCeiling }: Score): string[] =>
  nullCeiling === null
    ? []
    : [
        `this ceiling (${numberText(ceiling)}) is a maximum over sites; by chance alone it would be ${numberText(nullCeiling.mismatched)} (maps of other images) or ${numberText(nullCeiling.surrogate)} (surrogate maps)`,
      ];

const noteLines = (score: Score): string[] => {
  const whole = score.excludedSites.filter(({ image }) => image === null);
  const partly = score.excludedSites.length - whole.length;
  const layerWarnings = score.layers.flatMap(({ layer, warnings }) =>
    warnings.map((warning) => `${layer}: ${warning}`),
  );
  const notes = [
    ...nullCeilingNotes(score),
    ...(whole.length > 0
      ? [
          `${counted(whole.length, 'site')} left out: ${shortList(
            whole.map(({ site, reason }) => `${site} (${reason})`),
            3,
          )}`,
        ]
      : []),
    ...(partly > 0
      ? [`${counted(partly, 'map')} (a site on one image) left out; the list is in the score file`]
      : []),
    ...score.warnings,
    ...(layerWarnings.length > 0
      ? [
          `${counted(layerWarnings.length, 'warning')} on layers, in the score file; the first: ${layerWarnings[0]}`,
        ]
      : []),
  ];
  return [...notes.map((note) => `note: ${note}`), runText(score.provenance.run)];
};
