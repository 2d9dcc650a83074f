import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VentralError } from '../src/records/errors.ts';
import type { Files } from '../src/records/ports.ts';

export interface FilesUnderTest {
  readonly files: Files;
  /** An existing, empty folder. */
  readonly root: string;
  readonly close: () => Promise<void>;
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const read = async (files: Files, path: string): Promise<string> =>
  new TextDecoder().decode(await files.read(path));

/** What `doing` rejects with, which must be one line of a storage error. */
export const storageLine = async (doing: Promise<unknown>): Promise<string> => {
  const thrown = await doing.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(VentralError);
  const { kind, message } = thrown as VentralError;
  expect(kind).toBe('storage');
  expect(message).not.toContain('\n');
  return message;
};

/** What every implementation of `Files` keeps. */
export const describeFiles = (name: string, open: () => Promise<FilesUnderTest>): void => {
  describe(`Files: ${name}`, () => {
    let at: FilesUnderTest;
    beforeEach(async () => {
      at = await open();
    });
    afterEach(() => at.close());

    it('writes the parts joined, makes the folders, and reads them back', async () => {
      const path = `${at.root}/a/b/c.txt`;
      await at.files.write(path, [text('one '), text(''), text('two')]);
      expect(await read(at.files, path)).toBe('one two');
      expect(await at.files.info(path)).toEqual({ kind: 'file', size: 7 });
      expect((await at.files.info(`${at.root}/a/b`))?.kind).toBe('folder');
      expect(await at.files.list(`${at.root}/a/b`)).toEqual(['c.txt']);
    });

    it('replaces a file whole', async () => {
      const path = `${at.root}/x`;
      await at.files.write(path, [text('a long first content')]);
      await at.files.write(path, [text('short')]);
      expect(await read(at.files, path)).toBe('short');
      expect(await at.files.list(at.root)).toEqual(['x']);
    });

    it('reads ranges, fewer bytes where the file ends', async () => {
      const path = `${at.root}/x`;
      await at.files.write(path, [text('0123456789')]);
      expect(await at.files.readRange(path, 2, 5)).toEqual(text('234'));
      expect(await at.files.readRange(path, 8, 50)).toEqual(text('89'));
      expect((await at.files.readRange(path, 50, 60)).length).toBe(0);
    });

    it('hands out bytes that a reader may change without changing the file', async () => {
      const path = `${at.root}/x`;
      await at.files.write(path, [text('abc')]);
      (await at.files.read(path)).fill(0);
      expect(await read(at.files, path)).toBe('abc');
    });

    it('appends, making file and folder', async () => {
      const path = `${at.root}/deep/x`;
      await at.files.append(path, text('abc'));
      await at.files.append(path, text('de'));
      expect(await read(at.files, path)).toBe('abcde');
      expect(await storageLine(at.files.append(`${path}/below`, text('x')))).toContain(
        'got a regular file on the way',
      );
    });

    it('lists names by code unit', async () => {
      for (const name of ['b', 'image10', 'image2', 'B', 'ä', 'Z', '10', '9']) {
        await at.files.write(`${at.root}/${name}`, []);
      }
      expect(await at.files.list(at.root)).toEqual([
        '10',
        '9',
        'B',
        'Z',
        'b',
        'image10',
        'image2',
        'ä',
      ]);
    });

    it('says null where nothing is, also below a regular file', async () => {
      await at.files.write(`${at.root}/file`, []);
      expect(await at.files.info(`${at.root}/nothing`)).toBeNull();
      expect(await at.files.info(`${at.root}/file/below`)).toBeNull();
    });

    it('names what is missing', async () => {
      const path = `${at.root}/nothing`;
      expect(await storageLine(at.files.read(path))).toBe(
        `${path}: expected a file or folder, got nothing there; check the path`,
      );
      expect(await storageLine(at.files.list(path))).toContain(path);
      expect(await storageLine(at.files.readRange(path, 0, 1))).toContain(path);
    });

    it('refuses to read a folder as a file and to list a file', async () => {
      await at.files.write(`${at.root}/file`, []);
      expect(await storageLine(at.files.read(at.root))).toContain('expected a file, got a folder');
      expect(await storageLine(at.files.list(`${at.root}/file`))).toContain('expected a folder');
    });

    it('refuses to write below a regular file, and changes nothing', async () => {
      await at.files.write(`${at.root}/file`, [text('kept')]);
      const path = `${at.root}/file/deeper/out.json`;
      expect(await storageLine(at.files.write(path, [text('x')]))).toBe(
        `${path}: expected a folder to write to, got a regular file on the way; choose another path`,
      );
      expect(await at.files.list(at.root)).toEqual(['file']);
      expect(await read(at.files, `${at.root}/file`)).toBe('kept');
    });

    it('refuses to write over a folder', async () => {
      await at.files.write(`${at.root}/folder/x`, []);
      const message = await storageLine(at.files.write(`${at.root}/folder`, [text('x')]));
      expect(message).toContain('expected a file name, got a folder of that name');
      expect(await at.files.list(at.root)).toEqual(['folder']);
      expect(await at.files.list(`${at.root}/folder`)).toEqual(['x']);
    });

    it('moves files and folders, replacing what is there', async () => {
      await at.files.write(`${at.root}/new/a`, [text('new')]);
      await at.files.write(`${at.root}/old/b`, [text('old')]);
      await at.files.move(`${at.root}/new`, `${at.root}/old`);
      expect(await at.files.list(at.root)).toEqual(['old']);
      expect(await at.files.list(`${at.root}/old`)).toEqual(['a']);
      await at.files.write(`${at.root}/f`, [text('1')]);
      await at.files.write(`${at.root}/g`, [text('2')]);
      await at.files.move(`${at.root}/f`, `${at.root}/g`);
      expect(await read(at.files, `${at.root}/g`)).toBe('1');
      await at.files.move(`${at.root}/g`, `${at.root}/deep/er/g`);
      expect(await read(at.files, `${at.root}/deep/er/g`)).toBe('1');
    });

    it('refuses to move what is not there, and leaves the target alone', async () => {
      await at.files.write(`${at.root}/kept/x`, []);
      await storageLine(at.files.move(`${at.root}/nothing`, `${at.root}/kept`));
      expect(await at.files.list(`${at.root}/kept`)).toEqual(['x']);
    });

    it('removes files and folders; nothing where there is none', async () => {
      await at.files.write(`${at.root}/a/b/c`, []);
      await at.files.remove(`${at.root}/a`);
      await at.files.remove(`${at.root}/a`);
      await at.files.write(`${at.root}/f`, []);
      await at.files.remove(`${at.root}/f/below`);
      expect(await at.files.list(at.root)).toEqual(['f']);
    });
  });
};
