import type { AreaOrder, AreaProfile, Profile } from '../records/profile.ts';
import { type Column, counted, numberText, tableLines } from './table.ts';

const barWidth = 20;

const depthText = (depth: number | null): string => (depth === null ? '–' : depth.toFixed(2));

const rangeText = (range: { readonly low: number; readonly high: number } | null): string =>
  range === null ? '–' : `[${depthText(range.low)}, ${depthText(range.high)}]`;

const pText = (p: number): string => (p < 0.0001 ? '<.0001' : p.toFixed(4));

/** What an order of two areas comes to; a difference that does not hold after Holm's correction is a tie. */
export const orderVerdict = ({ first, second, difference, adjusted }: AreaOrder): string => {
  if (adjusted >= 0.05 || difference === null) return 'tie';
  return difference > 0 ? `${first} before ${second}` : `${second} before ${first}`;
};

/** `14 images and 24 sites`. */
export const resampledText = ({ resampled }: AreaProfile): string => {
  const parts = [
    ...(resampled.images > 0 ? [counted(resampled.images, 'image')] : []),
    ...(resampled.sites > 0 ? [counted(resampled.sites, 'site')] : []),
  ];
  return `${parts.join(' and ')}${resampled.approximate ? ', approximate' : ''}`;
};

/** A row per layer, a score and a bar per area, the peak marked; bars of all areas are on one scale from 0. */
const layerLines = ({ layers, areas }: Profile): string[] => {
  const highest = Math.max(...areas.flatMap(({ values }) => values.map((value) => value ?? 0)));
  const bar = (value: number | null): string =>
    '█'.repeat(highest > 0 ? Math.round((barWidth * Math.max(0, value ?? 0)) / highest) : 0);
  const columns: Column[] = [
    { head: 'depth', align: 'right' },
    { head: 'layer', align: 'left' },
    ...areas.flatMap(({ name }): Column[] => [
      { head: name, align: 'right' },
      { head: '', align: 'left' },
    ]),
  ];
  const rows = layers.map(({ layer, depth }, index) => [
    depthText(depth),
    layer,
    ...areas.flatMap(({ values, peak }) => [
      numberText(values[index]!),
      `${bar(values[index]!)}${peak.layer === layer ? ' *' : ''}`,
    ]),
  ]);
  return tableLines(columns, rows);
};

const areaLines = (areas: readonly AreaProfile[]): string[] =>
  tableLines(
    [
      { head: 'area', align: 'left' },
      { head: 'peak', align: 'left' },
      { head: 'depth', align: 'right' },
      { head: '95 % interval', align: 'left' },
      { head: 'centre of mass', align: 'right' },
      { head: '95 % interval', align: 'left' },
      { head: 'resampled', align: 'left' },
    ],
    areas.map((area) => [
      area.name,
      area.peak.layer,
      depthText(area.peak.depth),
      rangeText(area.peak.interval),
      depthText(area.centreOfMass.depth),
      rangeText(area.centreOfMass.interval),
      resampledText(area),
    ]),
  );

const orderLines = (orders: readonly AreaOrder[]): string[] =>
  tableLines(
    [
      { head: 'by', align: 'left' },
      { head: 'first', align: 'left' },
      { head: 'second', align: 'left' },
      { head: 'difference', align: 'right' },
      { head: '95 % interval', align: 'left' },
      { head: 'P(first earlier)', align: 'right' },
      { head: 'P(tie)', align: 'right' },
      { head: 'P(second earlier)', align: 'right' },
      { head: 'p (Holm)', align: 'right' },
      { head: 'verdict', align: 'left' },
    ],
    orders.map((order) => [
      order.statistic,
      order.first,
      order.second,
      depthText(order.difference),
      rangeText(order.interval),
      order.earlier.toFixed(3),
      order.tie.toFixed(3),
      order.later.toFixed(3),
      pText(order.adjusted),
      orderVerdict(order),
    ]),
  );

/** What each area is, in one line per area. */
const headLines = (areas: readonly AreaProfile[]): string[] =>
  areas.map(
    ({ name, recording, timeBin, protocol }) =>
      `${name}: ${recording.name}, ${timeBin.start}–${timeBin.end} ms, ${protocol}`,
  );

/** What 0 and 1 are. */
export const depthMeaning = ({ networkLayers }: Profile): string =>
  networkLayers === null
    ? 'relative depth: 0 the first of the layers scored, 1 the last'
    : `relative depth: 0 the first of the network’s ${counted(networkLayers, 'layer')}, 1 the last`;

/** A profile as plain lines: layers by depth with a bar per area, where each area lies, which lies deeper. */
export const profileLines = (profile: Profile): string[] => [
  `${profile.candidate} along its depth, ${counted(profile.layers.length, 'layer')}`,
  ...headLines(profile.areas),
  '',
  ...layerLines(profile),
  '',
  ...areaLines(profile.areas),
  '',
  ...(profile.orders.length > 0 ? [...orderLines(profile.orders), ''] : []),
  ...profile.warnings.map((warning) => `note: ${warning}`),
  `${depthMeaning(profile)}; ${profile.replicates} bootstrap draws, seed ${profile.provenance.run.seed}; inference is to these animals and sites`,
];
