import { afterAll, expect, test } from 'vitest';
import { heldAgainstDifferences } from './random-check.ts';
import { OPERATION_NAMES } from './random-graphs.ts';
import { closeEngine } from './run.ts';

afterAll(closeEngine);

/** Each operation leads some graphs, so that none is missed. */
test.each(
  Array.from({ length: 20 }, (_, part) => part),
)('random graphs, twice differentiated, bend as finite differences in float64 say (%i)', async (part) => {
  const problems: string[] = [];
  for (let own = 0; own < 10; own++) {
    const number = part * 10 + own;
    const operation = OPERATION_NAMES[number % OPERATION_NAMES.length]!;
    const problem = await heldAgainstDifferences(`test ${number}`, operation);
    if (problem !== null) problems.push(problem);
  }
  expect(problems).toEqual([]);
});
