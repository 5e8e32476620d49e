// Files as the user names them.

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The KimCluster that comes with this package. */
export const QUICKSTART = fileURLToPath(new URL('../../manifests/quickstart.yaml', import.meta.url));

/**
 * The whole path of a file that the user named. "npm run kim" runs in the folder of this package, wherever the user stands; npm keeps that
 * folder in INIT_CWD.
 */
export function userPath(file: string, env: Readonly<Record<string, string | undefined>> = process.env): string {
  const isOurScript = env['npm_package_name'] === 'kimserver' && env['INIT_CWD'] !== undefined;
  return resolve(isOurScript ? env['INIT_CWD']! : '.', file);
}

/** The same file as it is shown: as the user wrote it where that leads there. */
export function shownPath(file: string): string {
  const path = userPath(file);
  return path === resolve(file) ? file : path;
}

/** The environment as a configuration sees it: without what is meant for the command line itself. */
export function nodeEnvironment(env: Readonly<Record<string, string | undefined>> = process.env): Record<string, string | undefined> {
  const { KIM_DEBUG: _debug, ...rest } = env;
  return rest;
}
