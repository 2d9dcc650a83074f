#!/usr/bin/env node
import { storageFailure } from '../node/failures.ts';
import { runCli } from './program.ts';

// A reader that has seen enough (`| head`) closes the pipe: nothing is left to be said to it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`ventral: ${storageFailure('write', 'standard output', error).message}\n`);
  process.exit(2);
});
// Whoever closes standard error wants to hear nothing more; the work goes on.
process.stderr.on('error', () => undefined);

process.exitCode = await runCli(process.argv.slice(2));
