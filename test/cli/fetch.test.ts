import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { catalogue, catalogueSeries } from '../../src/data/catalogue.ts';
import { type LocalServer, startServer } from '../http-server.ts';
import { cli, cliDone, refused } from './run-cli.ts';
import { useStudy } from './study.ts';

const study = useStudy();
let folder: string;
let server: LocalServer;
const dissimilarities = 'Kriegeskorte_Neuron2008_supplementalData.mat';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ventral-fetch-'));
  vi.stubEnv('VENTRAL_CACHE', join(folder, 'cache'));
  vi.stubEnv('NO_PROXY', '127.0.0.1');
  vi.stubEnv('no_proxy', '127.0.0.1');
  server = await startServer();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('ventral data list', () => {
  it('names every data set with its citation, and what is on disk', async () => {
    const { stdout } = await cliDone('data', 'list');
    for (const { name, citation } of catalogue) {
      expect(stdout).toContain(name);
      expect(stdout).toContain(citation);
    }
    for (const { pattern } of catalogueSeries) expect(stdout).toContain(pattern);
    expect(stdout).not.toContain(folder);
    const place = join(folder, 'cache', 'files', 'kriegeskorte2008');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, dissimilarities), new Uint8Array(3e6));
    expect((await cliDone('data', 'list')).stdout).toContain(`3 MB in ${place}`);
  });
});

describe('ventral data fetch', () => {
  it('says where things are, their hash, and whom to cite', async () => {
    server.files.set(`mirror/${dissimilarities}`, { bytes: new Uint8Array(10) });
    const from = `${server.address}/mirror/`;
    const { stdout, stderr } = await cliDone('data', 'fetch', 'kriegeskorte2008', '--from', from);
    expect(stdout).toContain(join(folder, 'cache', 'files', 'kriegeskorte2008'));
    expect(stdout).toMatch(/SHA-256 [0-9a-f]{64} \(none published\)/);
    expect(stdout).toContain('please cite Kriegeskorte');
    expect(stderr).toBe('');
    const again = await cliDone('data', 'fetch', 'kriegeskorte2008', '--from', from);
    expect(again.stdout).toContain('is there already');
  });

  it('refuses in one line what is not there', async () => {
    const gone = await refused(
      folder,
      'data',
      'fetch',
      'kriegeskorte2008',
      '--from',
      server.address,
    );
    expect(gone.got).toBe('status 404 (not there)');
    const unknown = await refused(folder, 'data', 'fetch', 'mine');
    expect(unknown.expected).toContain('cowley2023-<session>');
  });
});

describe('--recording with the name of a fetched recording', () => {
  it('works for score and inspect, and a folder of that name comes first', async () => {
    const cached = join(folder, 'cache', 'recordings', 'two');
    cpSync(study().recording, join(cached, 'a'), { recursive: true });
    const inspected = await cliDone('data', 'inspect', 'two/a');
    expect(inspected.stdout).toBe((await cliDone('data', 'inspect', study().recording)).stdout);
    // One recording in a folder needs no second name; of several, one has to be named.
    expect((await cliDone('data', 'inspect', 'two')).stdout).toBe(inspected.stdout);
    const plan = ['score', study().model, '--dry-run', '--recording'];
    expect((await cliDone(...plan, 'two/a')).stdout).toContain('layers');
    cpSync(study().recording, join(cached, 'b'), { recursive: true });
    const several = await refused(folder, ...plan, 'two');
    expect(several.mend).toBe('name one of two/a, two/b');
  });

  it('names both places where there is neither', async () => {
    const { where, got, mend } = await refused(folder, 'data', 'inspect', 'arcaro2020/m1-ml');
    expect(where).toBe('arcaro2020/m1-ml');
    expect(got).toContain(join(folder, 'cache', 'recordings', 'arcaro2020/m1-ml'));
    expect(mend).toContain('ventral data fetch');
  });

  it('never leaves the cache folder', async () => {
    mkdirSync(join(folder, 'cache', 'recordings'), { recursive: true });
    mkdirSync(join(folder, 'outside'));
    writeFileSync(join(folder, 'outside', 'recording.json'), '{}');
    const { code, stderr } = await cli('data', 'inspect', '../../outside');
    expect(code).toBe(2);
    expect(stderr).toContain('nothing there, and nothing at');
    expect(existsSync(join(folder, 'outside', 'recording.json'))).toBe(true);
  });
});
