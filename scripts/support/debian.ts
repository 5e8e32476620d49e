// Programs of Debian that tests need: found, or installed where that is possible without asking anybody.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

const INSTALL_TIMEOUT_MS = 5 * 60_000;
/** Test files run side by side, and apt-get works for one at a time. */
const LOCK = '/tmp/kimserver-apt.lock';

export interface Needed {
  /** What must be there: a program on the PATH, or a file with its full path. */
  readonly files: readonly string[];
  /** The packages that bring it. */
  readonly packages: readonly string[];
  /** One of systemd that they would start, now and with the machine: tests need its program alone, so it is masked before. */
  readonly service?: string;
}

/** Makes sure that it is there. Returns undefined, or one sentence with the cure for whoever runs the tests. */
export function provide({ files, packages, service }: Needed): string | undefined {
  const missing = files.filter((file) => !isThere(file));
  if (missing.length === 0) return undefined;
  const install = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  // without a systemd there is nothing that would start it
  const command = service === undefined ? install : `{ systemctl --root=/ mask ${service} || true; } && ${install}`;
  const cure = `${missing.join(' and ')} is missing; as root: ${command}`;
  if (process.getuid?.() !== 0 || !isThere('apt-get') || !isThere('flock')) return cure;
  // whoever had the lock before may have installed the same; then apt-get has nothing to do
  for (const line of [command, `apt-get update && ${command}`]) {
    const { status } = spawnSync('flock', [LOCK, 'sh', '-c', line], {
      stdio: 'ignore',
      timeout: INSTALL_TIMEOUT_MS,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    if (status === 0 && files.every(isThere)) return undefined;
  }
  return `${cure} (tried, and it failed)`;
}

function isThere(file: string): boolean {
  if (isAbsolute(file)) return existsSync(file);
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, file), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
