// npm run build: makes dist/, which runs with plain Node.js and is what the package and the image hold.

import { chmodSync, cpSync, existsSync, globSync, rmSync } from 'node:fs';
import { root, runScript } from './support/project.ts';

const BUILD_TIMEOUT_MS = 5 * 60_000;
/** Files beside the sources that are read when the server runs; tsc copies none of them. */
const ASSETS = ['**/*.proto', '**/*.html', '**/*.css'];
const PROGRAMS = ['cli/main.js', 'cli/kubectl-kim.js'];

rmSync(`${root}/dist`, { recursive: true, force: true });
const { code, output } = await runScript('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { timeoutMs: BUILD_TIMEOUT_MS });
if (code !== 0) {
  process.stderr.write(output);
  console.error('the sources have errors of type; nothing was built');
  rmSync(`${root}/dist`, { recursive: true, force: true });
  process.exit(1);
}
for (const asset of globSync(ASSETS, { cwd: `${root}/src` })) cpSync(`${root}/src/${asset}`, `${root}/dist/${asset}`);
for (const program of PROGRAMS) {
  if (!existsSync(`${root}/dist/${program}`)) throw new Error(`the sources made no dist/${program}`);
  chmodSync(`${root}/dist/${program}`, 0o755);
}
console.log(`built dist: ${globSync('**/*.js', { cwd: `${root}/dist` }).length} modules`);
