import { encodeText } from '../formats/text.ts';
import { inferFacts } from '../graph/facts.ts';
import type { ModelStructure } from '../graph/read.ts';
import { createRandom } from '../numeric/random.ts';
import type { Float32Nd, NdArray } from '../records/array.ts';
import { decodeEntry, encodeEntry } from '../records/cache-entry.ts';
import { VentralError } from '../records/errors.ts';
import type { EngineSession, Feed, Ports } from '../records/ports.ts';
import type { EngineCheck } from '../records/provenance.ts';

// An optimiser that merges operations may change what a network computes, and which tensors are outputs changes what is
// merged: so every session is held against the same session without optimisation.

/** Of e, for float32 and for half precision. */
export const SINGLE_LIMIT = 1e-4;
const HALF_LIMIT = 1e-2;

const INTEGER = /^(DynamicQuantizeLinear|QuantizeLinear|QLinear.*|QGemm|.*Integer(ToFloat)?)$/;

const isHalf = (type: string): boolean => type === 'float16' || type === 'bfloat16';

/** Whether a network computes with 8-bit integers, whose rounding no tolerance of floats fits. */
export const isInteger = ({ nodes }: ModelStructure): boolean =>
  nodes.some(({ op }) => INTEGER.test(op));

/**
 * The largest e (`engineCheckSchema`) that is rounding: 1e-4, of half precision 1e-2; of integer networks, in which a
 * step of rounding is as large as what it rounds, null.
 */
export const errorLimit = (structure: ModelStructure): number | null => {
  if (isInteger(structure)) return null;
  const { initialisers } = structure;
  if (initialisers.some(({ type }) => isHalf(type))) return HALF_LIMIT;
  return [...inferFacts(structure, {}).values()].some(({ type }) => isHalf(type))
    ? HALF_LIMIT
    : SINGLE_LIMIT;
};

/**
 * Two inputs at full contrast as levels `[height, width, 3]`, 0 to 255: every value black or white by chance, and smooth
 * waves. Neither has areas of one value, in which a maximum would be a tie that rounding decides.
 */
export const contrastImages = (height: number, width: number): readonly Float32Nd[] => {
  const random = createRandom('contrast');
  const shape = [height, width, 3];
  const intensities = (value: (y: number, x: number, channel: number) => number): Float32Nd => ({
    data: Float32Array.from({ length: height * width * 3 }, (_, i) =>
      value(Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3),
    ),
    shape,
  });
  return [
    intensities(() => 255 * random.int(2)),
    intensities((y, x, channel) => {
      const wave = Math.sin(0.7 * x + channel) * Math.cos(0.5 * y - channel);
      return Math.round(127.5 + 127.5 * wave);
    }),
  ];
};

/**
 * e = ‖a − b‖ / ‖b − mean(b)‖ over the values of a tensor in several runs; of a constant b, by its size. Infinity where
 * shapes differ or a alone is not finite; null where b is not finite, which is reported where values are read.
 */
export const relativeDifference = (a: readonly NdArray[], b: readonly NdArray[]): number | null => {
  if (a.length !== b.length || a.some(({ data }, run) => data.length !== b[run]!.data.length))
    return Number.POSITIVE_INFINITY;
  let [count, sum] = [0, 0];
  for (const { data } of b) {
    count += data.length;
    for (const value of data) sum += Number(value);
  }
  const mean = count === 0 ? 0 : sum / count;
  let [difference, spread] = [0, 0];
  b.forEach(({ data }, run) => {
    const other = a[run]!.data;
    for (let i = 0; i < data.length; i++) {
      const value = Number(data[i]!);
      difference += (Number(other[i]!) - value) ** 2;
      spread += (value - mean) ** 2;
    }
  });
  if (!Number.isFinite(spread)) return null;
  if (difference === 0) return 0;
  if (!Number.isFinite(difference)) return Number.POSITIVE_INFINITY;
  return Math.sqrt(difference / (spread > 0 ? spread : count * mean ** 2));
};

/** What a session gives in each of several runs, by output. */
export type Runs = ReadonlyMap<string, readonly NdArray[]>;

export type Feeds = Readonly<Record<string, Feed>>;

/** Null where the engine refuses, which is an answer here. */
const unlessRefused = async <T>(work: () => Promise<T>): Promise<T | null> => {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof VentralError && thrown.kind === 'engine') return null;
    throw thrown;
  }
};

/** Runs an open session once for each of `feeds`; null where the engine refuses. */
export const runsIn = (session: EngineSession, feeds: readonly Feeds[]): Promise<Runs | null> =>
  unlessRefused(async () => {
    const runs = new Map<string, NdArray[]>();
    for (const feed of feeds)
      for (const [name, array] of Object.entries((await session.run(feed)).fetched))
        runs.set(name, [...(runs.get(name) ?? []), array]);
    return runs;
  });

