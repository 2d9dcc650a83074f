import { quantile } from '../numeric/statistics.ts';
import type { TimeBin } from '../records/recording.ts';

/** Text for markup: nothing in it is taken for a tag or a quote. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

export const width = 720;
export const margin = { left: 52, right: 12, top: 12, bottom: 34 };

/** About four round numbers from `low` to `high`. */
export const ticksOf = (low: number, high: number): number[] => {
  const span = high - low;
  if (!(span > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => span / each <= 5)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) =>
    Number(((first + k) * step).toFixed(10)),
  );
};

export const scale =
  (low: number, high: number, from: number, to: number) =>
  (value: number): number =>
    from + ((value - low) / (high - low || 1)) * (to - from);

export const short = (value: number): string => value.toFixed(1).replace(/\.0$/, '');

/** Values of several sites in each bin, to be shown as their median and quartiles. */
export interface Course {
  readonly name: string;
  readonly colour: string;
  readonly bins: readonly { readonly bin: TimeBin; readonly values: readonly number[] }[];
}

export interface Frame {
  readonly height: number;
  readonly y: (value: number) => number;
  readonly lines: string;
}

export const frameOf = (
  low: number,
  high: number,
  height: number,
  title: string,
  bottom = margin.bottom,
): Frame => {
  const y = scale(low, high, height - bottom, margin.top);
  const lines = ticksOf(low, high)
    .map(
      (tick) =>
        `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${short(y(tick))}" y2="${short(y(tick))}"/>` +
        `<text x="${margin.left - 8}" y="${short(y(tick) + 4)}" text-anchor="end">${tick}</text>`,
    )
    .join('');
  const name = `<text x="${margin.left - 40}" y="${height / 2}" text-anchor="middle" transform="rotate(-90 ${margin.left - 40} ${height / 2})">${escaped(title)}</text>`;
  return { height, y, lines: lines + name };
};

export const drawing = (height: number, label: string, content: string): string =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(label)}">${content}</svg>`;

const paths = (
  { name, colour, bins }: Course,
  x: (time: number) => number,
  frame: Frame,
): string => {
  const there = bins.filter(({ values }) => values.length > 0);
  const points = there.map(({ bin, values }) => ({
    at: short(x((bin.start + bin.end) / 2)),
    bin,
    quartiles: [0.25, 0.5, 0.75].map((p) => quantile(values, p)),
  }));
  const at = (k: number) =>
    points.map((point) => `${point.at},${short(frame.y(point.quartiles[k]!))}`);
  const band = [...at(0), ...at(2).reverse()].join(' ');
  const dots = points.map(({ bin, quartiles }, index) => {
    const title = `${name}, ${bin.start}–${bin.end} ms: median ${quartiles[1]!.toPrecision(3)}, quartiles ${quartiles[0]!.toPrecision(3)} to ${quartiles[2]!.toPrecision(3)}`;
    const [cx, cy] = at(1)[index]!.split(',');
    return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"><title>${escaped(title)}</title></circle>`;
  });
  return (
    `<polygon points="${band}" fill="${colour}" opacity="0.18"/>` +
    `<polyline points="${at(1).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>${dots.join('')}`
  );
};

/** Median over sites (line) and quartiles (band) in each time bin; `least` is shown at any rate. */
export const courseChart = (courses: readonly Course[], title: string, least: number): string => {
  const bins = courses[0]?.bins.map(({ bin }) => bin) ?? [];
  const quartiles = courses.flatMap((course) =>
    course.bins.flatMap(({ values }) =>
      values.length === 0 ? [] : [0.25, 0.75].map((p) => quantile(values, p)),
    ),
  );
  const [low, high] = [Math.min(least, ...quartiles), Math.max(least, ...quartiles)];
  const frame = frameOf(low, high + 0.05 * (high - low), 240, title);
  const starts = bins.map(({ start }) => start);
  const end = Math.max(...bins.map((bin) => bin.end));
  const x = scale(Math.min(...starts), end, margin.left, width - margin.right);
  const few = bins.length > 12 ? ticksOf(Math.min(...starts), end) : [...starts, end];
  const below = few
    .map(
      (time) => `<text x="${short(x(time))}" y="${240 - 14}" text-anchor="middle">${time}</text>`,
    )
    .join('');
  const name = `<text x="${width - margin.right}" y="${240 - 1}" text-anchor="end">ms from stimulus onset</text>`;
  const lines = courses.map((course) => paths(course, x, frame)).join('');
  return drawing(240, title, frame.lines + below + name + lines);
};

/** A value with its own name and colour. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly colour: string;
}

/** One bar each, in the order given, from 0; names are tooltips. */
export const barChart = (bars: readonly Bar[], title: string): string => {
  const height = 174;
  const values = bars.map(({ value }) => value);
  const frame = frameOf(Math.min(0, ...values), Math.max(0, ...values) || 1, height, title, 8);
  const step = Math.min(24, (width - margin.left - margin.right) / bars.length);
  const drawn = bars.map(({ name, value, colour }, index) => {
    const [top, bottom] = [frame.y(Math.max(0, value)), frame.y(Math.min(0, value))];
    const label = `${name}: ${value.toFixed(3)}`;
    return `<rect x="${short(margin.left + index * step)}" y="${short(top)}" width="${Math.max(0.5, step * 0.8).toFixed(1)}" height="${short(bottom - top)}" fill="${colour}"><title>${escaped(label)}</title></rect>`;
  });
  return drawing(height, title, frame.lines + drawn.join(''));
};
