// Modules that a test writes itself, to be loaded by real workers, and a switch that changes what they do while they run.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface OwnModules {
  readonly folder: string;
  /** Writes a module again, as an editor would. */
  write(file: string, source: string): void;
  /** Code of these modules sees it as `isOn()`. */
  turnOn(): void;
  turnOff(): void;
}

/** A folder with module files, gone after the test. A source is the default export, and may use `isOn` and `sleep`. */
export function ownModules(t: TestContext, sources: Record<string, string>): OwnModules {
  const folder = mkdtempSync(join(tmpdir(), 'kim-modules-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const flag = join(folder, 'on');
  const before =
    `import { existsSync } from 'node:fs';\n` +
    `const isOn = () => existsSync(${JSON.stringify(flag)});\n` +
    `const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));\n`;
  const write = (file: string, source: string) => writeFileSync(join(folder, file), `${before}export default ${source};\n`);
  for (const [file, source] of Object.entries(sources)) write(file, source);
  return {
    folder,
    write,
    turnOn: () => writeFileSync(flag, ''),
    turnOff: () => existsSync(flag) && rmSync(flag),
  };
}
