import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CatalogueEntry,
  catalogue,
  catalogueEntry,
  catalogueSeries,
} from '../../src/data/catalogue.ts';
import { download } from '../../src/data/download.ts';
import { type FetchPorts, fetchEntry, fetchRecording } from '../../src/data/fetch.ts';
import { npyParts } from '../../src/formats/npy.ts';
import { readRecording } from '../../src/formats/recording.ts';
import { zipParts } from '../../src/formats/zip-write.ts';
import { createNodeHdf5 } from '../../src/node/hdf5.ts';
import { createNodeHttp } from '../../src/node/http.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { createNodeLocks } from '../../src/node/locks.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { stoppedError } from '../../src/records/errors.ts';
import type { Http, ProgressEvent } from '../../src/records/ports.ts';
import { storageLine } from '../contracts/contract.ts';
import { inputLine } from '../formats/failure.ts';
import { type LocalServer, type Served, startCuttingServer, startServer } from '../http-server.ts';
import { bytesOf, humanMapsGolden } from '../human-maps-golden.ts';
import { createMemoryFiles, createMemoryHash, type MemoryFiles } from '../memory-files.ts';
import { temporaryFolder } from '../small-study.ts';

const images = createNodeImages();
const random = createRandom('fetch');
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.int(256));
const joined = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const digest = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest('hex');

let server: LocalServer;
let http: Http;
let files: MemoryFiles;
let said: string[];
let events: ProgressEvent[];
let pauses: number[];
let ports: FetchPorts;

beforeEach(async () => {
  server = await startServer();
  const node = createNodeHttp({ environment: {}, silence: 2000 });
  pauses = [];
  http = { ...node, pause: async (milliseconds) => void pauses.push(milliseconds) };
  files = createMemoryFiles();
  [said, events] = [[], []];
  ports = {
    http,
    files,
    images,
    hash: createMemoryHash(files),
    progress: (event) => events.push(event),
    checkStop: () => undefined,
    say: (line) => said.push(line),
    now: () => 0,
    hdf5: createNodeHdf5(),
    locks: { take: async () => async () => undefined },
  };
});
afterEach(async () => {
  http.close();
  await server.close();
});

const serve = (path: string, served: Served): string => {
  server.files.set(path, served);
  return `${server.address}/${path}`;
};
const get = (address: string, bytes: number | null = null): Promise<void> =>
  download(address, 'got/file', bytes, ports);

