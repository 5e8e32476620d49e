// Nodes that find each other, each as `kim node` in a process of its own with its workers: to be stopped, killed and cut off.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { FileDirectory } from '../../src/cluster/directories/file.ts';
import type { Announcement } from '../../src/cluster/directory.ts';
import type { LinkView, MemberView, Readiness } from '../../src/ops/admin-schema.ts';
import type { NodeStatus } from '../../src/ops/snapshot.ts';
import { KimNode } from './kim.ts';
import { MODULES } from './node.ts';
import { ROUTE } from './nodes.ts';
import { childrenOf } from './processes.ts';
import { until } from './until.ts';

type Raw = Readonly<Record<string, unknown>>;

/** Longer than a test may take. */
const LIFE_MS = 90_000;

interface HowStarted {
  env?: NodeJS.ProcessEnv;
  /** A command that becomes the one that is given to it, as in another network. */
  within?: readonly string[];
}

const DEFAULTS = {
  node_host: '127.0.0.1',
  node_port: 0,
  admin_port: 0,
  drain_ms: 400,
  // what is served is looked for at once, and a worker that died comes back soon
  restart_min_ms: 1,
};

/** A node in a process. */
export class NodeProcess {
  readonly kim: KimNode;
  readonly name: string;

  constructor(kim: KimNode, name: string) {
    this.kim = kim;
    this.name = name;
  }

  get pid(): number {
    return this.kim.child.pid!;
  }

  /** Where clients connect. */
  get port(): number {
    return this.kim.port;
  }

  get nodePort(): number {
    const serves = this.kim.lines.find(({ msg }) => msg === 'node serves')!;
    return (serves['listeners'] as { kind: string; port: number }[]).find(({ kind }) => kind === 'node')!.port;
  }

  /** The processes of its workers, by their numbers. */
  workers(): number[] {
    return childrenOf(this.pid).sort((a, b) => a - b);
  }

  /** The node with all its workers. */
  signal(signal: NodeJS.Signals): void {
    for (const pid of [this.pid, ...this.workers()]) process.kill(pid, signal);
  }

  async #get<T>(path: string): Promise<T> {
    return (await (await fetch(`http://${this.kim.admin}${path}`)).json()) as T;
  }

  status(): Promise<NodeStatus> {
    return this.#get('/status');
  }

  async members(): Promise<MemberView[]> {
    return (await this.#get<{ members: MemberView[] }>('/members')).members;
  }

  async links(): Promise<LinkView[]> {
    return (await this.#get<{ links: LinkView[] }>('/links')).links;
  }

  readiness(): Promise<Readiness> {
    return this.#get('/readyz');
  }

  /** Waits until it knows exactly as many members as are given, or those for which `fits` holds. */
  knows(
    fits: number | ((members: readonly MemberView[]) => boolean),
    what = `${this.name} knows ${String(fits)} nodes`,
  ): Promise<MemberView[]> {
    return until(async () => {
      const members = await this.members();
      return (typeof fits === 'number' ? members.length === fits : fits(members)) ? members : undefined;
    }, what);
  }
}

/** A node that is announced as long as the test says so. */
interface Pretended {
  come(): Promise<void>;
  go(): Promise<void>;
}

export class NodeProcesses {
  /** Where their configurations are, and the members where no other directory is given. */
  readonly folder: string;
  readonly members: string;
  readonly #t: TestContext;
  readonly #common: Raw;
  readonly #nodes: NodeProcess[] = [];
  readonly #directories: FileDirectory[] = [];
  #count = 0;

  /** All nodes have the keys of `common`. */
  constructor(t: TestContext, common: Raw = {}) {
    this.#t = t;
    this.folder = mkdtempSync(join(tmpdir(), 'kim-faults-'));
    this.members = join(this.folder, 'members');
    this.#common = { ...DEFAULTS, directory_path: this.members, ...common };
    t.after(async () => {
      for (const { kim } of this.#nodes) kim.signal('SIGKILL');
      await Promise.all(this.#nodes.map(({ kim }) => kim.ended()));
      await Promise.all(this.#directories.map((directory) => directory.close()));
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
    });
  }

  gate(raw: Raw = {}, how?: HowStarted): Promise<NodeProcess> {
    return this.start({ node_type: 'gate', gate_host: '127.0.0.1', gate_port: 0, modules: [], routes: [ROUTE], ...raw }, how);
  }

  logic(raw: Raw = {}, how?: HowStarted): Promise<NodeProcess> {
    return this.start({ node_type: 'logic', modules: [`${MODULES}/load.ts`, `${MODULES}/social.ts`, 'echo'], ...raw }, how);
  }

  /** Starts it, and waits until it serves. */
  async start(raw: Raw, how: HowStarted = {}): Promise<NodeProcess> {
    const name = `kim-fault-${++this.#count}`;
    const file = join(this.folder, `${name}.json`);
    writeFileSync(file, JSON.stringify({ server_name: name, ...this.#common, ...raw }));
    const node = new NodeProcess(new KimNode(this.#t, [file], { ...how, lifeMs: LIFE_MS }), name);
    this.#nodes.push(node);
    await node.kim.logged('node serves');
    return node;
  }

  /** Announces a node that is none of these processes, if it is there at all. */
  async pretend(self: Pick<Announcement, 'type' | 'port'> & { gate?: string }): Promise<Pretended> {
    const { type, port, gate = '' } = self;
    const facts = { state: 'serving', version: '0', connections: 0, gate } as const;
    const directory = new FileDirectory({ folder: this.members, writer: String(port) });
    this.#directories.push(directory);
    const come = () =>
      directory.announce({ type, host: '127.0.0.1', port, workers: 1, activeTime: Date.now() / 1000, name: `pretended-${port}`, facts });
    await come();
    return { come, go: () => directory.withdraw() };
  }

  /** Waits until each of them knows all of them. */
  async settled(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.knows(this.#nodes.length)));
  }
}
