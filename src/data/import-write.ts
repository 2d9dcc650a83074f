import { readCsv } from '../formats/csv.ts';
import { stem } from '../formats/paths.ts';
import { readRecording } from '../formats/recording.ts';
import { writeRecording } from '../formats/recording-write.ts';
import { decodeText } from '../formats/text.ts';
import { inputError } from '../records/errors.ts';
import type { Files, Ports, Watch } from '../records/ports.ts';
import type { Recording, RecordingHeader, Stimulus } from '../records/recording.ts';
import { type Thumbnail, thumbnailOf } from './alike.ts';
import type { ImageSet } from './image-set.ts';
import { markAlike } from './mark-alike.ts';

export type ImportPorts = Pick<Ports, 'files' | 'images' | 'hash' | keyof Watch>;

/** Further columns of a stimulus, by its id. */
export type Columns = (id: string) => Readonly<Record<string, string>>;

/** Columns of a CSV file, joined by `stimulus_id`; none without a file. Input error for a file without that column. */
export const readColumns = async (path: string | undefined, files: Files): Promise<Columns> => {
  if (path === undefined) return () => ({});
  const { columns, rows, lines } = readCsv(decodeText(await files.read(path), path), path);
  const mend = 'give a row with stimulus_id to each stimulus';
  const idColumn = columns.indexOf('stimulus_id');
  if (idColumn < 0 || columns.includes('file')) {
    const expected = 'a column stimulus_id, and further ones other than file';
    throw inputError({ where: path, expected, got: columns.join(', '), mend });
  }
  const byId = new Map<string, Readonly<Record<string, string>>>();
  rows.forEach((fields, index) => {
    const id = fields[idColumn]!;
    const where = `${path}: line ${lines[index]}`;
    if (byId.has(id)) {
      throw inputError({ where, expected: 'each stimulus_id once', got: `"${id}" again`, mend });
    }
    const further = columns.map((name, column) => [name, fields[column]!] as const);
    byId.set(id, Object.fromEntries(further.filter((_, column) => column !== idColumn)));
  });
  return (id) => {
    const found = byId.get(id);
    if (found !== undefined) return found;
    throw inputError({ where: path, expected: `a row for stimulus "${id}"`, got: 'none', mend });
  };
};

/** Input error where the number of images is not `count`. */
export const checkCount = (
  images: readonly string[],
  count: number,
  names: { readonly source: string; readonly images: string },
): void => {
  if (images.length === count) return;
  const expected = `${count} images, the size of the dimension stimulus of ${names.source}`;
  throw inputError({
    code: 'images-miscounted',
    field: 'dims',
    where: names.images,
    expected,
    got: `${images.length}`,
    mend: 'check the dims and the images',
  });
};

/** Stimuli of these images, in order; id = stem. */
export const stimuliOf = (images: readonly string[], columns: Columns): Stimulus[] =>
  images.map((file) => ({ id: stem(file), file, columns: columns(stem(file)) }));

/** What an importer has worked out. */
export interface ImportParts {
  /** New or empty folder. */
  readonly out: string;
  readonly header: RecordingHeader;
  readonly responses: Recording['responses'];
  /** `file` is a name of `set`. */
  readonly stimuli: readonly Stimulus[];
  readonly set: ImageSet;
}

const write = async (parts: ImportParts, ports: ImportPorts): Promise<void> => {
  const { out, header, responses, stimuli, set } = parts;
  const { images, progress, checkStop } = ports;
  const thumbnails: Thumbnail[] = [];
  for (const [index, { file }] of stimuli.entries()) {
    checkStop();
    const pixels = await images.decode(await set.read(file), `${set.source}: ${file}`);
    thumbnails.push(thumbnailOf(pixels));
    progress({ task: 'stimuli', done: index + 1, total: stimuli.length, unit: 'images' });
  }
  const marked = markAlike(stimuli, thumbnails);
  await writeRecording(
    out,
    {
      header: { ...header, notes: [...header.notes, ...marked.notes] },
      responses,
      stimuli: marked.stimuli,
      image: ({ file }) => {
        checkStop();
        return set.read(file);
      },
    },
    ports,
  );
};

/**
 * Writes the recording folder and reads it back. Every image is decoded once, so that none is missing or damaged
 * later, and images that are nearly equal are marked. Input error for a damaged image; nothing is left behind then.
 */
export const writeImport = (parts: ImportParts, ports: ImportPorts): Promise<Recording> => {
  const { out } = parts;
  // What was written must not be held while it is read: a recording may be half as large as the memory.
  return write(parts, ports).then(() => readRecording(out, ports));
};