describe('download', () => {
  const bytes = noise(5000);
  const arrived = async (): Promise<void> => {
    expect(await files.read('got/file')).toEqual(bytes);
    expect(files.tree()).toEqual(['got/', 'got/file']);
  };

  it('brings a file, with its progress', async () => {
    await get(serve('f', { bytes, etag: '"1"' }), 5000);
    await arrived();
    expect(events.at(-1)).toEqual({ task: 'file', done: 5, total: 5, unit: 'kB' });
    expect(said).toEqual([]);
  });

  it.each([0, 1, 2, 1234, 4998, 4999])('goes on after a cut behind byte %i', async (cut) => {
    const etag = '"1"';
    await get(serve('f', { bytes, etag, cut: (request) => (request === 0 ? cut : null) }));
    await arrived();
    expect(server.asked.map(({ range }) => range)).toEqual([null, cut ? `bytes=${cut}-` : null]);
    expect(said).toHaveLength(1);
    expect(pauses).toEqual([500]);
  });

  it('goes on through any number of cuts that bring something', async () => {
    await get(serve('f', { bytes, etag: '"1"', cut: () => 1 + random.int(400) }));
    await arrived();
    expect(server.asked.length).toBeGreaterThan(12);
    expect(Math.max(...pauses)).toBe(500);
  });

  it('begins anew where the server knows no ranges', async () => {
    const cut = (request: number): number | null => [3000, 1000, null][request] ?? null;
    await get(serve('f', { bytes, ranges: false, cut }));
    await arrived();
    expect(server.asked.map(({ range }) => range)).toEqual([null, 'bytes=3000-', 'bytes=1000-']);
  });

  it('takes a file whose length nobody announces', async () => {
    await get(serve('f', { bytes, sized: false, cut: (request) => (request < 2 ? 2000 : null) }));
    await arrived();
    expect(events[0]).toMatchObject({ total: null, unit: 'MB' });
  });

  it('takes the new version whole where the file changed meanwhile', async () => {
    const old = noise(5000);
    const address = serve('f', { bytes: old, etag: '"old"', cut: () => 2500 });
    const changing: Http = {
      ...http,
      pause: async () => void server.files.set('f', { bytes, etag: '"new"' }),
    };
    await download(address, 'got/file', null, { ...ports, http: changing });
    await arrived();
    expect(server.asked[1]?.headers['if-range']).toBe('"old"');
  });

  it('does not trust a range that was not asked for', async () => {
    const address = serve('f', { bytes, etag: '"1"', cut: () => 2500 });
    let pausing = 0;
    const wrong: Http = {
      ...http,
      pause: async () =>
        void server.files.set('f', { bytes, etag: '"1"', shifted: pausing++ === 0 }),
    };
    await download(address, 'got/file', null, { ...ports, http: wrong });
    await arrived();
    expect(said[1]).toContain('another range than was asked for');
  });

  it('gives up after five tries that bring nothing, and goes on from there another day', async () => {
    const address = serve('f', { bytes, etag: '"1"', cut: (request) => (request === 0 ? 777 : 0) });
    const line = await storageLine(get(address));
    expect(line).toContain('expected the whole file, got ');
    expect(line).toContain('5 times, with 777 bytes there');
    expect(server.asked).toHaveLength(6);
    expect(pauses).toEqual([500, 500, 1000, 2000, 4000]);
    serve('f', { bytes, etag: '"1"' });
    await get(address);
    await arrived();
    expect(server.asked.at(-1)?.range).toBe('bytes=777-');
  });

  it('gives up on a server that always cuts at one place', async () => {
    await storageLine(get(serve('f', { bytes, ranges: false, cut: () => 2000 })));
    expect(server.asked).toHaveLength(6);
  });

  it.each([404, 403, 410, 401, 418])('is refused at once by status %i', async (status) => {
    const line = await storageLine(get(serve('f', { bytes, status: () => status })));
    expect(line).toContain(`got status ${status}`);
    expect(server.asked).toHaveLength(1);
    expect(files.tree()).toEqual([]);
  });

  it.each([500, 503, 429])('tries again after status %i, five times', async (status) => {
    const address = serve('f', { bytes, status: (request) => (request < 2 ? status : null) });
    await get(address);
    await arrived();
    await files.remove('got');
    serve('f', { bytes, status: () => status });
    expect(await storageLine(get(address))).toContain(`got status ${status}, 5 times`);
    expect(server.asked).toHaveLength(8);
  });

  it('refuses another length than the catalogue has, before the download', async () => {
    const line = await storageLine(get(serve('f', { bytes }), 4000));
    expect(line).toContain('expected 4000 bytes, got 5000');
    expect(files.tree()).toEqual([]);
  });

  it('keeps what has come when it is stopped', async () => {
    let checks = 0;
    const checkStop = (): void => {
      if (++checks > 2) throw stoppedError();
    };
    const address = serve('f', { bytes, etag: '"1"', cut: () => 3000 });
    const thrown: unknown = await download(address, 'got/file', null, {
      ...ports,
      checkStop,
    }).catch((reason: unknown) => reason);
    expect(thrown).toMatchObject({ kind: 'stopped' });
    serve('f', { bytes, etag: '"1"' });
    await get(address);
    await arrived();
    expect(server.asked.at(-1)?.range).toBe('bytes=3000-');
  });

  it('arrives whole wherever the first answers are cut, in the headers too', async () => {
    const some = bytes.subarray(0, 40);
    const head = `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${some.length}\r\n\r\n`;
    const answer = joined([new TextEncoder().encode(head), some]);
    for (let length = 0; length < answer.length; length += 3) {
      const cutting = await startCuttingServer(answer, (request) => (request < 2 ? length : null));
      await get(cutting.address);
      expect(await files.read('got/file'), `cut after ${length} bytes`).toEqual(some);
      expect(files.tree()).toEqual(['got/', 'got/file']);
      await files.remove('got');
      await cutting.close();
    }
  });

  it('says that the disk is full, and does not try again', async () => {
    files.limit(2000);
    expect(await storageLine(get(serve('f', { bytes })))).toContain('ENOSPC');
    expect(server.asked).toHaveLength(1);
  });
});

const image = async (level: number): Promise<Uint8Array> =>
  images.encode({
    width: 8,
    height: 8,
    channels: 3,
    data: Uint8Array.from({ length: 192 }, (_, i) => (level * 31 + i * i * (level + 1)) % 256),
  });

