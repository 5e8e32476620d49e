// What users' modules get when they import 'kimserver': the server that loads them, wherever their folder is.
// Without this, a folder beside a clone would need a build and a link, and two copies of the API would not know each other's faults.

import { registerHooks } from 'node:module';
import { extname } from 'node:path';

const PUBLIC_API = new URL(`../index${extname(import.meta.url)}`, import.meta.url).href;

let isOffered = false;

/** From now on `import ... from 'kimserver'` means the public API of this server, in every file that is loaded. */
export function offerPublicApi(): void {
  if (isOffered) return;
  isOffered = true;
  registerHooks({
    resolve: (specifier, context, next) => (specifier === 'kimserver' ? { url: PUBLIC_API, shortCircuit: true } : next(specifier, context)),
  });
}