/** Opens, runs once for each of `feeds`, and releases; null where the engine refuses. */
export const runsOf = async (
  open: () => Promise<EngineSession>,
  feeds: readonly Feeds[],
): Promise<Runs | null> => {
  const session = await unlessRefused(open);
  if (session === null) return null;
  try {
    return await runsIn(session, feeds);
  } finally {
    await session.release();
  }
};

export type CheckPorts = Pick<Ports, 'engine' | 'cache' | 'hash'>;

/** Raised when the comparison changes, so that old verdicts are never used. */
const recipe = 1;

/** What was found before under these conditions, or `find`s it and keeps it. It must survive JSON. */
export const keptVerdict = async <T>(
  { cache, hash, engine }: CheckPorts,
  conditions: readonly unknown[],
  find: () => Promise<T>,
): Promise<T> => {
  const key = await hash.sha256([
    encodeText(JSON.stringify(['engine check', recipe, engine.version, engine.device, conditions])),
  ]);
  const entry = await cache.get(key);
  const kept = entry === null ? null : decodeEntry<T>('engine-check', entry);
  if (kept !== null) return kept.value;
  const found = await find();
  await cache.put(key, encodeEntry('engine-check', found));
  return found;
};

/** What a comparison found of one session. Survives JSON. */
export interface Verdict {
  /** Whether the session may run optimised. */
  readonly optimised: boolean;
  /** `differs`: beyond the limit; `refused`: it only opens unoptimised; `alone`: only optimised, without a comparison. */
  readonly reason: 'differs' | 'refused' | 'alone' | null;
  /** Largest e; null where there is none, or it is infinite. */
  readonly error: number | null;
  /** Where it is. */
  readonly at: string | null;
}

/** Compares runs of outputs, each with its name for messages. */
export const verdictOf = (
  optimised: Runs | null,
  plain: Runs | null,
  names: ReadonlyMap<string, string>,
  limit: number | null,
): Verdict => {
  if (plain === null) return { optimised: true, reason: 'alone', error: null, at: null };
  if (optimised === null) return { optimised: false, reason: 'refused', error: null, at: null };
  let worst: { readonly error: number; readonly at: string } | null = null;
  for (const [output, at] of names) {
    const error = relativeDifference(optimised.get(output) ?? [], plain.get(output) ?? []);
    if (error !== null && (worst === null || error > worst.error)) worst = { error, at };
  }
  const isFine = limit === null || worst === null || worst.error <= limit;
  return {
    optimised: isFine,
    reason: isFine ? null : 'differs',
    error: worst !== null && Number.isFinite(worst.error) ? worst.error : null,
    at: worst?.at ?? null,
  };
};

const short = (names: readonly string[]): string =>
  names.length === 1
    ? names[0]!
    : `${names.length} layers (${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''})`;

/** In words, for a session that reads `names`; null where there is nothing to say. */
const noteOf = ({ reason, error, at }: Verdict, names: readonly string[]): string | null => {
  const run = `${short(names)}: run unoptimised`;
  switch (reason) {
    case 'differs':
      return `onnxruntime's optimiser changes ${at} (by ${error?.toExponential(1) ?? 'all'} of its spread); ${run}`;
    case 'refused':
      return `onnxruntime's optimiser refuses what runs without it; ${run}`;
    case 'alone':
      return `onnxruntime runs ${short(names)} only optimised: not compared with an unoptimised run`;
    default:
      return null;
  }
};

const classNote = (share: number): string =>
  `of an integer network, the optimised engine and the unoptimised give ${Math.floor(100 * share)} % of inputs the same class`;

/** Several sessions, each with its verdict and the layers or tensors that it reads, as a record and in words. */
export const summaryOf = (
  sessions: readonly { readonly verdict: Verdict; readonly names: readonly string[] }[],
  limit: number | null,
  equalClasses: number | null,
): { readonly engineCheck: EngineCheck; readonly notes: readonly string[] } => {
  const compared = sessions.flatMap(({ verdict: { optimised, error, at } }) =>
    optimised && error !== null ? [{ error, at }] : [],
  );
  const worst = compared.reduce<(typeof compared)[number] | null>(
    (most, each) => (most === null || each.error > most.error ? each : most),
    null,
  );
  const notes = sessions.map(({ verdict, names }) => noteOf(verdict, names));
  return {
    engineCheck: {
      limit,
      error: worst?.error ?? null,
      at: worst?.at ?? null,
      sessions: sessions.length,
      unoptimised: sessions.flatMap(({ verdict, names }) => (verdict.optimised ? [] : names)),
      equalClasses,
    },
    notes: [
      ...new Set(notes.filter((note) => note !== null)),
      ...(equalClasses === null || equalClasses === 1 ? [] : [classNote(equalClasses)]),
    ],
  };
};
