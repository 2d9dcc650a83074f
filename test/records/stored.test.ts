import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { npzParts } from '../../src/formats/npz.ts';
import { decodeEntry, encodeEntry } from '../../src/records/cache-entry.ts';
import { loosened } from '../../src/records/loosened.ts';
import { parseStored } from '../../src/records/stored.ts';
import { recordingFile, scoreFile } from '../../src/records/stored-kinds.ts';
import { getDraws, putDraws } from '../../src/store/draws-cache.ts';
import { getFit, putFit } from '../../src/store/layer-cache.ts';
import { readPredictions } from '../../src/store/score-files.ts';
import { madeScore } from '../made-score.ts';
import { memoryCache } from '../memory-cache.ts';
import { createMemoryFiles } from '../memory-files.ts';

const score = madeScore();
const parsed = (change: object) => () =>
  parseStored(scoreFile, JSON.stringify({ ...score, ...change }), 's.json');

describe('a file that ventral wrote', () => {
  it('keeps fields that this version does not know, wherever they are', () => {
    const { provenance, layers, protocol } = score;
    const later = {
      ...score,
      further: { a: [1] },
      layers: [{ ...layers[0]!, energy: 3 }],
      protocol: { ...protocol, folds: { ...protocol.folds, blocks: 4 } },
      provenance: {
        ...provenance,
        cluster: 'x',
        run: { ...provenance.run, memory: 1e9 },
        inputs: provenance.inputs.map((input) => ({ ...input, licence: 'CC' })),
      },
    };
    const found = parseStored(scoreFile, JSON.stringify(later), 's.json');
    expect(JSON.parse(JSON.stringify(found))).toEqual(JSON.parse(JSON.stringify(later)));
  });

  it('is refused by name where a newer version wrote it in another format', () => {
    expect(parsed({ format: 3 })).toThrow(
      's.json: expected format 2 or older, got a file that was written by a newer ventral (format 3, this one reads up to 2); update ventral',
    );
  });

  it('is refused where it is of another kind, has no whole number for its format, or a field is ill-typed', () => {
    expect(parsed({ kind: 'depth-profile' })).toThrow(
      's.json: kind: expected "neural-predictivity", got "depth-profile"',
    );
    expect(parsed({ kind: undefined })).toThrow('s.json: kind: expected');
    for (const format of ['2', 0, 1.5]) expect(parsed({ format })).toThrow('s.json: format');
    expect(parsed({ value: 'high' })).toThrow('s.json: value: expected a value of type number');
    expect(parsed({ layers: [{}] })).toThrow('s.json: layers[0].layer');
    expect(() => parseStored(scoreFile, '[]', 's.json')).toThrow('s.json: expected');
    const silent = { ...score.provenance, inputs: score.provenance.inputs.slice(0, 2) };
    expect(parsed({ provenance: silent })).toThrow(
      'expected inputs with the roles recording, stimuli, protocol',
    );
  });

  it('says in recording.json what it is, or what the first format said', () => {
    const header = { name: 'r', species: 'none', dims: ['stimulus', 'site'], grid: null, unit: '' };
    const rest = { sites: [{ id: 'a', area: 'V4' }], timeBins: [{ start: 0, end: 1 }] };
    const all = { ...header, ...rest, licence: null, citation: null, notes: [] };
    const read = (head: object) =>
      parseStored(recordingFile, JSON.stringify({ ...head, ...all }), 'recording.json');
    expect(read({ format: 'ventral-recording', version: 1 })).toEqual(
      read({ kind: 'recording', format: 2 }),
    );
    expect(() => read({ format: 'ventral-recording', version: 2 })).toThrow('version: expected 1');
    expect(() => read({ kind: 'recording', format: 3 })).toThrow('newer ventral');
    expect(() => read({})).toThrow('recording.json: kind: expected "recording", got nothing');
  });
});

