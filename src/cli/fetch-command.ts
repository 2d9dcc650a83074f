import type { Command } from 'commander';
import { type CatalogueEntry, catalogue, catalogueSeries } from '../data/catalogue.ts';
import { type Fetched, fetchRecording, folderOfEntry } from '../data/fetch.ts';
import { createNodeFiles } from '../node/files.ts';
import { createNodeHdf5 } from '../node/hdf5.ts';
import { cacheFolder } from '../node/platform.ts';
import type { Files } from '../records/ports.ts';
import { bytesText, tableLines } from '../report/table.ts';
import { parsePath } from './options.ts';
import { withNetwork } from './session.ts';

export const addListCommand = (data: Command): void => {
  data
    .command('list')
    .description('known data sets: what, size, licence, whether on disk, citation')
    .action(async () => {
      const lines = await listLines(cacheFolder(), createNodeFiles());
      process.stdout.write(`${lines.join('\n')}\n`);
    });
};

export const addFetchCommand = (data: Command): void => {
  data
    .command('fetch')
    .description('bring a known data set to this computer: recordings, human maps, files')
    .argument('<name>', 'as ventral data list shows it')
    .option(
      '--from <address|file|folder>',
      "a mirror with the owner's file names (an address ends with /), or the file itself where there is one",
      parsePath,
    )
    .option('--quiet', 'no progress on standard error')
    .action((name: string, { from, quiet = false }: { from?: string; quiet?: boolean }) =>
      withNetwork({ quiet }, async (ports) => {
        const request = { name, root: cacheFolder(), from: from ?? null };
        const fetched = await fetchRecording(request, { ...ports, hdf5: createNodeHdf5() });
        process.stdout.write(`${fetchedLines(fetched).join('\n')}\n`);
      }),
    );
};

const sizeText = ({ files }: CatalogueEntry): string => {
  const total = files.reduce<number | null>(
    (sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes),
    0,
  );
  return total === null ? 'not stated' : bytesText(total);
};

const sizeOnDisk = async (path: string, files: Files): Promise<number> => {
  const info = await files.info(path);
  if (info === null || info.kind === 'file') return info?.size ?? 0;
  let sum = 0;
  for (const name of await files.list(path)) sum += await sizeOnDisk(`${path}/${name}`, files);
  return sum;
};

/** Name, size, licence and place of each; below that what it is, and whom to cite. */
const listLines = async (root: string, files: Files): Promise<string[]> => {
  const onDisk = async (entry: CatalogueEntry): Promise<string | null> => {
    const folder = folderOfEntry(entry, root);
    if ((await files.info(folder)) === null) return null;
    return `${bytesText(await sizeOnDisk(folder, files))} in ${folder}`;
  };
  const rows: { name: string; entry: CatalogueEntry; what: string; place: string | null }[] = [];
  for (const entry of catalogue)
    rows.push({ name: entry.name, entry, what: entry.what, place: await onDisk(entry) });
  for (const { pattern, what, entries } of catalogueSeries) {
    rows.push({ name: pattern, entry: entries[0]!, what, place: null });
    for (const entry of entries) {
      const place = await onDisk(entry);
      if (place !== null) rows.push({ name: entry.name, entry, what: entry.what, place });
    }
  }
  const heads = ['name', 'download', 'licence', 'on disk'] as const;
  const table = tableLines(
    heads.map((head) => ({ head, align: 'left' })),
    rows.map(({ name, entry, place }) => [
      name,
      sizeText(entry),
      entry.licence ?? 'not stated',
      place ?? 'no',
    ]),
  );
  const details = rows.flatMap(({ name, entry, what }) => [
    '',
    name,
    `  ${what}`,
    `  ${entry.citation}`,
  ]);
  return [...table, ...details];
};

const fetchedLines = ({ entry, folder, recordings, files }: Fetched): string[] => [
  files === null
    ? `${entry.name} is there already: ${folder} (remove it to fetch again)`
    : `${entry.name} is in ${folder}`,
  ...(files ?? []).map(
    ({ path, bytes, sha256, verified }) =>
      `  ${path}  ${bytesText(bytes)}  SHA-256 ${sha256}${verified ? ' (as published)' : ' (none published)'}`,
  ),
  ...recordings.map((name) => `ventral score model.onnx --recording ${name}`),
  ...(entry.import.kind === 'human-maps' ? [`ventral align model.onnx --maps ${entry.name}`] : []),
  `licence: ${entry.licence ?? 'not stated'}; please cite ${entry.citation}`,
];
