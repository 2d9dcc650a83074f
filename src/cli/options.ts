import { InvalidArgumentError } from 'commander';
import { type Keep, keepable } from '../store/score-outputs.ts';

/** `4GB`, `500MB`, `1.5GiB`, or plain bytes. */
export const parseBytes = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB)?$/.exec(text.trim());
  const units: Readonly<Record<string, number>> = {
    B: 1,
    kB: 1e3,
    KB: 1e3,
    MB: 1e6,
    GB: 1e9,
    TB: 1e12,
    KiB: 2 ** 10,
    MiB: 2 ** 20,
    GiB: 2 ** 30,
  };
  const bytes = match === null ? Number.NaN : Number(match[1]) * units[match[2] ?? 'B']!;
  if (!(bytes >= 1e6))
    throw new InvalidArgumentError('expected a size of at least 1MB, such as 4GB or 500MB.');
  return bytes;
};

/** A path, or a name that may be one: an empty one comes from a shell variable that is not set. */
export const parsePath = (text: string): string => {
  if (text.trim() === '') throw new InvalidArgumentError('expected a path, not an empty text.');
  return text;
};

/** A name; an empty one comes from a shell variable that is not set. */
export const parseText = (text: string): string => {
  if (text.trim() === '') throw new InvalidArgumentError('expected a name, not an empty text.');
  return text;
};

/** A whole number of at least `least`. */
export const parseWhole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least || text.trim() === '')
      throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
    return value;
  };

/** Comma-separated entries, blanks trimmed, none empty; an option that is given again adds to those before. */
export const parseList = (text: string, before: readonly string[] = []): string[] => {
  const entries = text.split(',').map((entry) => entry.trim());
  if (entries.some((entry) => entry === ''))
    throw new InvalidArgumentError('expected entries separated by commas, none of them empty.');
  return [...before, ...entries];
};

/** A time window in ms, `0-100`. */
export const parseWindow = (text: string): { start: number; end: number } => {
  const match = /^(-?\d+(?:\.\d+)?)-(-?\d+(?:\.\d+)?)$/.exec(text.trim());
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (!(start < end))
    throw new InvalidArgumentError('expected start-end in milliseconds, such as 0-100.');
  return { start, end };
};

/** What to keep, each once; an option that is given again adds to those before. */
export const parseKeep = (text: string, before: readonly Keep[] = []): Keep[] => {
  const named = parseList(text).map((entry) => {
    const found = keepable.find((each) => each === entry);
    if (found === undefined)
      throw new InvalidArgumentError(`expected ${keepable.join(', ')}, one or more of them.`);
    return found;
  });
  return [...new Set([...before, ...named])];
};

export const parseNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || text.trim() === '')
    throw new InvalidArgumentError('expected a number.');
  return value;
};

/** Time windows in ms, `50-90,90-130`; an option that is given again adds to those before. */
export const parseWindows = (
  text: string,
  before: readonly { start: number; end: number }[] = [],
): { start: number; end: number }[] => [
  ...before,
  ...parseList(text).map((entry) => parseWindow(entry)),
];
