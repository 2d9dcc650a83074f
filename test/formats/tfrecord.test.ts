import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/formats/crc32.ts';
import { bytesSource } from '../../src/formats/source.ts';
import { bytesFeature, integerFeature, readTfExample } from '../../src/formats/tf-example.ts';
import { tfRecords } from '../../src/formats/tfrecord.ts';
import { createRandom } from '../../src/numeric/random.ts';
import { VentralError } from '../../src/records/errors.ts';
import { bytesOf, humanMapsGolden } from '../human-maps-golden.ts';
import { inputLine } from './failure.ts';

const { records } = humanMapsGolden;
const shard = bytesOf(records.shard);

const readAll = async (bytes: Uint8Array): Promise<Uint8Array[]> => {
  const found: Uint8Array[] = [];
  for await (const record of tfRecords(bytesSource(bytes), 'val-0.tfrecords')) found.push(record);
  return found;
};

const changed = (at: number): Uint8Array => {
  const copy = shard.slice();
  copy[at]! ^= 1;
  return copy;
};

/** Where the record of this number begins, from 0. */
const startOf = async (number: number): Promise<number> =>
  (await readAll(shard)).slice(0, number).reduce((sum, { length }) => sum + length + 16, 0);

describe('CRC-32C', () => {
  it('gives the examples of RFC 3720', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => 31 - i))).toBe(0x113fdb5c);
  });
});

describe('TFRecord', () => {
  it('reads every record, and none of an empty file', async () => {
    const found = await readAll(shard);
    expect(found).toHaveLength(records.labels.length);
    const labels = found.map((each) => integerFeature(readTfExample(each, 'r'), 'label', 'r'));
    expect(labels).toEqual(records.labels);
    expect(await readAll(new Uint8Array(0))).toEqual([]);
  });

  it('names the record that is cut off, wherever it is', async () => {
    const second = await startOf(1);
    for (const length of [second + 5, second + 12, second + 40, shard.length - 1]) {
      const number = length < (await startOf(2)) ? 2 : 3;
      const line = await inputLine(() => readAll(shard.subarray(0, length)));
      expect(line).toMatch(
        new RegExp(`val-0.tfrecords: record ${number}: expected a whole record, got \\d+ bytes`),
      );
    }
  });

  it('names the record with a wrong checksum, of its length or its content', async () => {
    const second = await startOf(1);
    expect(await inputLine(() => readAll(changed(second)))).toContain(
      'record 2: expected a length that matches its CRC-32C',
    );
    expect(await inputLine(() => readAll(changed(second + 9)))).toContain(
      'record 2: expected a length',
    );
    expect(await inputLine(() => readAll(changed(second + 30)))).toContain(
      'record 2: expected content',
    );
    expect(await inputLine(() => readAll(changed(shard.length - 1)))).toContain('record 3');
  });
});

describe('tf.train.Example', () => {
  const first = async (): Promise<Uint8Array> => (await readAll(shard))[0]!;

  it('reads bytes, whole numbers and floats', async () => {
    const example = readTfExample(await first(), 'record 1');
    expect([...bytesFeature(example, 'image', 'r').subarray(0, 2)]).toEqual([0xff, 0xd8]);
    expect(example.get('weight')).toEqual({ kind: 'floats', values: Float32Array.of(0.5) });
    const [negative] = await readAll(bytesOf(records.negative));
    expect(integerFeature(readTfExample(negative!, 'r'), 'label', 'r')).toBe(-7);
  });

  it('says which features there are where one is missing or of another kind', async () => {
    const example = readTfExample(await first(), 'record 1');
    await expect(async () => bytesFeature(example, 'mask', 'record 1')).rejects.toThrow(
      'record 1: expected a feature "mask" (bytes), got image, heatmap, label, weight',
    );
    await expect(async () => integerFeature(example, 'weight', 'record 1')).rejects.toThrow(
      'record 1: weight: expected a tf.train.Example, got 1 floats',
    );
  });

  it('reads or refuses whatever bytes there are', async () => {
    const whole = await first();
    const random = createRandom('example');
    for (let i = 0; i < 300; i++) {
      const bytes = whole.slice(0, random.int(whole.length));
      for (let k = 0; k < 3 && bytes.length > 0; k++)
        bytes[random.int(bytes.length)] = random.int(256);
      try {
        readTfExample(bytes, 'r');
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(VentralError);
      }
    }
  });
});