/** Responses and images as a session of Cowley et al. has them. */
const session = async (): Promise<Readonly<Record<string, Uint8Array>>> => {
  const responses = Float64Array.from({ length: 3 * 6 * 4 }, () => random.int(20));
  responses[3] = Number.NaN;
  const contents = await Promise.all(
    Array.from({ length: 6 }, async (_, index) => ({
      name: `images/image000${index + 1}.png`,
      parts: [await image(index)],
    })),
  );
  return {
    'responses_raw/responses_210325.npy': joined(npyParts({ data: responses, shape: [3, 6, 4] })),
    'images/images_210325.zip': joined(zipParts(contents, { compress: true })),
  };
};

const fetched = (from: string | null = `${server.address}/mirror`) =>
  fetchRecording({ name: 'cowley2023-210325', root: 'cache', from }, ports);

const serveSession = async (): Promise<Readonly<Record<string, Uint8Array>>> => {
  const parts = await session();
  for (const [path, bytes] of Object.entries(parts)) serve(`mirror/${path}`, { bytes });
  return parts;
};

describe('fetchRecording', () => {
  it('makes a recording of a session, and records what it was made of', async () => {
    const parts = await serveSession();
    const { folder, recordings, files: got } = await fetched();
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/mirror/responses_raw/responses_210325.npy',
      '/mirror/images/images_210325.zip',
    ]);
    expect([folder, recordings]).toEqual([
      'cache/recordings/cowley2023-210325',
      ['cowley2023-210325'],
    ]);
    const { header, responses, stimuli } = await readRecording(folder, ports);
    expect(responses.shape).toEqual([3, 6, 4]);
    expect(header).toMatchObject({
      name: 'cowley2023-210325',
      dims: ['site', 'stimulus', 'trial'],
      licence: 'GPL-3.0',
      species: 'macaque',
    });
    expect(header.sites[0]).toMatchObject({ area: 'V4', animal: 'PE' });
    expect(stimuli[0]?.file).toBe('image0001.png');
    const record = JSON.parse(readText(await files.read(`${folder}/fetched.json`)));
    const hashes = Object.values(parts).map((bytes) => digest('sha256', bytes));
    expect(record.files.map(({ sha256 }: { sha256: string }) => sha256)).toEqual(hashes);
    expect(got?.map(({ verified }) => verified)).toEqual([false, false]);
    expect(files.tree().some((path) => path.includes('staging/cowley'))).toBe(false);
  });

  it('does not fetch twice', async () => {
    await serveSession();
    await fetched();
    server.asked.length = 0;
    expect((await fetched()).files).toBeNull();
    expect(server.asked).toEqual([]);
  });

  it('lets one of two at a time fetch a data set, and the other have it afterwards', async () => {
    await serveSession();
    const root = temporaryFolder();
    const one = () =>
      fetchRecording(
        { name: 'cowley2023-210325', root, from: `${server.address}/mirror` },
        { ...ports, locks: createNodeLocks() },
      );
    const outcomes = await Promise.allSettled([one(), one()]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected')!;
    expect(String(refused.reason)).toMatch(
      /cowley2023-210325\.lock: expected nobody else at this work, got process \d+ on /,
    );
    expect(server.asked).toHaveLength(2);
    expect((await one()).files).toBeNull();
    expect(server.asked).toHaveLength(2);
    expect(readdirSync(root)).toEqual([]);
  });

  it('takes a folder for a mirror, and leaves it as it was', async () => {
    for (const [path, bytes] of Object.entries(await session()))
      await files.write(`mine/${path.split('/')[1]}`, [bytes]);
    const before = files.tree();
    const { files: got } = await fetched('mine');
    expect(got?.[0]?.from).toBe('mine/responses_210325.npy');
    expect(files.tree().filter((path) => path.startsWith('mine'))).toEqual(before);
    expect(server.asked).toEqual([]);
  });

  it('says what a mirror lacks', async () => {
    await files.write('mine/other.npy', [noise(3)]);
    expect(await inputLine(() => fetched('none'))).toContain('got nothing there');
    expect(await inputLine(() => fetched('mine'))).toContain(
      'expected responses_raw/responses_210325.npy in it, got a folder without it',
    );
    expect(await inputLine(() => fetched('mine/other.npy'))).toContain('got a file');
    expect(files.tree()).toEqual(['mine/', 'mine/other.npy']);
  });

  it('knows its own names only', async () => {
    for (const name of ['cowley2023-999999', 'nothing', '../x', '__proto__'])
      expect(
        await inputLine(() => fetchRecording({ name, root: 'cache', from: null }, ports)),
      ).toContain('expected one of');
  });

  it('keeps aside an archive whose entries climb out, and leaves no recording', async () => {
    await serveSession();
    const climbing = joined(
      zipParts([{ name: '../../evil.png', parts: [await image(1)] }], { compress: false }),
    );
    serve('mirror/images/images_210325.zip', { bytes: climbing });
    const line = await inputLine(() => fetched());
    expect(line).toContain('a path that climbs out');
    expect(files.tree().filter((path) => path.includes('evil'))).toEqual([]);
    expect(files.tree()).not.toContain('cache/recordings/');
    const staged = 'cache/staging/cowley2023-210325/files/images/images_210325.zip';
    // The responses are not at fault: they stay.
    expect(files.tree().filter((path) => path.endsWith('.wrong'))).toEqual([`${staged}.wrong`]);
    expect(line).toContain(
      `(kept aside as ${staged}.wrong, not used); fetch it again, or from a mirror (an address`,
    );
    await serveSession();
    expect((await fetched()).recordings).toEqual(['cowley2023-210325']);
  });

  it('keeps whole files where the disk was full, and goes on with them', async () => {
    const parts = await serveSession();
    const size = Object.values(parts).reduce((sum, { length }) => sum + length, 0);
    files.limit(2 * size + 400);
    expect(await storageLine(fetched())).toContain('ENOSPC');
    expect(files.tree().filter((path) => path.includes('cache/recordings'))).toEqual([]);
    files.limit(1e9);
    server.asked.length = 0;
    await fetched();
    expect(server.asked).toEqual([]);
  });
});

