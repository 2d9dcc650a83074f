// Feeds a parser files that were changed at random, which it must read or refuse: npx tsx bench/fuzz.ts --parser matlab
// --count 100000 --seed 1 [--from 40000, where an earlier run was stopped]. What is changed: --change bytes (default), names
// (of whatever the file names), wires (of a graph), sums (content behind checksums, which are repaired). With --cuts each of its
// files, cut after every byte. Ends with an error at the first that crashes it, hangs it, makes it allocate without reason, or
// changes what all objects inherit; --minutes 2 ends before, --keep FILE writes that file.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createRandom } from '../src/numeric/random.ts';
import { type Change, endure, mutated, mutations, truncations } from '../test/mutations.ts';
import { parsers } from '../test/parsers.ts';

const { values } = parseArgs({
  options: {
    parser: { type: 'string' },
    count: { type: 'string', default: '100000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    change: { type: 'string', default: 'bytes' },
    minutes: { type: 'string', default: 'Infinity' },
    keep: { type: 'string' },
    cuts: { type: 'boolean', default: false },
  },
});
const parser = parsers[values.parser ?? ''];
if (parser === undefined) {
  console.error(`--parser ${Object.keys(parsers).join(' | ')}`);
  process.exit(2);
}
const changes: Readonly<Record<string, Change>> = { bytes: mutated, ...parser.changes };
const change = changes[values.change];
if (change === undefined) {
  console.error(`--change ${Object.keys(changes).join(' | ')}`);
  process.exit(2);
}
function* everyCut(seeds: readonly Uint8Array[]) {
  for (const seed of seeds) yield* truncations(seed);
}

const random = createRandom(`fuzz ${values.parser} ${values.change} ${values.seed}`);
const started = performance.now();
const [from, count] = [Number(values.from), Number(values.count)];
const files = values.cuts
  ? everyCut(parser.seeds())
  : mutations(parser.seeds(), count, random, { from, change });
const elapsed = (): number => (performance.now() - started) / 1000;

let last: Uint8Array = new Uint8Array();

/** A line for every thousand files, with the rate and the minutes that are left. */
function* told<T extends { readonly bytes: Uint8Array }>(all: Iterable<T>): Generator<T> {
  let done = 0;
  for (const file of all) {
    if (elapsed() > 60 * Number(values.minutes)) return;
    last = file.bytes;
    yield file;
    if (++done % 1000 > 0) continue;
    const rate = done / elapsed();
    const left = values.cuts ? '' : `, ${((count - from - done) / rate / 60).toFixed(0)} min left`;
    console.log(`${values.parser}: ${from + done} files, ${rate.toFixed(0)} a second${left}`);
  }
}

const { read, refused } = await endure(told(files), parser.parse, parser.seconds).catch(
  (thrown) => {
    if (values.keep !== undefined) writeFileSync(values.keep, last);
    throw thrown;
  },
);
const seconds = elapsed().toFixed(0);
console.log(`${values.parser} ${values.change}: ${read} read, ${refused} refused, in ${seconds} s`);
process.exit(0);
