// Feeds a parser files that were changed at random, which it must read or refuse: npx tsx bench/fuzz.ts --parser matlab
// --count 100000 --seed 1 [--from 40000, where an earlier run was stopped]; with --cuts each of its files, cut after every
// byte. Ends with an error at the first that crashes it, hangs it, or makes it allocate without reason.

import { parseArgs } from 'node:util';
import { createRandom } from '../src/numeric/random.ts';
import { endure, mutations, truncations } from '../test/mutations.ts';
import { parsers } from '../test/parsers.ts';

const { values } = parseArgs({
  options: {
    parser: { type: 'string' },
    count: { type: 'string', default: '100000' },
    from: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    cuts: { type: 'boolean', default: false },
  },
});
const parser = parsers[values.parser ?? ''];
if (parser === undefined) {
  console.error(`--parser ${Object.keys(parsers).join(' | ')}`);
  process.exit(2);
}
function* everyCut(seeds: readonly Uint8Array[]) {
  for (const seed of seeds) yield* truncations(seed);
}

const random = createRandom(`fuzz ${values.parser} ${values.seed}`);
const started = performance.now();
const [from, count] = [Number(values.from), Number(values.count)];
const files = values.cuts
  ? everyCut(parser.seeds())
  : mutations(parser.seeds(), count, random, from);
const elapsed = (): number => (performance.now() - started) / 1000;

/** A line for every thousand files, with the rate and the minutes that are left. */
function* told<T>(all: Iterable<T>): Generator<T> {
  let done = 0;
  for (const file of all) {
    yield file;
    if (++done % 1000 > 0) continue;
    const rate = done / elapsed();
    const left = values.cuts ? '' : `, ${((count - from - done) / rate / 60).toFixed(0)} min left`;
    console.log(`${values.parser}: ${from + done} files, ${rate.toFixed(0)} a second${left}`);
  }
}

const { read, refused } = await endure(told(files), parser.parse, parser.seconds);
const seconds = elapsed().toFixed(0);
console.log(`${values.parser}: ${read} read, ${refused} refused, in ${seconds} s`);
process.exit(0);
