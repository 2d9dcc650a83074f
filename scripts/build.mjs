// Makes `dist`, the published package, from `src`: modules, their types, and the executable command line.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
const main = join(root, 'dist/cli/main.js');

rmSync(join(root, 'dist'), { recursive: true, force: true });
// Without --force the compiler trusts its build information and writes nothing into the emptied folder.
const projects = ['tsconfig.rooms.json', 'tsconfig.edge.json'];
const { status } = spawnSync(
  process.execPath,
  [join(dirname(compiler), 'bin/tsc'), '--build', '--force', ...projects],
  { cwd: root, stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);

if (!readFileSync(main, 'utf8').startsWith('#!/usr/bin/env node\n')) {
  console.error('dist/cli/main.js: expected the first line #!/usr/bin/env node');
  process.exit(1);
}
chmodSync(main, 0o755);
