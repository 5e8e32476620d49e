// What the tests about the project itself share: where it is and which files it has.

import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's folder, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** All TypeScript files of these folders, from the project's folder. */
export function sources(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root })).sort();
}
