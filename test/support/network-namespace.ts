// A network of its own for some processes of a test, tied to this machine by two cables: one carries what nodes say to each other, the other
// leads to ZooKeeper, and each can be pulled. Only for root; names begin with a prefix and the pid, so that what a killed run left is found.

import { execFileSync, spawnSync } from 'node:child_process';
import { provide } from '../../scripts/support/debian.ts';
import { isAlive } from './kim.ts';

const PREFIX = 'kimns';

/** Why tests with networks of their own cannot run here, or false: for the option `skip` of a test. */
export const noNamespaces: string | false = reason();

function reason(): string | false {
  const missing = provide({ files: ['ip'], packages: ['iproute2'] });
  if (missing !== undefined) return missing;
  if (process.getuid?.() !== 0) return 'networks can be made only by root; run the tests as root';
  const name = `${PREFIX}${process.pid}t`;
  const { status, stderr } = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (status === 0) spawnSync('ip', ['netns', 'del', name]);
  return status === 0
    ? false
    : `networks can not be made here (ip netns add: ${stderr.trim()}); give the container the capability SYS_ADMIN and NET_ADMIN`;
}

interface Ending {
  after(end: () => void): void;
}

export type Cable = 'nodes' | 'zookeeper';

/** The device and the address of each end: here, and there. */
interface Ends {
  readonly device: string;
  readonly here: string;
  readonly there: string;
}

let made = 0;

export class NetworkNamespace {
  readonly #name: string;
  readonly #cables: Readonly<Record<Cable, Ends>>;

  constructor(t: Ending) {
    removeRemains();
    this.#name = `${PREFIX}${process.pid}x${made++}`;
    t.after(() => removeNamespace(this.#name));
    ip('netns', 'add', this.#name);
    this.#cables = { nodes: this.#lay(0), zookeeper: this.#lay(1) };
    ip('-n', this.#name, 'link', 'set', 'lo', 'up');
  }

  /** Address of this machine at that cable, for those in the other network. */
  here(cable: Cable): string {
    return this.#cables[cable].here;
  }

  /** Address of the other network at that cable, for those on this machine. */
  there(cable: Cable): string {
    return this.#cables[cable].there;
  }

  /** What has to stand before a command to run it there. */
  get command(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Pulls a cable: nothing arrives, and nobody is told. */
  cut(cable: Cable): void {
    ip('link', 'set', this.#cables[cable].device, 'down');
  }

  mend(cable: Cable): void {
    ip('link', 'set', this.#cables[cable].device, 'up');
  }

  #lay(n: number): Ends {
    // two addresses of a block of four; names of devices have at most 15 letters
    const block = (process.pid * 8 + made * 2 + n) % (1 << 14);
    const address = (last: number) => `10.213.${block >> 6}.${(block & 63) * 4 + last}`;
    const [here, there] = [address(1), address(2)];
    const [device, far] = [`kim${process.pid}n${made}${n}`, `kim${process.pid}f${made}${n}`];
    ip('link', 'add', device, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name);
    ip('addr', 'add', `${here}/30`, 'dev', device);
    ip('link', 'set', device, 'up');
    ip('-n', this.#name, 'addr', 'add', `${there}/30`, 'dev', far);
    ip('-n', this.#name, 'link', 'set', far, 'up');
    return { device, here, there };
  }
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** With whatever still runs there; its cables go with it. */
function removeNamespace(name: string): void {
  const { stdout } = spawnSync('ip', ['netns', 'pids', name], { encoding: 'utf8' });
  for (const pid of stdout.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // it has just ended
    }
  }
  spawnSync('ip', ['netns', 'del', name]);
}

/** Those of runs that were killed. */
function removeRemains(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [, name, pid] = new RegExp(`^(${PREFIX}(\\d+)\\w*)`).exec(line) ?? [];
    if (name !== undefined && !isAlive(Number(pid))) removeNamespace(name);
  }
}
