// A gate that handlers of the module "load" wait at (command 2021) until the test opens it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Gate {
  /** The data of the request that shall wait. */
  readonly name: string;
  open(): void;
}

export function closedGate(t: TestContext): Gate {
  const folder = mkdtempSync(join(tmpdir(), 'kim-gate-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const name = join(folder, 'open');
  return { name, open: () => writeFileSync(name, '') };
}
