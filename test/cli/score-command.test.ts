import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { readCsv } from '../../src/formats/csv.ts';
import type { StringArray } from '../../src/formats/npy.ts';
import { npzParts, openNpz } from '../../src/formats/npz.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { mean, pearson } from '../../src/numeric/statistics.ts';
import type { Float32Nd, Float64Nd } from '../../src/records/array.ts';
import type { LayerScore, Score } from '../../src/records/score.ts';
import { aroundOtherFolds } from '../../src/scoring/pooling.ts';
import { ventralVersion } from '../../src/version.ts';
import { temporaryFolder } from '../small-study.ts';
import { cli, cliDone, listing } from './run-cli.ts';
import { images, responsesToPictures, sites, trials, useStudy, writeProtocol } from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const study = useStudy();

const scoring = (...options: string[]): string[] => {
  const { model, recording } = study();
  return ['score', model, '--recording', recording, '--preprocess', 'imagenet-224', ...options];
};
const readScore = (path: string): Score => JSON.parse(readFileSync(path, 'utf8'));

/** The text of a score file without the two fields that may differ between runs. */
const timeless = (path: string): string =>
  readFileSync(path, 'utf8').replace(/"(seconds|startedAt)": .*/g, '');

const readArrays = async (path: string) => {
  const npz = await openNpz(bytesSource(readFileSync(path)), path);
  return {
    names: npz.names,
    numbers: async (name: string) => (await npz.read(name)) as Float64Nd,
    strings: async (name: string) => ((await npz.read(name)) as StringArray).strings,
  };
};

const bestOf = ({ layers, layer }: Score): LayerScore =>
  layers.find((each) => each.layer === layer)!;

const column = ({ data, shape }: Float64Nd, at: number): Float64Array =>
  Float64Array.from({ length: shape[0]! }, (_, row) => data[row * shape[1]! + at]!);

/** Mean over trials, `[stimulus, site]`. */
const meanResponses = (): Float64Nd => {
  const { data } = responsesToPictures();
  const means = Float64Array.from({ length: images * sites }, (_, i) => {
    const [image, site] = [Math.floor(i / sites), i % sites];
    const each = Array.from(
      { length: trials },
      (_, t) => data[(image * trials + t) * sites + site]!,
    );
    return mean(each);
  });
  return { data: means, shape: [images, sites] };
};

