import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedImageWarnings } from '../../src/data/same-images.ts';
import { readRecording } from '../../src/formats/recording.ts';
import { createNodeFiles } from '../../src/node/files.ts';
import { createNodeHash } from '../../src/node/hash.ts';
import { createNodeImages } from '../../src/node/images.ts';
import { base } from '../cases/run-case.ts';
import { refused } from '../cli/run-cli.ts';
import { temporaryFolder } from '../small-study.ts';

const ports = { files: createNodeFiles(), hash: createNodeHash(), images: createNodeImages() };
const folder = temporaryFolder();
const first = join(base, 'rec');
const pictureOf = (recording: string, index: number): string =>
  join(recording, 'stimuli', `im${`${index}`.padStart(3, '0')}.png`);

/** The recording of the cases, with the picture of image `i` in place of that of each `changed(i)`. */
const withPictures = (name: string, changed: (index: number) => number): string => {
  const copy = join(folder, name);
  cpSync(first, copy, { recursive: true });
  for (let i = 0; i < 60; i++)
    writeFileSync(pictureOf(copy, i), readFileSync(pictureOf(first, changed(i))));
  return copy;
};
const warningsOn = async (other: string): Promise<string[]> =>
  sharedImageWarnings(await readRecording(first, ports), await readRecording(other, ports), ports);

describe('recordings that share ids', () => {
  it('are refused where they share no picture, before anything is computed', async () => {
    const other = withPictures('none', (i) => (i + 7) % 60);
    const found = await refused(folder, 'ceiling', first, other, '--quiet');
    expect(found.got).toContain('60 shared ids (such as "im000"), of which none shows the same');
  });

  it('are remarked on where some pictures differ', async () => {
    expect(await warningsOn(withPictures('same', (i) => i))).toEqual([]);
    const [warning] = await warningsOn(withPictures('some', (i) => (i < 2 ? 1 - i : i)));
    expect(warning).toBe(
      '2 of 60 shared stimuli have the same id but show other pictures (im000, im001)',
    );
  });

  it('may keep one picture in other files', async () => {
    const other = withPictures('files', (i) => i);
    const { data, ...rest } = await ports.images.decode(readFileSync(pictureOf(other, 3)), 'im003');
    const brighter = { ...rest, data: data.map((level) => Math.min(255, level + 1)) };
    writeFileSync(pictureOf(other, 3), await ports.images.encode(brighter));
    expect(await warningsOn(other)).toEqual([
      '1 of 60 shared stimuli are other files of like pictures',
    ]);
  });
});
