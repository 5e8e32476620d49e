// The version of this package, from the one place that has it.

import { readFileSync } from 'node:fs';

/** As in package.json, which lies beside src and beside dist. */
export const version = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;
