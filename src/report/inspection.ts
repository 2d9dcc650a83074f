import { quantile } from '../numeric/statistics.ts';
import type { BinReliability, Inspection } from '../records/inspection.ts';
import type { TimeBin } from '../records/recording.ts';

const binText = ({ start, end }: TimeBin): string => `${start}–${end} ms`;
const short = (value: number): string => Number(value.toPrecision(3)).toString();
const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

const histogramWidth = 30;
const histogramStep = 0.1;

/** Ten steps from 0 to 1; what lies below 0 has a row of its own. */
const histogram = (values: readonly number[]): string[] => {
  const rows = Array.from({ length: 10 }, (_, step) => {
    const from = step * histogramStep;
    const label = `${from.toFixed(1)} to ${(from + histogramStep).toFixed(1)}`;
    const within = values.filter(
      (value) => value >= 0 && Math.min(9, Math.floor(value / histogramStep)) === step,
    );
    return { label, count: within.length };
  });
  const negative = { label: 'below 0', count: values.filter((value) => value < 0).length };
  const all = negative.count > 0 ? [negative, ...rows] : rows;
  const first = all.findIndex(({ count }) => count > 0);
  const most = Math.max(...all.map(({ count }) => count));
  return all.slice(first).map(({ label, count }) => {
    const bar = '#'.repeat(Math.ceil((count / most) * histogramWidth));
    return `  ${label.padEnd(10)} ${`${count}`.padStart(4)} ${bar}`.trimEnd();
  });
};

const reliabilityLines = ({ bin, perSite, median }: BinReliability): string[] => {
  const values = perSite.filter((value) => value !== null);
  const undefinedCount = perSite.length - values.length;
  if (median === null) return [`  ${binText(bin)}: not defined for any site`];
  const quartiles = [0.25, 0.75].map((p) => quantile(values, p).toFixed(2)).join(' to ');
  const left = undefinedCount > 0 ? `, not defined for ${counted(undefinedCount, 'site')}` : '';
  return [
    `  ${binText(bin)}: median ${median.toFixed(3)}, quartiles ${quartiles}${left}`,
    ...histogram(values),
  ];
};

const binsText = (bins: readonly TimeBin[]): string => {
  const shown = bins.length > 6 ? [...bins.slice(0, 5).map(binText), '…'] : bins.map(binText);
  return shown.join(', ');
};

/** An inspection as plain lines for a terminal or a pipe. */
export const inspectionLines = (inspection: Inspection): string[] => {
  const { dimensions, areas, animals, stimuli, trials, responses, reliability, otherSites } =
    inspection;
  const line = (label: string, text: string): string => `${label.padEnd(12)} ${text}`;
  const optional = (label: string, text: string | null): string[] =>
    text === null || text === '' ? [] : [line(label, text)];
  const sites = areas.map(({ area, sites: count }) => `${area} ${count}`).join(', ');
  const range =
    responses === null ? 'none' : [responses.least, responses.most].map(short).join(' to ');
  const average = responses === null ? '' : `, mean ${short(responses.mean)}`;
  const unit = inspection.unit === '' ? '' : ` (${inspection.unit})`;
  const byTrials =
    trials.least === trials.most
      ? `${trials.most}`
      : `${trials.least} to ${trials.most}, median ${trials.median}`;
  return [
    line('recording', inspection.name),
    line('species', [inspection.species, ...animals].join(', ')),
    line('layout', inspection.layout === 'grid' ? 'grid (one response per fixation)' : 'image'),
    line('dimensions', dimensions.map(({ name, size }) => `${name} ${size}`).join(' × ')),
    line('sites', sites),
    line('time bins', binsText(inspection.timeBins)),
    line('responses', `${range}${average}${unit}`),
    line('trials', `${byTrials} per stimulus and site`),
    line('missing', `${(inspection.missing * 100).toFixed(1)} %`),
    line(
      'stimuli',
      `${stimuli.count}${stimuli.columns.length > 0 ? `, columns ${stimuli.columns.join(', ')}` : ''}`,
    ),
    ...stimuli.first.map(({ id, file }) => line('', `${id}  ${file}`)),
    ...optional('licence', inspection.licence),
    ...optional('citation', inspection.citation),
    ...inspection.notes.map((note) => line('note', note)),
    ...inspection.warnings.map((warning) => line('warning', warning)),
    line('sha256', inspection.hash),
    ...(reliability === null
      ? [line('reliability', 'no repeated trials')]
      : [
          line('reliability', `split halves, Spearman–Brown, mean of ${reliability.splits} splits`),
          ...reliability.bins.flatMap(reliabilityLines),
        ]),
    ...(otherSites === null
      ? []
      : [
          line(
            'other sites',
            'best other site: Spearman of two sites’ maps, mean over stimuli; no reliability, no upper bound',
          ),
          ...otherSites.flatMap(reliabilityLines),
        ]),
  ];
};
