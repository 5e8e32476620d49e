// Nodes in a ZooKeeper as tests see them: directories that are observed, records read and written past them, and a proxy that can be cut.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after } from 'node:test';
import type { Announcement, DirectoryHealth } from '../../src/cluster/directory.ts';
import { ZookeeperDirectory, type ZookeeperOptions } from '../../src/cluster/directories/zookeeper.ts';
import { connectZookeeper, type ZookeeperConnection } from '../../src/cluster/directories/zookeeper-client.ts';
import { parseServers } from '../../src/cluster/directories/zookeeper-servers.ts';
import type { Member } from '../../src/cluster/member.ts';
import { silentLogger } from '../../src/ops/log.ts';

interface Ending {
  after(end: () => Promise<void> | void): void;
}

const MAX_MS = 20_000;

/** To be called in a suite: what is opened in its `before` is closed with it. (after() within before() runs at once.) */
export function endOfSuite(): Ending {
  const ends: (() => Promise<void> | void)[] = [];
  after(async () => {
    for (const end of ends.reverse()) await end();
  });
  return { after: (end) => void ends.push(end) };
}

/** What a gate announces; with other values where a test needs them. */
export function gate(values: Partial<Announcement> = {}): Announcement {
  const facts = { state: 'serving', version: '0.1.0', connections: 3, gate: '10.0.0.1:3355' } as const;
  return { type: 'gate', host: '10.0.0.1', port: 3344, workers: 2, activeTime: 1_700_000_000.25, name: 'kim-gate', facts, ...values };
}

/** A directory and all that it told. */
export class Observed {
  readonly directory: ZookeeperDirectory;
  readonly lists: (readonly Member[])[] = [];
  readonly healths: DirectoryHealth[] = [];
  readonly #looks = new Set<() => void>();

  constructor(directory: ZookeeperDirectory) {
    this.directory = directory;
    directory.open({
      members: (list) => {
        this.lists.push(list);
        for (const look of this.#looks) look();
      },
      health: (health) => {
        this.healths.push(health);
        for (const look of this.#looks) look();
      },
    });
  }

  /** What it told last. */
  get members(): readonly Member[] {
    return this.lists.at(-1) ?? [];
  }

  /** Resolves with the list of members, now or later, for which this holds. */
  async when(isSo: (members: readonly Member[]) => boolean, what: string): Promise<readonly Member[]> {
    await this.#when(
      () => this.lists.length > 0 && isSo(this.members),
      what,
      () => JSON.stringify(this.members),
    );
    return this.members;
  }

  async whenHealth(state: DirectoryHealth['state']): Promise<string> {
    const { directory } = this;
    await this.#when(
      () => directory.health.state === state,
      `zookeeper is ${state}`,
      () => JSON.stringify(directory.health),
    );
    return directory.health.detail;
  }

  #when(isSo: () => boolean, what: string, shown: () => string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (isSo()) resolve();
    };
    const timer = setTimeout(() => reject(new Error(`waited in vain until ${what}; the last was ${shown()}`)), MAX_MS);
    this.#looks.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#looks.delete(look);
    });
  }
}

/** A directory of a test; it watches gates and logic nodes if nothing else is said. */
export function observe(t: Ending, options: Pick<ZookeeperOptions, 'servers'> & Partial<ZookeeperOptions>): Observed {
  const observed = new Observed(
    new ZookeeperDirectory({ root: '/kim-test', types: ['gate', 'logic'], sessionTimeoutMs: 2000, log: silentLogger(), ...options }),
  );
  t.after(() => observed.directory.close());
  return observed;
}

/** A client that knows nothing of directories. */
export async function rawClient(
  t: Ending,
  servers: string,
  options: Partial<Parameters<typeof connectZookeeper>[0]> = {},
): Promise<ZookeeperConnection> {
  const client = await connectZookeeper({
    server: parseServers(servers)[0]!,
    sessionTimeoutMs: 10_000,
    acl: 'open',
    connectMs: 2000,
    lost: () => undefined,
    ...options,
  });
  t.after(() => client.end());
  return client;
}

/** Data of all nodes below a path, by what stands behind it. */
export async function tree(client: ZookeeperConnection, path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const leaf of (await client.children(path)).sort()) {
    const { data } = await client.get(`${path}/${leaf}`);
    found[leaf] = data.toString();
    for (const [below, text] of Object.entries(await tree(client, `${path}/${leaf}`))) found[`${leaf}/${below}`] = text;
  }
  return found;
}

/** Resolves when a node is gone. */
export async function whenGone(client: ZookeeperConnection, path: string): Promise<void> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (!(await client.exists(path, () => resolve()))) return;
    await promise;
  }
}

/** Between a client and a server; it can be cut and mended, and knows the sessions that pass. */
export class Proxy {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server;
  #port = 0;
  #session: { id: Buffer; password: Buffer } | undefined;

  private constructor(target: number) {
    this.#target = target;
    this.#server = this.#make();
  }

  static async start(t: Ending, target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    t.after(() => proxy.cut());
    await proxy.mend();
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Of the client that connected last. */
  get session(): { id: Buffer; password: Buffer } {
    if (this.#session === undefined) throw new Error('no session passed yet');
    return this.#session;
  }

  async cut(): Promise<void> {
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    this.#server = this.#make();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #make(): Server {
    return createServer((near) => {
      const far = connect(this.#target, '127.0.0.1');
      // length, protocol version, timeout, session id, length of the password, password
      far.once('data', (bytes: Buffer) => {
        if (bytes.length >= 40 && bytes.readInt32BE(8) > 0)
          this.#session = { id: bytes.subarray(12, 20), password: bytes.subarray(24, 40) };
      });
      for (const [one, other] of [[near, far] as const, [far, near] as const]) {
        this.#sockets.add(one);
        one.on('error', () => undefined);
        one.on('close', () => {
          this.#sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }
}
