import type { AreaProfile, Profile } from '../records/profile.ts';
import { seriesColours } from './colours.ts';
import { pageStyle } from './page-style.ts';
import { depthMeaning, orderVerdict, resampledText } from './profile.ts';
import { drawing, escaped, frameOf, margin, scale, short, width } from './svg-charts.ts';

const height = 300;
/** Room below the frame: bars of the areas, ticks, the name of the axis. */
const foot = 56;

const depthText = (depth: number | null): string => (depth === null ? '–' : depth.toFixed(2));

const rangeText = (range: { readonly low: number; readonly high: number } | null): string =>
  range === null ? '' : ` [${depthText(range.low)}, ${depthText(range.high)}]`;

/** Scores of the areas along relative depth; a ring marks each peak, a bar at the foot the interval of its depth. */
const chart = ({ layers, areas }: Profile, colours: readonly string[]): string => {
  const values = areas.flatMap((area) => area.values.filter((value) => value !== null));
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const frame = frameOf(low, high + 0.05 * (high - low), height, 'score', foot);
  const x = scale(0, 1, margin.left + 8, width - margin.right - 8);
  const lines = areas.map((area, index) => areaLine(area, layers, colours[index]!, x, frame.y));
  const bars = areas.map((area, index) =>
    intervalBar(area, colours[index]!, x, height - foot + 8 + (12 * index) / areas.length),
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (depth) =>
      `<text x="${short(x(depth))}" y="${height - 18}" text-anchor="middle">${depth}</text>`,
  );
  const name = `<text x="${width - margin.right}" y="${height - 4}" text-anchor="end">relative depth of the layer</text>`;
  return drawing(
    height,
    'score by depth',
    [frame.lines, ...ticks, name, ...bars, ...lines].join(''),
  );
};

const intervalBar = (
  { name, peak }: AreaProfile,
  colour: string,
  x: (depth: number) => number,
  y: number,
): string => {
  if (peak.interval === null) return '';
  const { low, high } = peak.interval;
  const title = escaped(`${name}, peak between ${depthText(low)} and ${depthText(high)}`);
  // An interval of no length is still to be seen.
  return `<line x1="${short(x(low) - 2)}" x2="${short(x(high) + 2)}" y1="${short(y)}" y2="${short(y)}" stroke="${colour}" stroke-width="3"><title>${title}</title></line>`;
};

const areaLine = (
  { name, values, peak }: AreaProfile,
  layers: Profile['layers'],
  colour: string,
  x: (depth: number) => number,
  y: (value: number) => number,
): string => {
  const points = layers.flatMap(({ layer, depth }, index) => {
    const value = values[index]!;
    return value === null ? [] : [{ layer, at: short(x(depth)), value }];
  });
  const line = points.map(({ at, value }) => `${at},${short(y(value))}`).join(' ');
  const dots = points.map(({ layer, at, value }) => {
    const ring =
      layer === peak.layer ? ` stroke="${colour}" stroke-width="6" stroke-opacity="0.35"` : '';
    const title = escaped(`${name}, ${layer}: ${value.toFixed(3)}`);
    return `<circle cx="${at}" cy="${short(y(value))}" r="3.5" fill="${colour}"${ring}><title>${title}</title></circle>`;
  });
  return `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`;
};

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table><tr>${heads.map((head) => `<th>${escaped(head)}</th>`).join('')}</tr>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`)
    .join('')}</table>`;

/** A profile as one page that needs nothing beside itself: no script, no style sheet, no address to fetch. */
export const profilePage = (profile: Profile): string => {
  const { candidate, layers, areas, orders, warnings, replicates, provenance } = profile;
  const colours = seriesColours(areas.length);
  const keys = areas.map(
    ({ name }, index) =>
      `<span class="key"><i style="background:${colours[index]!}"></i>${escaped(name)}</span>`,
  );
  const areaRows = areas.map((area) => [
    area.name,
    `${area.recording.name}, ${area.timeBin.start}–${area.timeBin.end} ms`,
    area.peak.layer,
    `${depthText(area.peak.depth)}${rangeText(area.peak.interval)}`,
    `${depthText(area.centreOfMass.depth)}${rangeText(area.centreOfMass.interval)}`,
    resampledText(area),
  ]);
  const orderRows = orders.map((order) => [
    order.statistic,
    `${order.first}, ${order.second}`,
    `${depthText(order.difference)}${rangeText(order.interval)}`,
    `${order.earlier.toFixed(3)}, ${order.tie.toFixed(3)}, ${order.later.toFixed(3)}`,
    order.adjusted.toFixed(4),
    orderVerdict(order),
  ]);
  const layerRows = layers.map(({ layer, depth }, index) => [
    depthText(depth),
    layer,
    ...areas.map(({ values }) => values[index]?.toFixed(3) ?? '–'),
  ]);
  const orderTable =
    orderRows.length === 0
      ? ''
      : `<h2>Order</h2>${table(['by', 'areas', 'difference of depth', 'P(first earlier, tie, second earlier)', 'p (Holm)', 'verdict'], orderRows)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(candidate)} along its depth – ventral</title><style>${pageStyle}</style></head><body>
<h1>${escaped(candidate)}</h1><p class="soft">Scores along the depth of the network ${keys.join(' ')}</p>
${chart(profile, colours)}
<h2>Areas</h2>${table(['area', 'recording', 'peak', 'depth', 'centre of mass', 'resampled'], areaRows)}
${orderTable}
<h2>Layers</h2>${table(['depth', 'layer', ...areas.map(({ name }) => name)], layerRows)}
${warnings.map((warning) => `<p>${escaped(warning)}</p>`).join('')}
<p class="soft">${escaped(depthMeaning(profile))}. 95 % intervals of ${replicates} bootstrap draws, seed ${provenance.run.seed}. Inference is to these animals and sites.</p>
</body></html>
`;
};