describe('ventral score', () => {
  it('with --dry-run prints the plan, and writes nothing but the verdict on the engine to the cache', async () => {
    const { folder } = study();
    const before = listing(folder);
    const cache = process.env.VENTRAL_CACHE!;
    const cached = listing(cache);
    const outputs = ['--out', join(folder, 'dry', 'score.json'), '--csv', join(folder, 'dry.csv')];
    const { stdout, stderr } = await cliDone(...scoring('--dry-run', ...outputs));
    expect(stdout).toContain(`pictures, 70–170 ms: ${images} stimuli, ${images} rows, 4 sites`);
    expect(stdout).toMatch(/^conv1 +400 +1$/m);
    expect(stdout).toMatch(/^conv3 +32 +1$/m);
    expect(stdout).toMatch(
      /^plan: 3 layers, 1 pass .* 10 folds; about \d+ MB of memory and \d+ s$/m,
    );
    expect(stderr).toBe('');
    expect(listing(folder)).toEqual(before);
    // What the engine's sessions were found to be, which the score then takes from there; no layer.
    const added = listing(cache).filter((path) => !cached.includes(path) && path.length > 60);
    expect(added.length).toBeLessThanOrEqual(1);
    for (const path of added)
      expect(readFileSync(join(cache, path), 'utf8').slice(64)).toMatch(
        /^\{"kind":"engine-check","format":2,"value":\{"optimised":true,/,
      );
  });

  it('writes a score, its table, predictions and a readout that agree with each other', async () => {
    const folder = temporaryFolder();
    const [out, csv] = [join(folder, 'new', 'score.json'), join(folder, 'score.csv')];
    const parquet = join(folder, 'score.parquet');
    const tables = ['--csv', csv, '--parquet', parquet];
    const options = ['--out', out, ...tables, '--keep', 'predictions,layer-predictions,readout'];
    const { stdout } = await cliDone(...scoring(...options));
    expect(listing(folder)).toEqual([
      'new',
      'new/score.json',
      'new/score.json.layer-predictions.npz',
      'new/score.json.predictions.npz',
      'new/score.json.readout.npz',
      'score.csv',
      'score.parquet',
    ]);
    const score = readScore(out);
    expect(score.value).toBeGreaterThan(0.8);
    expect(score.ceiling).toBeLessThan(1);
    const row = stdout.split('\n').find((line) => line.startsWith('*'))!;
    expect(row).toMatch(new RegExp(`^\\* +${score.layer} .* ${score.value.toFixed(3)} `));

    const predictions = await readArrays(`${out}.predictions.npz`);
    expect(predictions.names.join(' ')).toBe(
      'kind format recorded predicted stimulus_id fold site_id ceiling drawn_with',
    );
    const ids = await predictions.strings('stimulus_id');
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([images, 'i000', 'i059']);
    expect(await predictions.strings('site_id')).toEqual(['s0', 's1', 's2', 's3']);
    const [recorded, predicted] = [
      await predictions.numbers('recorded'),
      await predictions.numbers('predicted'),
    ];
    const expected = meanResponses();
    expect(recorded.shape).toEqual(expected.shape);
    for (const [i, value] of recorded.data.entries())
      expect(value).toBeCloseTo(expected.data[i]!, 12);
    // Both less the mean of the other folds' rows, on which the row's regression was trained.
    const folds = Int32Array.from((await predictions.numbers('fold')).data);
    const both = aroundOtherFolds({ recorded, predicted }, folds);
    for (const [s, { raw }] of bestOf(score).sites.entries())
      expect(pearson(column(both.recorded, s), column(both.predicted, s))).toBeCloseTo(raw!, 12);

    const ofLayers = await readArrays(`${out}.layer-predictions.npz`);
    const layers = score.layers.map(({ layer }) => layer);
    expect(await ofLayers.strings('layer')).toEqual(layers);
    const stack = await ofLayers.numbers('predicted');
    expect(stack.shape).toEqual([layers.length, images, sites]);
    const at = layers.indexOf(score.layer) * images * sites;
    expect(stack.data.subarray(at, at + images * sites)).toEqual(predicted.data);
    const ceilings = (await ofLayers.numbers('ceiling')).data;
    expect([...ceilings]).toEqual(bestOf(score).sites.map(({ ceiling }) => ceiling));

    const table = readCsv(readFileSync(csv, 'utf8'), csv);
    const cells = new Map(
      table.rows.map((row) => [row.slice(1, -1).join(' | '), Number(row.at(-1))]),
    );
    expect(cells.get(`${score.layer} | ${score.area} | 70-170 |  |  | score`)).toBe(score.value);
    for (const { layer, sites: each } of score.layers)
      for (const { site, raw, value } of each) {
        expect(cells.get(`${layer} | ${score.area} | 70-170 |  | ${site} | raw`)).toBe(raw);
        expect(cells.get(`${layer} | ${score.area} | 70-170 |  | ${site} | score`)).toBe(value);
      }
    const stored = await parquetReadObjects({ file: new Uint8Array(readFileSync(parquet)).buffer });
    expect(stored.map((row) => table.columns.map((name) => String(row[name] ?? '')))).toEqual(
      table.rows,
    );

    const readout = await readArrays(`${out}.readout.npz`);
    expect(await readout.strings('layer')).toEqual([score.layer]);
    expect((await readout.numbers('weights')).shape).toEqual([bestOf(score).features, sites]);
    expect((await readout.numbers('offset')).shape).toEqual([sites]);
  });

  it('writes a score that the published JSON Schema describes', async () => {
    const out = join(temporaryFolder(), 'score.json');
    await cliDone(...scoring('--layers', 'conv3', '--out', out));
    const { stdout } = await cliDone('schema', 'score');
    const schema = z.fromJSONSchema(JSON.parse(stdout));
    const score = readScore(out);
    expect(schema.parse(score)).toEqual(score);
    const { ceiling: _, ...without } = score;
    expect(schema.safeParse({ ...score, more: 1 }).success).toBe(true);
    for (const wrong of [without, { ...score, value: '0.5' }])
      expect(schema.safeParse(wrong).success).toBe(false);
  });

  it('sets nulls beside the score with --nulls, in the plan, the table and the file', async () => {
    const few = ['--nulls', '--permutations', '20'];
    const { stdout: plan } = await cliDone(...scoring('--layers', 'conv3', '--dry-run', '--nulls'));
    expect(plan).toMatch(
      /^nulls: up to 200 permutations of 1 layer, pixels \(1 layer\), random-twin \(3 draws of 1 layer\); at most about \d+ MB/m,
    );
    const out = join(temporaryFolder(), 'score.json');
    const { stdout } = await cliDone(...scoring('--layers', 'conv3', ...few, '--out', out));
    const score = readScore(out);
    expect(score.nulls!.map(({ name }) => name)).toEqual([
      'permuted-stimuli',
      'pixels',
      'random-twin',
    ]);
    for (const { value, difference } of score.nulls!)
      expect(stdout).toMatch(
        new RegExp(` ${value!.toFixed(3)} .* ${difference!.value.toFixed(3)} `, 'm'),
      );
    // The sites are waves in the pixels themselves: pixels do as well as the network.
    const warnings = score.warnings.filter((each) => each.startsWith('the network does not beat'));
    expect(warnings).not.toEqual([]);
    for (const warning of warnings) expect(stdout).toContain(`note: ${warning}`);
    const schema = z.fromJSONSchema(JSON.parse((await cliDone('schema', 'score')).stdout));
    expect(schema.parse(score)).toEqual(score);
    const [first, ...rest] = score.nulls!;
    const wrong = { ...score, nulls: [{ ...first, name: 'another' }, ...rest] };
    expect(schema.safeParse(wrong).success).toBe(false);
  });

  it('keeps a readout whose features · weights + offset is the regression on all rows', async () => {
    const { recording } = study();
    const folder = temporaryFolder();
    const columns = 8;
    const random = createRandom('features');
    const features: Float32Nd = {
      data: Float32Array.from({ length: images * columns }, () => 2 + random.normal()),
      shape: [images, columns],
    };
    const file = join(folder, 'features.npz');
    writeFileSync(file, Buffer.concat(npzParts({ fc: features })));
    // As many components as features make it least squares, whose residuals are orthogonal to every feature.
    const least = writeProtocol({ ...study(), folder }, 'least.json', {
      regression: {
        ...{ kind: 'pls', components: columns, tolerance: 1e-12, maxIterations: 500 },
        ...{ stopping: 'converged', gram: 'float64' },
      },
    });
    const out = join(folder, 'score.json');
    const command = ['score', '--activations', file, '--recording', recording];
    await cliDone(...command, '--protocol', least, '--out', out, '--keep', 'readout');
    const readout = await readArrays(`${out}.readout.npz`);
    const [weights, offset] = [await readout.numbers('weights'), await readout.numbers('offset')];
    const recorded = meanResponses();
    for (let s = 0; s < sites; s++) {
      const residuals = Float64Array.from({ length: images }, (_, i) => {
        let fitted = offset.data[s]!;
        for (let f = 0; f < columns; f++)
          fitted += features.data[i * columns + f]! * weights.data[f * sites + s]!;
        return recorded.data[i * sites + s]! - fitted;
      });
      expect(mean(residuals)).toBeCloseTo(0, 8);
      for (let f = 0; f < columns; f++) {
        const products = residuals.map((each, i) => each * features.data[i * columns + f]!);
        expect(mean(products)).toBeCloseTo(0, 8);
      }
    }
  });

  it('writes plain text where there is no terminal, and nothing on standard error when quiet', async () => {
    const loud = await cliDone(...scoring());
    expect(loud.stderr).toMatch(/^plan: 3 layers.*\n$/);
    const quiet = await cliDone(...scoring('--quiet'));
    expect(quiet.stderr).toBe('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(loud.stdout + loud.stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    const untimed = ({ stdout }: { stdout: string }) => stdout.replace(/, [^,]+ s\n$/, '');
    expect(untimed(quiet)).toBe(untimed(loud));
  });

  it('takes layers by globs, in the order of the network', async () => {
    const layersOf = async (globs: string): Promise<string[]> => {
      const { stdout } = await cliDone(...scoring('--dry-run', '--layers', globs));
      return [...stdout.matchAll(/^(\S+) +\d+ +1(?: +done before)?$/gm)].map(([, name]) => name!);
    };
    expect(await layersOf('conv3,conv1')).toEqual(['conv1', 'conv3']);
    expect(await layersOf('conv?')).toEqual(['conv1', 'conv2', 'conv3']);
    expect(await layersOf('*2')).toEqual(['conv2']);
    expect((await layersOf('*')).length).toBe(6);
  });

  it('takes a printed protocol back as a file, with the same result', async () => {
    const folder = temporaryFolder();
    const { stdout } = await cliDone('protocols', 'image-cv');
    writeFileSync(join(folder, 'mine.json'), stdout);
    const [named, filed] = [join(folder, 'named.json'), join(folder, 'filed.json')];
    const options = ['--layers', 'conv3', '--out'];
    await cliDone(...scoring(...options, named, '--protocol', 'image-cv'));
    await cliDone(...scoring(...options, filed, '--protocol', join(folder, 'mine.json')));
    expect(timeless(filed)).toBe(timeless(named));
  });

  it('gives the same with other numbers of threads, which the file says', async () => {
    const folder = temporaryFolder();
    const cache = process.env.VENTRAL_CACHE;
    const withThreads = async (threads: number): Promise<string> => {
      process.env.VENTRAL_CACHE = join(folder, `cache ${threads}`);
      const out = join(folder, `${threads}.json`);
      await cliDone(...scoring('--threads', String(threads), '--out', out));
      return timeless(out);
    };
    try {
      const [one, two] = [await withThreads(1), await withThreads(2)];
      expect(two).toContain('"threads": 2,');
      expect(two.replace('"threads": 2,', '"threads": 1,')).toBe(one);
    } finally {
      process.env.VENTRAL_CACHE = cache;
    }
  });

  it('goes on without a cache that cannot be written, and says so once', async () => {
    const cache = process.env.VENTRAL_CACHE;
    process.env.VENTRAL_CACHE = join(study().model, 'cache');
    try {
      const { code, stderr } = await cli(...scoring());
      expect(code).toBe(0);
      expect(stderr.match(/note: finished layers are not kept for a next run/g)?.length).toBe(1);
    } finally {
      process.env.VENTRAL_CACHE = cache;
    }
  });
});

describe('the other commands', () => {
  it('prints its version', async () => {
    expect(await cli('--version')).toEqual({ code: 0, stdout: `${ventralVersion}\n`, stderr: '' });
  });

  it('lists layers as a table and as JSON', async () => {
    const { stdout } = await cliDone('layers', study().model);
    expect(stdout).toMatch(/^conv2 +Conv +6×8×8 +384$/m);
    const json = JSON.parse((await cliDone('layers', study().model, '--json')).stdout);
    expect(json).toHaveLength(3);
    expect(json[1]).toEqual({
      name: 'conv2',
      tensor: '/relu2/Relu_output_0',
      operation: 'Conv',
      shape: [6, 8, 8],
      rearranged: null,
      axes: 'channel-row-column',
      prefixTokens: 0,
      features: 384,
    });
  });

  it('lists the protocols', async () => {
    const { stdout } = await cliDone('protocols');
    for (const name of ['image-cv', 'grid-cv', 'linsley2023', 'linsley2023-code'])
      expect(stdout).toMatch(new RegExp(`^${name} +(image|grid) `, 'm'));
    // What the hashed descriptions leave open is said of those that pool over folds, and of no others.
    const around = stdout.split('\n').filter((line) => line.includes('less the mean of the rows'));
    expect(around.map((line) => line.split(' ')[0])).toEqual(['ventral', 'image-cv']);
  });
});
