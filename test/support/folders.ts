// Folders for tests that share them among things that write by themselves.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** Names of folders that are not there yet. All go after the last test of the file, when nothing of any test writes into them any more. */
export function folderNames(prefix: string): () => string {
  const base = mkdtempSync(join(tmpdir(), `${prefix}-`));
  after(() => rmSync(base, { recursive: true, force: true }));
  let count = 0;
  return () => join(base, `members-${++count}`);
}

/** Makes a folder one that can not be reached: a file has its name. What it held is gone. */
export function blockFolder(folder: string): void {
  removeFolder(folder);
  writeFileSync(folder, 'a file stands in the way');
}

/** Also if somebody goes on writing into it meanwhile. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 1 });
}