const readText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("the paper's release", () => {
  const archive = new Uint8Array(
    readFileSync(new URL('../golden/arcaro2020.zip', import.meta.url)),
  );
  const bring = (from: string) =>
    fetchRecording({ name: 'arcaro2020', root: 'cache', from }, ports);

  it('becomes three recordings, through cut connections', async () => {
    // The committed archive has the layout of the release, and a few images and milliseconds of it.
    serve('neural/Arcaro2020.zip', {
      bytes: archive,
      etag: '"1"',
      cut: () => 9000 + random.int(20_000),
    });
    const { folder, recordings } = await bring(`${server.address}/neural/`);
    expect(server.asked.length).toBeGreaterThan(2);
    expect(recordings).toEqual(['m1-ml', 'm1-pl', 'm2-ml'].map((name) => `arcaro2020/${name}`));
    const headers = await Promise.all(
      recordings.map(
        async (name) => (await readRecording(`cache/recordings/${name}`, ports)).header,
      ),
    );
    expect(headers.map(({ sites }) => [sites.length, sites[0]?.area])).toEqual([
      [32, 'ML'],
      [31, 'PL'],
      [32, 'ML'],
    ]);
    expect(headers.map(({ name }) => name)).toEqual(recordings);
    expect(headers[0]?.timeBins).toHaveLength(5);
    const record = JSON.parse(readText(await files.read(`${folder}/fetched.json`)));
    expect(record.files[0].sha256).toBe(digest('sha256', archive));
  });

  it('is all or nothing', async () => {
    const half = serve('half.zip', { bytes: archive.subarray(0, archive.length / 2) });
    await inputLine(() => bring(half));
    expect(files.tree().filter((path) => path.endsWith('.json'))).toEqual([]);
    files.inject((job, path) => (job === 'write' && path.includes('m2-ml') ? 'ENOSPC' : null));
    await storageLine(bring(serve('whole.zip', { bytes: archive })));
    expect(files.tree().filter((path) => path.includes('cache/recordings'))).toEqual([]);
    files.inject(() => null);
    expect((await bring(`${server.address}/whole.zip`)).recordings).toHaveLength(3);
  });
});

