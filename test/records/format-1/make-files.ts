// Small files of each kind as the first edition writes them. Run in a checkout of revision f5ea128:
// npx tsx make-files.ts FOLDER

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const load = (path: string) => import(pathToFileURL(`${process.cwd()}/${path}`).href);
const { npyParts } = await load('src/formats/npy.ts');
const { createNodeImages } = await load('src/node/images.ts');
const { createRandom } = await load('src/numeric/random.ts');

const folder = process.argv[2]!;
const work = join(folder, 'work');
const [width, height, count, trials] = [16, 12, 24, 3];
const idOf = (index: number): string => `p${String(index).padStart(2, '0')}`;

/** Smooth, so that few bytes hold it. */
const picture = (index: number) => {
  const random = createRandom(`first edition ${index}`);
  const [a, b, c] = [random.next() * 6, random.next() * 6, 1 + random.next()];
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [x, y, channel] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    const wave = Math.sin((c * x) / 3 + a + channel) + Math.cos((c * y) / 2 + b);
    return 16 * Math.round(8 + 3 * wave);
  });
  return { width, height, channels: 3, data };
};

const write = (name: string, array: object): void =>
  writeFileSync(join(work, name), Buffer.concat(npyParts(array)));

/** Responses `[stimulus, trial, site]`: colours of parts of the picture, weighted, and noise. */
const responses = (area: string, sites: number) => {
  const random = createRandom(area);
  const weights: number[] = Array.from({ length: sites * 12 }, random.normal);
  const data = new Float64Array(count * trials * sites);
  for (let image = 0; image < count; image++) {
    const pixels = picture(image).data;
    const drive = Array.from({ length: sites }, (_, site) =>
      Array.from({ length: 12 }, (_, k) => (weights[site * 12 + k]! * pixels[k * 48 + 5]!) / 64),
    ).map((terms) => terms.reduce((sum, each) => sum + each, 0));
    for (let trial = 0; trial < trials; trial++)
      for (let site = 0; site < sites; site++)
        data[(image * trials + trial) * sites + site] = drive[site]! + 0.5 * random.normal();
  }
  return { data, shape: [count, trials, sites] };
};

rmSync(folder, { recursive: true, force: true });
for (const part of ['pictures', 'set/images', 'set/maps'])
  mkdirSync(join(work, part), { recursive: true });
for (let index = 0; index < count; index++) {
  const png = await createNodeImages().encode(picture(index));
  writeFileSync(join(work, 'pictures', `${idOf(index)}.png`), png);
  if (index < 3) writeFileSync(join(work, 'set/images', `${idOf(index)}.png`), png);
}
for (let index = 0; index < 3; index++) {
  const random = createRandom(`map ${index}`);
  const size = width * height;
  const common = Array.from({ length: size }, () => random.next());
  const people = Float32Array.from(
    { length: 4 * size },
    (_, k) => common[k % size]! + random.next(),
  );
  write(`set/maps/${idOf(index)}.npy`, { data: people, shape: [4, height, width] });
}
write('v4.npy', responses('V4', 4));
write('it.npy', responses('IT', 3));
const golden = JSON.parse(readFileSync('test/golden/saliency.json', 'utf8'));
writeFileSync(join(work, 'net.onnx'), Buffer.from(golden.model, 'base64'));
const flat = { resize: { kind: 'none' }, crop: null, interpolation: 'bilinear', library: 'pil' };
const colours = { channels: 'RGB', scale: 1 / 255, mean: [0.5, 0.4, 0.6], std: [0.25, 0.3, 0.2] };
writeFileSync(join(work, 'seen.json'), JSON.stringify({ name: 'seen', ...flat, ...colours }));
const pooled = { kind: 'image', features: 'flatten' };
const ridge = { kind: 'ridge', unit: 'mean-square', choose: 'gcv', perTarget: true };
const own = {
  name: 'mine',
  description: 'ridge, a quarter held out',
  layout: 'image',
  sampling: pooled,
  timeBin: 'best-ceiling',
  regression: { ...ridge, strengths: [0.01, 0.1, 1] },
  folds: { kind: 'k-fold', count: 4, shuffle: true, stratifyBy: null },
  correlation: 'pearson',
  ceiling: { kind: 'split-half', splits: 6, minimumReliability: 0.1 },
  aggregation: 'sites',
  layerChoice: 'nested',
  interval: { level: 0.9, replicates: 100 },
};
writeFileSync(join(work, 'mine.json'), JSON.stringify(own));

const main = join(process.cwd(), 'src/cli/main.ts');
const loader = join(process.cwd(), 'node_modules/tsx/dist/loader.mjs');
const ventral = (line: string): string => {
  const args = ['--import', pathToFileURL(loader).href, main, ...line.split(' ')];
  const env = { ...process.env, VENTRAL_CACHE: join(work, 'cache') };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: work, env });
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
  return stdout.toString();
};
const area = (name: string): string =>
  `data import npy --responses ${name}.npy --dims stimulus,trial,site --stimuli pictures --area ${name.toUpperCase()} --species none --window 70-170 --out ../${name} --quiet`;
ventral(area('v4'));
ventral(area('it'));
const net = 'net.onnx --preprocess seen.json';
const kept = '--keep predictions,layer-predictions,readout --threads 1 --quiet';
const mine = `--protocol mine.json ${kept}`;
const printed: Record<string, string> = {};
printed.score = ventral(`score ${net} --recording ../v4 ${mine} --nulls --curve --out ../v4.json`);
ventral(`score ${net} --recording ../it ${mine} --out ../it.json`);
writeFileSync(
  join(work, 'other.json'),
  JSON.stringify({ ...flat, name: 'other', ...colours, mean: [0, 0, 0], channels: 'BGR' }),
);
ventral(`score net.onnx --preprocess other.json --recording ../v4 ${mine} --out ../other.json`);
printed.profile = ventral('profile ../v4.json ../it.json --out ../profile.json --quiet');
printed.compare = ventral('compare ../v4.json ../other.json');
printed.ceiling = ventral(
  'ceiling ../v4 ../it --protocol mine.json --out ../ceiling.json --threads 1 --quiet',
);
const align = `align ${net} --maps set --threads 1 --quiet`;
printed.alignment = ventral(`${align} --out ../alignment.json`);
printed.given = ventral(`${align} --ceiling 0.8 --out ../given.json`);
printed.saliency = ventral(
  `saliency net.onnx --images set/images --readout ../v4.json --site site1 --out ../saliency --threads 1 --quiet`,
);
for (const name of ['it.json', 'other.json']) rmSync(join(folder, `${name}.readout.npz`));
writeFileSync(join(folder, 'printed.json'), `${JSON.stringify(printed, null, 2)}\n`);
rmSync(work, { recursive: true });