describe('a schema that knows only its own fields', () => {
  const inner = z.strictObject({ a: z.number() }).describe('inner');
  const strict = z.strictObject({
    list: z.array(inner).readonly(),
    either: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('x'), x: z.number() }),
      z.strictObject({ kind: z.literal('y') }),
    ]),
    maybe: inner.nullable().default(null),
    record: z.record(z.string(), inner).optional(),
    even: inner.refine(({ a }) => a % 2 === 0, { error: 'expected an even a' }),
  });
  const value = {
    list: [{ a: 1, b: 2 }],
    either: { kind: 'x', x: 1, z: 2 },
    maybe: { a: 1, b: 3 },
    record: { r: { a: 1, b: 4 } },
    even: { a: 2, b: 5 },
    more: 6,
  };

  it('keeps all others when it is loosened, and still checks its own', () => {
    expect(strict.safeParse(value).success).toBe(false);
    expect(loosened(strict).parse(value)).toEqual(value);
    const { maybe: _, ...without } = value;
    expect(loosened(strict).parse(without)).toMatchObject({ maybe: null });
    expect(loosened(strict).safeParse({ ...value, list: [{}] }).success).toBe(false);
    expect(loosened(strict).safeParse({ ...value, even: { a: 1 } }).success).toBe(false);
    expect(loosened(inner).description).toBe('inner');
  });
});

describe('what is kept beside a score', () => {
  const archive = (kind: string, format: number) => {
    const one = { data: Float64Array.of(1), shape: [1, 1] };
    const text = { strings: ['a'], shape: [1] };
    const parts = npzParts({
      ...{ kind: { strings: [kind], shape: [1] } },
      ...{ format: { data: Int32Array.of(format), shape: [1] } },
      ...{ recorded: one, predicted: one, stimulus_id: text, site_id: text },
      fold: { data: Int32Array.of(0), shape: [1] },
    });
    return createMemoryFiles({ 's.json.predictions.npz': new Uint8Array(Buffer.concat(parts)) });
  };

  it('is refused where it is of another kind or a newer version', async () => {
    expect((await readPredictions('s.json', archive('predictions', 2)))!.siteIds).toEqual(['a']);
    await expect(readPredictions('s.json', archive('readout', 2))).rejects.toThrow(
      's.json.predictions.npz: kind: expected "predictions", got "readout"',
    );
    await expect(readPredictions('s.json', archive('predictions', 3))).rejects.toThrow(
      'written by a newer ventral (format 3',
    );
  });
});

describe('entries of the cache', () => {
  const line = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

  it('are read in both formats, and passed by where a later version or another kind wrote them', () => {
    expect(decodeEntry('engine-check', encodeEntry('engine-check', null))).toEqual({ value: null });
    expect(decodeEntry('engine-check', line(0.5))).toEqual({ value: 0.5 });
    expect(decodeEntry('engine-check', line({ error: 1 }))).toEqual({ value: { error: 1 } });
    expect(decodeEntry('draws', encodeEntry('layer-fit', {}))).toBeNull();
    expect(decodeEntry('draws', line({ kind: 'draws', format: 3, value: 1 }))).toBeNull();
  });

  it('give back fits and draws to the last bit', async () => {
    const cache = memoryCache();
    const predictions = { data: Float64Array.of(0.1, Number.NaN, -0), shape: [1, 3, 1] };
    const fit = {
      ...{ features: 2, predictions, selectionValues: [[0.5, null]], arithmetic: 'gram' },
      ...{ alphas: null, warnings: [] },
    };
    await putFit(cache, 'fit', fit);
    expect(await getFit(cache, 'fit')).toEqual(fit);
    const bare = new Uint8Array([
      ...line({ ...fit, predictions: undefined, shape: [1, 3, 1] }),
      10,
      ...new Uint8Array(predictions.data.buffer),
    ]);
    await cache.put('first', bare);
    expect(await getFit(cache, 'first')).toEqual(fit);
    const draws = { layers: 1, draws: [{ value: 0.5, raw: null }], perFold: null };
    await putDraws(cache, 'draws', draws);
    expect(await getDraws(cache, 'draws')).toEqual(draws);
    await putDraws(cache, 'fold', { ...draws, perFold: { values: [[1]], predictions } });
    expect((await getDraws(cache, 'fold'))!.perFold!.predictions).toEqual(predictions);
    const later = line({ kind: 'layer-fit', format: 3, value: {} });
    await cache.put('later', new Uint8Array([...later, 10]));
    expect(await getFit(cache, 'later')).toBeNull();
  });
});
