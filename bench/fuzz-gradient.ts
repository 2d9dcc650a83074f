// Random small graphs, differentiated twice, held against finite differences in float64:
// npx tsx bench/fuzz-gradient.ts --count 2000 --seed 1 [--operation Conv]. Ends with an error where any disagrees.

import { parseArgs } from 'node:util';
import { heldAgainstDifferences } from '../test/gradient/random-check.ts';
import { OPERATION_NAMES } from '../test/gradient/random-graphs.ts';
import { closeEngine } from '../test/gradient/run.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    operation: { type: 'string' },
  },
});
const leading = values.operation === undefined ? OPERATION_NAMES : [values.operation];
if (!leading.every((name) => OPERATION_NAMES.includes(name))) {
  console.error(`--operation ${OPERATION_NAMES.join(' | ')}`);
  process.exit(2);
}
const started = performance.now();
let wrong = 0;
for (let number = 0; number < Number(values.count); number++) {
  const operation = leading[number % leading.length]!;
  const problem = await heldAgainstDifferences(`fuzz ${values.seed} ${number}`, operation);
  if (problem === null) continue;
  wrong++;
  console.log(problem);
}
await closeEngine();
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`${values.count} graphs, ${wrong} wrong, in ${seconds} s`);
process.exit(wrong === 0 ? 0 : 1);
