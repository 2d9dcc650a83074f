#!/usr/bin/env node
import { runCli } from './program.ts';

// A reader that has seen enough (`| head`) closes the pipe: nothing is left to be said to it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2));
