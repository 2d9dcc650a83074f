import { baseName } from '../formats/paths.ts';
import { fileSource } from '../formats/source.ts';
import { encodeText } from '../formats/text.ts';
import { bytesFeature, integerFeature, readTfExample } from '../formats/tf-example.ts';
import { tfRecords } from '../formats/tfrecord.ts';
import { inputError } from '../records/errors.ts';
import type { HumanMap, HumanMaps } from '../records/human-map.ts';
import type { Files, Ports } from '../records/ports.ts';
import { greyMap } from './grey-map.ts';

/** Whether a path is a shard, by its ending. */
export const isShard = (path: string): boolean => /\.tfrecords?$/i.test(path);

/** Ascending by the numbers in their names, so that `val-2` comes before `val-10`. */
const byNumber = (a: string, b: string): number => {
  const digits = (path: string): number => Number(/(\d+)\D*$/.exec(baseName(path))?.[1] ?? -1);
  return digits(a) - digits(b) || (a < b ? -1 : 1);
};

async function* examples(shards: readonly string[], files: Files) {
  for (const shard of shards) {
    const name = baseName(shard);
    let number = 0;
    for await (const record of tfRecords(await fileSource(shard, files), shard)) {
      number++;
      const where = `${shard}: record ${number}`;
      yield { id: `${name}#${number}`, where, example: readTfExample(record, where) };
    }
  }
}

async function* readShards(
  shards: readonly string[],
  { files, images }: Pick<Ports, 'files' | 'images'>,
): AsyncGenerator<HumanMap> {
  for await (const { id, where, example } of examples(shards, files)) {
    const pixels = await images.decode(bytesFeature(example, 'image', where), `${where}: image`);
    const heatmap = `${where}: heatmap`;
    const map = greyMap(
      await images.decode(bytesFeature(example, 'heatmap', where), heatmap),
      heatmap,
    );
    const [height, width] = map.shape as readonly [number, number];
    if (height !== pixels.height || width !== pixels.width)
      throw inputError({
        where: heatmap,
        expected: `a map of the image's size, ${pixels.width}×${pixels.height}`,
        got: `${width}×${height}`,
        mend: 'resize one of the two',
      });
    const label = integerFeature(example, 'label', where);
    yield { id, pixels, label, map, subjects: null, warning: null };
  }
}

/**
 * ClickMe as released with Fel, Rodriguez, Linsley & Serre (NeurIPS 2022): TFRecord shards of `image` and `heatmap`
 * (JPEG) and `label` (int64, from 0); whatever shards are there, in the order of their numbers. Ids are
 * `<shard>#<record>`. Input errors, naming shard and record: truncated, wrong CRC, other features, a map of another size.
 */
export const openClickme = async (
  name: string,
  shards: readonly string[],
  ports: Pick<Ports, 'files' | 'images' | 'hash'>,
): Promise<HumanMaps> => {
  const ordered = [...shards].sort(byNumber);
  const digests: string[] = [];
  for (const shard of ordered) digests.push(await ports.hash.sha256File(shard));
  return {
    kind: 'clickme',
    name,
    count: null,
    sha256: await ports.hash.sha256([encodeText(digests.join('\n'))]),
    hasSubjects: false,
    warnings: [],
    read: () => readShards(ordered, ports),
  };
};

/** Reads a shard from end to end; the number of its records. Input errors as above, of records and checksums. */
export const checkShard = async (
  path: string,
  files: Files,
  checkStop: () => void,
): Promise<number> => {
  let count = 0;
  for await (const _ of tfRecords(await fileSource(path, files), path)) {
    count++;
    checkStop();
  }
  return count;
};
