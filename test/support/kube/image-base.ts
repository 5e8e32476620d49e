// What the Dockerfile of the project builds on in tests: an image with Node.js and npm of this machine, made without a registry.

import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { run } from './run.ts';

/** Certificates that this machine trusts: packages may come through a proxy with an authority of its own. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** Where a build keeps packages between runs: mounted there. */
export const NPM_CACHE = '/npm-cache';

/** The folder of npm, or undefined where there is none. */
export function npmFolder(): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const program = join(folder, 'npm');
    if (!existsSync(program)) continue;
    // .../npm/bin/npm-cli.js
    const npm = dirname(dirname(realpathSync(program)));
    if (existsSync(join(npm, 'package.json'))) return npm;
  }
  return undefined;
}

/** Writes the files of the base and its Dockerfile into a folder that is not there yet. */
export async function writeBase(folder: string): Promise<void> {
  const npm = npmFolder();
  if (npm === undefined) throw new Error('npm is not on the PATH; install it to build the image');
  const files = join(folder, 'files');
  const place = (path: string): string => {
    const file = join(files, path);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  const program = (from: string, to: string) => {
    copyFileSync(realpathSync(from), place(to));
    chmodSync(place(to), 0o755);
  };
  program('/bin/busybox', '/bin/busybox');
  for (const applet of (await run('/bin/busybox', ['--list'])).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', place(`/bin/${applet}`));
  }
  symlinkSync('/bin/env', place('/usr/bin/env'));
  program(process.execPath, '/usr/local/bin/node');
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
  for (const library of sharedObjects.filter((file) => existsSync(file))) program(library, library);
  cpSync(npm, place('/usr/local/lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', place('/usr/local/bin/npm'));
  mkdirSync(place(NPM_CACHE));
  mkdirSync(place('/tmp'));
  writeFileSync(place('/etc/passwd'), 'root:x:0:0:root:/:\n');
  const env = [
    'PATH=/usr/local/bin:/bin:/usr/bin',
    'HOME=/tmp',
    `npm_config_cache=${NPM_CACHE}`,
    'npm_config_prefer_offline=true',
    // where this machine gets its packages from
    `npm_config_registry=${(await run('npm', ['config', 'get', 'registry'])).trim()}`,
  ];
  if (existsSync(CERTIFICATES)) {
    writeFileSync(place(CERTIFICATES), readFileSync(CERTIFICATES));
    env.push(`NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, `npm_config_cafile=${CERTIFICATES}`);
  }
  writeFileSync(join(folder, 'Dockerfile'), ['FROM scratch', 'COPY files/ /', `ENV ${env.join(' ')}`, ''].join('\n'));
}