describe('BrainIO data sets', () => {
  // A made assembly of four sites, three stimuli and two bins; its texts are of fixed places, so names can be exchanged.
  const made = readFileSync(new URL('../golden/hdf5/assembly.nc', import.meta.url), 'latin1');
  const assembly = (areas: Readonly<Record<string, string>>): Uint8Array =>
    Buffer.from(
      Object.entries(areas).reduce((text, [from, to]) => text.replaceAll(from, to), made),
      'latin1',
    );
  /** The record with the hashes of what the server has. */
  const served = async (name: string, nc: Uint8Array): Promise<CatalogueEntry> => {
    const entry = catalogueEntry(name);
    const ids = ['a1', 'b7', 'c9'];
    const rows = ids.map((id, index) => `${index},${id},${id}.png,sky`);
    const pictures = await Promise.all(
      ids.map(async (id, index) => ({ name: `${id}.png`, parts: [await image(index)] })),
    );
    const contents = [
      nc,
      new TextEncoder().encode([',image_id,filename,background', ...rows, ''].join('\n')),
      joined(zipParts(pictures, { compress: true })),
    ];
    for (const [index, { path }] of entry.files.entries()) serve(path, { bytes: contents[index]! });
    return {
      ...entry,
      base: `${server.address}/`,
      files: entry.files.map((file, index) => ({
        ...file,
        sha1: digest('sha1', contents[index]!),
      })),
    };
  };
  const onDisk: FetchPorts['hdf5'] = createNodeHdf5();
  const bring = (entry: CatalogueEntry) =>
    fetchEntry(
      entry,
      { root: 'cache', from: null },
      {
        ...ports,
        hdf5: {
          open: async (source, name) =>
            onDisk.open(typeof source === 'string' ? await files.read(source) : source, name),
        },
      },
    );

  it.each([
    'majajhong2015-public',
    'majajhong2015-temporal-public',
  ])('%s becomes V4 and IT on the same images', async (name) => {
    const { recordings, files: got } = await bring(await served(name, assembly({})));
    expect(recordings).toEqual([`${name}/it`, `${name}/v4`]);
    expect(got?.map(({ path, verified }) => [path.split('_')[0], verified])).toEqual([
      ['assy', true],
      ['stimulus', true],
      ['stimulus', true],
    ]);
    const read = await Promise.all(
      recordings.map((each) => readRecording(`cache/recordings/${each}`, ports)),
    );
    expect(read.map(({ header }) => header.sites.map(({ id }) => id))).toEqual([
      ['n3', 'n4'],
      ['n1', 'n2'],
    ]);
    expect(read[0]!.stimuli).toEqual(read[1]!.stimuli);
    expect(Object.keys(read[0]!.stimuli[0]!.columns)).toContain('object_name');
    expect(read[0]!.header).toMatchObject({ name: `${name}/it`, species: 'macaque' });
  });

  it('freemanziemba2013-public becomes V1 and V2, averaged over its window', async () => {
    const entry = await served('freemanziemba2013-public', assembly({ V4: 'V1', IT: 'V2' }));
    expect(entry.import).toMatchObject({ kind: 'brainio', bins: [{ start: 50, end: 200 }] });
    if (entry.import.kind !== 'brainio') return;
    // The made assembly has two bins of 100 ms, the published one bins of 1 ms.
    const bins = [{ start: 70, end: 270 }];
    const { recordings } = await bring({ ...entry, import: { ...entry.import, bins } });
    expect(recordings).toEqual(['v1', 'v2'].map((area) => `freemanziemba2013-public/${area}`));
    const { header } = await readRecording(`cache/recordings/${recordings[0]}`, ports);
    expect(header.timeBins).toEqual(bins);
    expect(header.sites.map(({ area }) => area)).toEqual(['V1', 'V1']);
    expect(server.asked[0]?.path).toBe(
      '/assy_movshon_FreemanZiemba2013_public.nc?versionId=W2vx7jdh9utZdVumHHarXa4L1zOrA8Fd',
    );
  });
});

it('every record of the catalogue has its own name, https and hashes that are hashes', () => {
  const all = [...catalogue, ...catalogueSeries.flatMap(({ entries }) => entries)];
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(all).toHaveLength(57);
  for (const { base, files: own, citation } of all) {
    expect(base).toMatch(/^https:\/\/.+\/$/);
    expect(citation).toMatch(/\(\d{4}\)/);
    for (const { path, sha1 } of own) {
      expect(path).not.toMatch(/^\/|\.\.|\\/);
      if (sha1 !== null) expect(sha1).toMatch(/^[0-9a-f]{40}$/);
    }
  }
});

