import type { Command } from 'commander';
import { listLayers } from '../models/layers.ts';
import { openNetwork } from '../models/network.ts';
import { createNodeFiles } from '../node/files.ts';
import { createNodeHash } from '../node/hash.ts';
import type { Layer } from '../records/model.ts';
import { tableLines } from '../report/table.ts';
import { parsePath } from './options.ts';

const sizeOf = ({ shape }: Layer): number | null =>
  shape.reduce<number | null>(
    (product, size) => (product === null || size === null ? null : product * size),
    1,
  );

const layerLines = (layers: readonly Layer[]): string[] =>
  tableLines(
    [
      { head: 'layer', align: 'left' },
      { head: 'operation', align: 'left' },
      { head: 'shape', align: 'left' },
      { head: 'features', align: 'right' },
    ],
    layers.map((layer) => [
      layer.name,
      layer.operation,
      layer.shape.map((size) => size ?? '?').join('×'),
      String(sizeOf(layer) ?? '?'),
    ]),
  );

export const addLayersCommand = (program: Command): void => {
  program
    .command('layers')
    .description('list the layers of a network: name, operation, shape without the batch, features')
    .argument('<model>', 'ONNX file', parsePath)
    .option('--json', 'as JSON')
    .action(async (model: string, { json }: { json?: boolean }) => {
      const network = await openNetwork(model, {
        files: createNodeFiles(),
        hash: createNodeHash(),
      });
      const layers = listLayers(network.structure);
      const text = json
        ? JSON.stringify(
            layers.map((layer) => ({ ...layer, features: sizeOf(layer) })),
            null,
            2,
          )
        : layerLines(layers).join('\n');
      process.stdout.write(`${text}\n`);
    });
};
