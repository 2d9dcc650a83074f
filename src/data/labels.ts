import { readCsv } from '../formats/csv.ts';
import { inputError } from '../records/errors.ts';
import { type ImageSet, imagesNamed } from './image-set.ts';

/**
 * The class of each image, from 0, by its name in the set: a table with columns `image` (a file name) and `class`.
 * Input error, naming the line: a column or class that is missing, an image twice, an image without a line.
 */
export const readClasses = (text: string, name: string, images: ImageSet): Map<string, number> => {
  const wrong = (where: string, expected: string, got: string) =>
    inputError({ where, expected, got, mend: 'give a line for each image, such as cat.jpg,281' });
  const { columns, rows, lines } = readCsv(text, name);
  const [imageAt, classAt] = [columns.indexOf('image'), columns.indexOf('class')];
  if (imageAt < 0 || classAt < 0) throw wrong(name, 'columns image, class', columns.join(', '));
  const named = imagesNamed(
    images,
    rows.map((row) => row[imageAt]!),
    name,
  );
  const classes = new Map<string, number>();
  rows.forEach((row, index) => {
    const where = `${name}: line ${lines[index]}`;
    const [image, cell] = [named[index]!, row[classAt]!.trim()];
    if (!/^\d+$/.test(cell)) throw wrong(where, 'a whole number, from 0, in class', `"${cell}"`);
    if (classes.has(image)) throw wrong(where, 'each image once', `"${image}" again`);
    classes.set(image, Number(cell));
  });
  const missing = images.names.find((image) => !classes.has(image));
  if (missing !== undefined)
    throw wrong(name, `a class for each of ${images.names.length} images`, `none for "${missing}"`);
  return classes;
};