describe('a published hash', () => {
  const content = noise(2000);
  const entry = (hashes: { sha1?: string; sha256?: string }): CatalogueEntry => ({
    ...catalogueEntry('kriegeskorte2008'),
    base: `${server.address}/`,
    files: [
      {
        path: 'data.mat',
        query: '?versionId=7',
        bytes: null,
        sha1: hashes.sha1 ?? null,
        sha256: hashes.sha256 ?? null,
      },
    ],
  });
  const bring = (hashes: { sha1?: string; sha256?: string }, from: string | null = null) =>
    fetchEntry(entry(hashes), { root: 'cache', from }, ports);
  const place = 'cache/files/kriegeskorte2008';

  it.each(['sha1', 'sha256'] as const)('is checked (%s)', async (algorithm) => {
    serve('data.mat', { bytes: content });
    const found = await bring({ [algorithm]: digest(algorithm, content) });
    expect(found.files?.[0]).toMatchObject({ verified: true, bytes: 2000 });
    expect(server.asked[0]?.path).toBe('/data.mat?versionId=7');
    expect(await files.read(`${place}/data.mat`)).toEqual(content);
    expect(found.recordings).toEqual([]);
  });

  it.each(['sha1', 'sha256'] as const)('that is another (%s) sets the file aside', async (name) => {
    serve('data.mat', { bytes: noise(2000) });
    const hashes = { [name]: digest(name, content) };
    const line = await inputLine(() => bring(hashes));
    expect(line).toContain(
      `expected ${name === 'sha1' ? 'SHA-1' : 'SHA-256'} ${hashes[name]}, got`,
    );
    const wrong = 'cache/staging/kriegeskorte2008/files/data.mat.wrong';
    expect(line).toContain(`kept aside as ${wrong}, not used`);
    expect(files.tree().filter((path) => !path.endsWith('/'))).toEqual([wrong]);
    serve('data.mat', { bytes: content });
    await bring(hashes);
    expect(await files.read(`${place}/data.mat`)).toEqual(content);
  });

  it("leaves a user's own file where it is", async () => {
    await files.write('mine.mat', [noise(10)]);
    const line = await inputLine(() => bring({ sha1: digest('sha1', content) }, 'mine.mat'));
    expect(line).not.toContain('kept aside');
    expect(files.tree()).toEqual(['mine.mat']);
  });

  it('holds for a mirror that is the file itself', async () => {
    const address = serve('elsewhere/any', { bytes: content });
    const found = await bring({ sha1: digest('sha1', content) }, address);
    expect(found.files?.[0]?.from).toBe(address);
  });
});

describe('ventral data fetch clickme', () => {
  const shard = bytesOf(humanMapsGolden.records.shard);
  const paths = Array.from({ length: 17 }, (_, i) => `val/val-${i}.tfrecords`);
  const fetched = (from: string) => fetchRecording({ name: 'clickme', root: 'cache', from }, ports);
  const mirror = (): string => {
    for (const path of paths)
      serve(`m/${path}`, { bytes: shard, etag: '"1"', cut: (n) => (n === 0 ? 100 : null) });
    return `${server.address}/m/`;
  };

  it('brings what shards there are, through cut connections, for ventral align', async () => {
    const got = await fetched(mirror());
    expect(got).toMatchObject({ folder: 'cache/human-maps/clickme', recordings: [] });
    expect(got.files?.map(({ path }) => path)).toEqual(paths);
    for (const path of paths) {
      expect(digest('sha256', await files.read(`cache/human-maps/clickme/${path}`))).toBe(
        digest('sha256', shard),
      );
    }
    expect(files.tree().some((path) => path.startsWith('cache/staging/clickme'))).toBe(false);
    expect(server.asked.map(({ path }) => path)).toContain('/m/val/val-17.tfrecords');
  });

  it('takes an 18th shard where there is one, and misses one of the 17', async () => {
    const from = mirror();
    serve('m/val/val-17.tfrecords', { bytes: shard });
    server.files.delete('m/val/val-3.tfrecords');
    expect(await storageLine(fetched(from))).toContain('val-3.tfrecords: expected a file');
    serve('m/val/val-3.tfrecords', { bytes: shard });
    server.asked.length = 0;
    expect((await fetched(from)).files).toHaveLength(18);
    // What had come before the missing one is not asked for again.
    expect(server.asked.map(({ path }) => path)).not.toContain('/m/val/val-2.tfrecords');
  });

  it('sets a shard with a wrong checksum aside, naming its record', async () => {
    const from = mirror();
    const damaged = shard.slice();
    damaged[shard.length - 40]! ^= 1;
    serve('m/val/val-5.tfrecords', { bytes: damaged });
    const line = await inputLine(() => fetched(from));
    expect(line).toContain('val-5.tfrecords: record 3');
    expect(line).toMatch(/kept aside as \S+val-5\.tfrecords\.wrong, not used/);
    expect(files.tree().some((path) => path.startsWith('cache/human-maps'))).toBe(false);
  });
});
