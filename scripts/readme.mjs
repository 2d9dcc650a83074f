// Runs the commands that the README shows and writes what they print under them, so that the page never tells tales.
// A block of commands that is followed by a plain block is run as it stands; the output of its last command is shown.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const page = join(root, 'README.md');

const run = (command) =>
  execFileSync('bash', ['-euc', command], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

// What an earlier run left; an import wants a new folder.
for (const left of ['demo', 'score.json'])
  rmSync(join(root, left), { recursive: true, force: true });

const shown = readFileSync(page, 'utf8').replace(
  /(```sh\n)([^`]*)(```\n\n```\n)[^`]*```/g,
  (_, open, commands, between) => {
    const outputs = commands
      .replaceAll('\\\n', ' ')
      .trim()
      .split('\n')
      .map((command) => run(command));
    return `${open}${commands}${between}${outputs.at(-1).trimEnd()}\n\`\`\``;
  },
);
writeFileSync(page, shown);
