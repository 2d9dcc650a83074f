import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { profileSchema } from '../../src/records/profile.ts';
import { temporaryFolder } from '../small-study.ts';
import { cliDone, listing, refused } from './run-cli.ts';
import { images, sites, useStudy, writePictures, writeProtocol } from './study.ts';

vi.mock('../../src/node/engine.ts', async (original) =>
  (await import('./shared-engine.ts')).sharing(await original()),
);

const study = useStudy();

it('profiles two areas from their score files, as text, file and page', async () => {
  const folder = temporaryFolder();
  const { model, recording } = study();
  const v4 = await writePictures(folder, 'v4', undefined, {
    sites: Array.from({ length: sites }, (_, s) => ({ id: `s${s}`, area: 'V4' })),
  });
  const paths = [join(folder, 'v4.json'), join(folder, 'it.json')] as const;
  const protocol = ['--protocol', writeProtocol({ ...study(), folder }, 'p.json')];
  const score = (of: string, out: string, ...options: string[]) =>
    cliDone(
      ...[
        'score',
        model,
        '--recording',
        of,
        ...protocol,
        '--preprocess',
        'raw',
        '--out',
        out,
        ...options,
      ],
    );
  await score(v4, paths[0], '--keep', 'layer-predictions');
  await score(recording, paths[1]);
  const [out, page] = [join(folder, 'profile.json'), join(folder, 'profile.html')];
  const { stdout, stderr } = await cliDone('profile', ...paths, '--out', out, '--html', page);
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^small\.onnx along its depth, 3 layers$/m);
  expect(stdout).toMatch(/^note: \S+it\.json: no predictions of the layers beside the score/m);
  const found = profileSchema.parse(JSON.parse(readFileSync(out, 'utf8')));
  expect(
    found.areas.map(({ name, resampled }) => [name, resampled.what, resampled.images]),
  ).toEqual([
    ['V4', 'images and sites', images],
    ['IT', 'sites', 0],
  ]);
  // The responses of both areas are the same.
  expect(found.areas[0]!.values).toEqual(found.areas[1]!.values);
  expect(found.orders[0]).toMatchObject({ first: 'V4', second: 'IT', difference: 0 });
  expect(readFileSync(page, 'utf8')).toContain('</html>');
  expect(listing(folder)).toContain('profile.html');

  const wrong = await refused(folder, 'profile', ...paths, '--out', paths[0]);
  expect(wrong.where).toContain('--out');
});
