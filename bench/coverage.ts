// Whether intervals cover what they claim: worlds with a known truth, scored by the library.
// What is covered: on images, the median over the population of sites (mean over folds) of the correlation that these fitted
// readouts have with the noise-free responses to 20,000 drawn images, which is r / √ρ without noise in either; on grids the
// same for these sites. Worlds are numbered; a world's number is its seed. Finished pieces are kept and not run again.
// npx tsx bench/coverage.ts [--worlds 2000] [--cell image-30] [--seed-base 2000000] [--results DIR] [--minutes M] [--table | --short]
// (a third less processor time with NODE_OPTIONS='--max-semi-space-size=128 --single-threaded-gc'); --table only prints, --short what the
// documentation shows.

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cells } from './coverage/design.ts';
import { measure } from './coverage/measure.ts';
import { pieceOf, readPieces, writePieces } from './coverage/pieces.ts';
import { type Population, populationOf } from './coverage/population.ts';
import { shortTableOf, tableOf } from './coverage/table.ts';

const { values } = parseArgs({
  options: {
    worlds: { type: 'string', default: '2000' },
    cell: { type: 'string', default: '' },
    'seed-base': { type: 'string', default: '2000000' },
    results: {
      type: 'string',
      default: fileURLToPath(new URL('./coverage/results', import.meta.url)),
    },
    /** Processor time, after which no piece is begun. */
    minutes: { type: 'string', default: 'Infinity' },
    table: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
  },
});

/** Worlds of a piece: what an interruption loses at most. */
const size = 25;

const pathOf = (cell: string): string => `${values.results}/${cell}.json`;
const base = Number(values['seed-base']);
const chosen = cells.filter(({ name }) => new RegExp(values.cell).test(name));
const populations = new Map<string, Population>();
const spent = (): number => process.cpuUsage().user / 6e7;

const runPiece = (cell: (typeof cells)[number], first: number): void => {
  const population = populations.get(cell.layout) ?? populationOf(cell.layout);
  populations.set(cell.layout, population);
  const from = spent();
  const piece = pieceOf(
    first,
    Array.from({ length: size }, (_, k) => measure(cell, population, first + k)),
  );
  // Read again: another process may have added pieces meanwhile.
  writePieces(pathOf(cell.name), [...readPieces(pathOf(cell.name)), piece]);
  const seconds = ((spent() - from) * 60) / size;
  console.log(`${cell.name}, worlds from ${first}: ${seconds.toFixed(2)} s of processor a world`);
};

if (!values.table && !values.short) {
  mkdirSync(values.results, { recursive: true });
  // A piece of every cell, then the next of each: an interrupted study is one of fewer worlds.
  for (let first = base; first < base + Number(values.worlds); first += size)
    for (const cell of chosen) {
      if (spent() > Number(values.minutes)) break;
      if (readPieces(pathOf(cell.name)).some((piece) => piece.first === first)) continue;
      runPiece(cell, first);
    }
}
const rows = chosen.map((cell) => ({ cell, pieces: readPieces(pathOf(cell.name)) }));
console.log((values.short ? shortTableOf(rows) : tableOf(rows)).join('\n'));
