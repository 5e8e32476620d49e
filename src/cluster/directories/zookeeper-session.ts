// A session with ZooKeeper that is kept for as long as that is possible, over one connection after another, and made anew when it has expired.

import { codeOf, connectZookeeper, type ConnectOptions, type ServerAddress, type ZookeeperConnection } from './zookeeper-client.ts';

export type SessionOptions = Pick<ConnectOptions, 'sessionTimeoutMs' | 'auth' | 'acl'> & { readonly servers: readonly ServerAddress[] };

export interface SessionEvents {
  /** Connected. Nothing is watched any more that was watched before, and of a session that expired nothing is left. */
  up(connection: ZookeeperConnection): void;
  /** The connection is lost; the next is being looked for. */
  lost(): void;
  /** All servers were tried in vain: one sentence. They are tried again. */
  down(reason: string): void;
}

const CONNECT_MS = 1000;
/** Between two rounds over all servers: short, since a server that is back has to be found within a second. */
const FIRST_PAUSE_MS = 50;
const LAST_PAUSE_MS = 400;
/** A connection that lasted so long was worth having: what follows begins without a pause. */
const GOOD_MS = 2000;

export class ZookeeperSession {
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  #servers: ServerAddress[];
  #session: ConnectOptions['session'];
  #connection: ZookeeperConnection | undefined;
  readonly #end = new AbortController();
  #isClosed = false;
  #wake: () => void = () => undefined;
  #run: Promise<void> | undefined;

  constructor(options: SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
    // not all nodes of a cluster on the same server
    this.#servers = options.servers
      .map((server) => ({ server, order: Math.random() }))
      .sort((a, b) => a.order - b.order)
      .map(({ server }) => server);
  }

  open(): void {
    this.#run ??= this.#keep();
  }

  /** Ends the session, so that all that is ephemeral goes at once; gives up after a second. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.end();
    this.#end.abort();
    this.#wake();
    await this.#run;
  }

  async #keep(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#isClosed) {
      const { promise: lost, resolve } = Promise.withResolvers<void>();
      const found = await this.#find(resolve);
      if (typeof found === 'string') {
        if (this.#isClosed) return;
        this.#events.down(found);
        await this.#pause(pause);
        pause = Math.min(pause * 2, LAST_PAUSE_MS);
        continue;
      }
      if (this.#isClosed) return found.end();
      const since = performance.now();
      this.#connection = found;
      this.#session = found.session;
      this.#events.up(found);
      this.#wake = resolve;
      await lost;
      if (this.#isClosed) return;
      this.#connection = undefined;
      this.#events.lost();
      if (performance.now() - since > GOOD_MS) pause = FIRST_PAUSE_MS;
      else await this.#pause(pause);
    }
  }

  /** One round over the servers, beginning behind the last that was used. Resolves with a connection, or with what each server said. */
  async #find(lost: () => void): Promise<ZookeeperConnection | string> {
    const problems: string[] = [];
    for (const server of this.#servers) {
      if (this.#isClosed) break;
      try {
        const connection = await this.#connect(server, lost);
        this.#servers = [...this.#servers.filter((other) => other !== server), server];
        return connection;
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
    return `no ZooKeeper server can be used: ${problems.join('; ')}`;
  }

  async #connect(server: ServerAddress, lost: () => void): Promise<ZookeeperConnection> {
    const { sessionTimeoutMs, auth, acl } = this.#options;
    const options = { server, sessionTimeoutMs, auth, acl, connectMs: CONNECT_MS, signal: this.#end.signal, lost };
    try {
      return await connectZookeeper({ ...options, session: this.#session });
    } catch (error) {
      if (codeOf(error) !== 'expired') throw error;
      this.#session = undefined;
      return connectZookeeper(options);
    }
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }
}
