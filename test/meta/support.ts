// What the tests about the project itself share: where it is and which files it has.

import { globSync } from 'node:fs';
import { root } from '../../scripts/support/project.ts';

export { root };

/** All TypeScript files of these folders, from the project's folder. */
export function sources(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root })).sort();
}
