import { encodeCsv } from '../formats/csv.ts';
import { decodeText, encodeText } from '../formats/text.ts';
import type { Alignment } from '../records/alignment.ts';
import type { Files } from '../records/ports.ts';
import type { SaliencyRecord } from '../records/saliency.ts';
import { parseStored } from '../records/stored.ts';
import { alignmentFile, saliencyFile } from '../records/stored-kinds.ts';

/** Indented JSON, fields in the order of the record. */
export const encodeAlignment = (record: Alignment | SaliencyRecord): Uint8Array =>
  encodeText(`${JSON.stringify(record, null, 2)}\n`);

/** Reads an alignment file of any format; input error with the field where it is none. */
export const readAlignment = async (path: string, files: Files): Promise<Alignment> =>
  parseStored(alignmentFile, decodeText(await files.read(path), path), path);

/** Reads a list of saliency maps, of any format; input error with the field where it is none. */
export const readSaliency = async (path: string, files: Files): Promise<SaliencyRecord> =>
  parseStored(saliencyFile, decodeText(await files.read(path), path), path);

const cell = (value: number | null | undefined): string => (value == null ? '' : String(value));

/** One line per image; `halves_` of one half of the people against the other; empty cells where a value is not defined. */
export const encodeAlignedImages = ({ images }: Alignment): Uint8Array =>
  encodeText(
    encodeCsv(
      [
        'image',
        'class',
        'spearman',
        'dice',
        'iou',
        'people',
        'halves_spearman',
        'halves_dice',
        'halves_iou',
      ],
      images.map(({ image, class: shown, network, split }) => [
        image,
        String(shown),
        ...[network.spearman, network.dice, network.iou].map(cell),
        cell(split?.people),
        ...[split?.halves.spearman, split?.halves.dice, split?.halves.iou].map(cell),
      ]),
    ),
  );
