// A network of its own for some processes of a test, tied to this machine by two cables: one carries what nodes say to each other, the other
// leads to ZooKeeper, and can be pulled. Only for root; names begin with a prefix and the pid, so that what a killed run left is found.

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

/** Two cables, each with an end here and one there. */
interface Cable {
  readonly near: string;
  readonly far: string;
  /** Address of the end here, and there. */
  readonly here: string;
  readonly there: string;
}

let made = 0;

export class NetworkNamespace {
  readonly #name: string;
  readonly #nodes: Cable;
  readonly #zookeeper: Cable;

  constructor(t: Ending) {
    removeRemains();
    const id = `${process.pid}x${made++}`;
    this.#name = `${PREFIX}${id}`;
    t.after(() => removeNamespace(this.#name));
    ip('netns', 'add', this.#name);
    this.#nodes = this.#lay(0);
    this.#zookeeper = this.#lay(1);
    ip('-n', this.#name, 'link', 'set', 'lo', 'up');
  }

  /** Of this machine as the other network sees it, for nodes. */
  get here(): string {
    return this.#nodes.here;
  }

  /** Of what runs in the other network. */
  get there(): string {
    return this.#nodes.there;
  }

  /** Where ZooKeeper has to listen for the other network. */
  get zookeeperHost(): string {
    return this.#zookeeper.here;
  }

  /** What has to stand before a command to run it there. */
  get command(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Pulls the cable to ZooKeeper: nothing arrives, and nobody is told. */
  cut(): void {
    ip('link', 'set', this.#zookeeper.near, 'down');
  }

  mend(): void {
    ip('link', 'set', this.#zookeeper.near, 'up');
  }

  #lay(n: number): Cable {
    // two addresses of each block of four; names of devices have at most 15 letters
    const block = (process.pid * 8 + made * 2 + n) % (1 << 14);
    const [third, fourth] = [block >> 6, (block & 63) * 4];
    const [near, far] = [`kim${process.pid}n${made}${n}`, `kim${process.pid}f${made}${n}`];
    const cable = { near, far, here: `10.213.${third}.${fourth + 1}`, there: `10.213.${third}.${fourth + 2}` };
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', this.#name);
    ip('addr', 'add', `${cable.here}/30`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', this.#name, 'addr', 'add', `${cable.there}/30`, 'dev', far);
    ip('-n', this.#name, 'link', 'set', far, 'up');
    return cable;
  }
}

function ip(...words: string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What stands in it has to be gone before: its cables go with it. */
function removeNamespace(name: string): void {
  spawnSync('ip', ['netns', 'del', name]);
}

/** Those of runs that were killed. */
function removeRemains(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [, name, pid] = new RegExp(`^(${PREFIX}(\\d+)\\w*)`).exec(line) ?? [];
    if (name !== undefined && !isAlive(Number(pid))) removeNamespace(name);
  }
}
