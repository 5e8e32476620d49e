// Notices every change of a file, also when an editor replaces it instead of writing into it.

import { readFileSync, watch, watchFile, unwatchFile } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

/** Editors write in several steps; what counts is how the file looks when they are done. */
const SETTLE_MS = 100;
/** Where the system gives no notice (network folders), the file is looked at this often. */
const POLL_MS = 1000;

/**
 * Calls back with the new text of the file, once for each change that leaves it readable, also when it differs already from what the
 * caller has read of it. Returns how to end it.
 */
export function watchText(file: string, known: string, changed: (text: string) => void): () => void {
  const path = resolve(file);
  let last = known;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = read(path);
      if (text === undefined || text === last) return;
      last = text;
      changed(text);
    }, SETTLE_MS);
  };
  // the folder, not the file: a file that is replaced takes its watch with it
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === null || name === basename(path)) look();
  });
  watcher.on('error', () => undefined);
  watchFile(path, { interval: POLL_MS }, look);
  look();
  return () => {
    clearTimeout(timer);
    watcher.close();
    unwatchFile(path, look);
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
