import { expect } from 'vitest';
import type { Files } from '../../src/records/ports.ts';
import { type Clause, storageLine, bytesOf as text } from './contract.ts';

export interface FilesUnderTest {
  readonly files: Files;
  /** An existing, empty folder. */
  readonly root: string;
}

const read = async (files: Files, path: string): Promise<string> =>
  new TextDecoder().decode(await files.read(path));

/** What every implementation of `Files` keeps. */
export const filesContract: readonly Clause<FilesUnderTest>[] = [
  {
    promise: 'writes the parts joined, makes the folders, and reads them back',
    check: async ({ files, root }) => {
      const path = `${root}/a/b/c.txt`;
      await files.write(path, [text('one '), text(''), text('two')]);
      expect(await read(files, path)).toBe('one two');
      expect(await files.info(path)).toEqual({ kind: 'file', size: 7 });
      expect((await files.info(`${root}/a/b`))?.kind).toBe('folder');
      expect(await files.list(`${root}/a/b`)).toEqual(['c.txt']);
    },
  },
  {
    promise: 'replaces a file whole',
    check: async ({ files, root }) => {
      const path = `${root}/x`;
      await files.write(path, [text('a long first content')]);
      await files.write(path, [text('short')]);
      expect(await read(files, path)).toBe('short');
      expect(await files.list(root)).toEqual(['x']);
    },
  },
  {
    promise: 'reads ranges, fewer bytes where the file ends',
    check: async ({ files, root }) => {
      const path = `${root}/x`;
      await files.write(path, [text('0123456789')]);
      expect(await files.readRange(path, 2, 5)).toEqual(text('234'));
      expect(await files.readRange(path, 8, 50)).toEqual(text('89'));
      expect((await files.readRange(path, 50, 60)).length).toBe(0);
    },
  },
  {
    promise: 'hands out bytes that a reader may change without changing the file',
    check: async ({ files, root }) => {
      const path = `${root}/x`;
      await files.write(path, [text('abc')]);
      (await files.read(path)).fill(0);
      expect(await read(files, path)).toBe('abc');
    },
  },
  {
    promise: 'appends, making file and folder',
    check: async ({ files, root }) => {
      const path = `${root}/deep/x`;
      await files.append(path, text('abc'));
      await files.append(path, text('de'));
      expect(await read(files, path)).toBe('abcde');
      expect(await storageLine(files.append(`${path}/below`, text('x')))).toContain(
        'got a regular file on the way',
      );
    },
  },
  {
    promise: 'lists names by code unit',
    check: async ({ files, root }) => {
      for (const name of ['b', 'image10', 'image2', 'B', 'ä', 'Z', '10', '9']) {
        await files.write(`${root}/${name}`, []);
      }
      expect(await files.list(root)).toEqual(['10', '9', 'B', 'Z', 'b', 'image10', 'image2', 'ä']);
    },
  },
  {
    promise: 'says null where nothing is, also below a regular file',
    check: async ({ files, root }) => {
      await files.write(`${root}/file`, []);
      expect(await files.info(`${root}/nothing`)).toBeNull();
      expect(await files.info(`${root}/file/below`)).toBeNull();
    },
  },
  {
    promise: 'names what is missing',
    check: async ({ files, root }) => {
      const path = `${root}/nothing`;
      expect(await storageLine(files.read(path))).toBe(
        `${path}: expected a file or folder, got nothing there; check the path`,
      );
      expect(await storageLine(files.list(path))).toContain(path);
      expect(await storageLine(files.readRange(path, 0, 1))).toContain(path);
    },
  },
  {
    promise: 'refuses to read a folder as a file and to list a file',
    check: async ({ files, root }) => {
      await files.write(`${root}/file`, []);
      expect(await storageLine(files.read(root))).toContain('expected a file, got a folder');
      expect(await storageLine(files.list(`${root}/file`))).toContain('expected a folder');
    },
  },
  {
    promise: 'refuses to write below a regular file, and changes nothing',
    check: async ({ files, root }) => {
      await files.write(`${root}/file`, [text('kept')]);
      const path = `${root}/file/deeper/out.json`;
      expect(await storageLine(files.write(path, [text('x')]))).toBe(
        `${path}: expected a folder to write to, got a regular file on the way; choose another path`,
      );
      expect(await files.list(root)).toEqual(['file']);
      expect(await read(files, `${root}/file`)).toBe('kept');
    },
  },
  {
    promise: 'refuses to write over a folder',
    check: async ({ files, root }) => {
      await files.write(`${root}/folder/x`, []);
      const message = await storageLine(files.write(`${root}/folder`, [text('x')]));
      expect(message).toContain('expected a file name, got a folder of that name');
      expect(await files.list(root)).toEqual(['folder']);
      expect(await files.list(`${root}/folder`)).toEqual(['x']);
    },
  },
  {
    promise: 'moves files and folders, replacing what is there',
    check: async ({ files, root }) => {
      await files.write(`${root}/new/a`, [text('new')]);
      await files.write(`${root}/old/b`, [text('old')]);
      await files.move(`${root}/new`, `${root}/old`);
      expect(await files.list(root)).toEqual(['old']);
      expect(await files.list(`${root}/old`)).toEqual(['a']);
      await files.write(`${root}/f`, [text('1')]);
      await files.write(`${root}/g`, [text('2')]);
      await files.move(`${root}/f`, `${root}/g`);
      expect(await files.info(`${root}/f`)).toBeNull();
      expect(await read(files, `${root}/g`)).toBe('1');
      await files.move(`${root}/g`, `${root}/deep/er/g`);
      expect(await read(files, `${root}/deep/er/g`)).toBe('1');
    },
  },
  {
    promise: 'refuses to move what is not there, and leaves the target alone',
    check: async ({ files, root }) => {
      await files.write(`${root}/kept/x`, []);
      await storageLine(files.move(`${root}/nothing`, `${root}/kept`));
      expect(await files.list(`${root}/kept`)).toEqual(['x']);
    },
  },
  {
    promise: 'removes files and folders; nothing where there is none',
    check: async ({ files, root }) => {
      await files.write(`${root}/a/b/c`, []);
      await files.remove(`${root}/a`);
      await files.remove(`${root}/a`);
      await files.write(`${root}/f`, []);
      await files.remove(`${root}/f/below`);
      expect(await files.list(root)).toEqual(['f']);
    },
  },
  {
    promise: 'keeps what was written, whatever becomes of the bytes that were given',
    check: async ({ files, root }) => {
      const bytes = text('abc');
      await files.write(`${root}/x`, [bytes]);
      await files.append(`${root}/y`, bytes);
      bytes.fill(0);
      expect(await read(files, `${root}/x`)).toBe('abc');
      expect(await read(files, `${root}/y`)).toBe('abc');
      (await files.readRange(`${root}/x`, 0, 3)).fill(0);
      expect(await read(files, `${root}/x`)).toBe('abc');
    },
  },
  {
    promise: 'takes views of larger buffers for what they show',
    check: async ({ files, root }) => {
      await files.write(`${root}/x`, [text('0123456789').subarray(2, 4), text('ab').subarray(1)]);
      await files.append(`${root}/x`, text('0123').subarray(3));
      expect(await read(files, `${root}/x`)).toBe('23b3');
    },
  },
  {
    promise: 'says of a folder that it is one, and lists the folders in it',
    check: async ({ files, root }) => {
      await files.write(`${root}/a/b/c`, [text('x')]);
      await files.write(`${root}/a/d`, []);
      expect((await files.info(root))?.kind).toBe('folder');
      expect((await files.info(`${root}/a/b`))?.kind).toBe('folder');
      expect(await files.info(`${root}/a/d`)).toEqual({ kind: 'file', size: 0 });
      expect(await files.list(`${root}/a`)).toEqual(['b', 'd']);
    },
  },
];
