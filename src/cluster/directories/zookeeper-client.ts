// One connection to one ZooKeeper server, with promises and deadlines. The one import of node-zookeeper-client, which is used for its protocol alone.
//
// What the package does when left to itself, and why it is held so short here:
// - It never notices a server that stopped answering, before or after the session is made: here every request has a deadline, and one is always under way.
// - It reconnects by itself with the last transaction that it saw. A server that was restarted empty refuses that for ever; and a frame that was cut
//   off with the old connection garbles the new one. Here each connection is a new client, which takes only the session along.
// - A request that is made while there is no connection waits for ever. Here it fails.
// - Codes that it does not know (a session that moved) are thrown out of its socket's events, which would end the process. Here they end the connection.

import { createRequire } from 'node:module';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** What the ensemble knows us by; whoever holds it can act as us. */
export interface ZookeeperSessionId {
  readonly id: Buffer;
  readonly password: Buffer;
}

export interface ConnectOptions {
  readonly server: ServerAddress;
  /** What is asked for; the servers have bounds of their own. */
  readonly sessionTimeoutMs: number;
  /** To go on with a session; a new one is made otherwise. */
  readonly session?: ZookeeperSessionId | undefined;
  /** As digest authentication takes it. */
  readonly auth?: { readonly user: string; readonly password: string } | undefined;
  /** Who may touch what is created: everybody, or who has the same credentials. */
  readonly acl: 'open' | 'creator';
  /** How long the TCP connection may take. */
  readonly connectMs: number;
  /** Ends the try to connect, and the connection later. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, when it ends for whatever reason but end(). */
  lost(error: ZookeeperError): void;
}

export type ZookeeperErrorCode = 'noNode' | 'nodeExists' | 'notEmpty' | 'notAllowed' | 'expired' | 'lost' | 'other';

/** The message says what was asked, of which path or server, and what came of it. */
export class ZookeeperError extends Error {
  override readonly name = 'ZookeeperError';
  readonly code: ZookeeperErrorCode;

  constructor(code: ZookeeperErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type WatchEvent = 'created' | 'deleted' | 'changed' | 'children';
/** Called once, for the first change after it was set; never after the connection is lost. */
export type Watcher = (event: WatchEvent) => void;

export interface Znode {
  readonly data: Buffer;
  /** Whether it is ephemeral and of this session. */
  readonly isOurs: boolean;
}

export interface CreateOptions {
  /** It goes with the session. */
  readonly ephemeral?: boolean;
  /** Ten digits are appended to its name. */
  readonly sequential?: boolean;
}

// ---- the part of the package that is used ----

type Done = (error: { code: number } | null | undefined, ...results: never[]) => void;

interface Library {
  createClient(servers: string, options: object): LibraryClient;
  readonly ACL: { readonly OPEN_ACL_UNSAFE: object; readonly CREATOR_ALL_ACL: object };
}

interface LibraryClient {
  readonly connectionManager: LibraryManager;
  connect(): void;
  close(): void;
  addAuthInfo(scheme: string, auth: Buffer): void;
  getSessionId(): Buffer;
  getSessionPassword(): Buffer;
  getSessionTimeout(): number;
  create(path: string, data: Buffer, acls: object, mode: number, done: Done): void;
  remove(path: string, done: Done): void;
  setData(path: string, data: Buffer, done: Done): void;
  getData(path: string, watcher: LibraryWatcher | undefined, done: Done): void;
  getChildren(path: string, watcher: LibraryWatcher | undefined, done: Done): void;
  exists(path: string, watcher: LibraryWatcher | undefined, done: Done): void;
}

type LibraryWatcher = (event: { type: number }) => void;

interface LibraryManager {
  servers: ServerAddress[];
  socket?: { destroy(): void };
  connectTimeoutHandler: NodeJS.Timeout | null;
  connect: () => void;
  onSocketConnected: () => void;
  onSocketData: (bytes: Buffer) => void;
  onSocketError: (error: Error) => void;
  on(event: 'state', listener: (state: number) => void): void;
}

const STATE = { disconnected: 0, connected: 2, closed: -2, expired: -3, authFailed: -4 } as const;
const EVENTS: Readonly<Record<number, WatchEvent>> = { 1: 'created', 2: 'deleted', 3: 'changed', 4: 'children' };
const MODE = { ephemeral: 1, sequential: 2 } as const;
const CODES: Readonly<Record<number, readonly [ZookeeperErrorCode, string]>> = {
  [-4]: ['lost', 'the connection was lost'],
  [-101]: ['noNode', 'there is no such node'],
  [-102]: ['notAllowed', 'it is not allowed'],
  [-110]: ['nodeExists', 'it exists'],
  [-111]: ['notEmpty', 'it has children'],
  [-112]: ['expired', 'the session has expired'],
  [-114]: ['notAllowed', 'its access list needs credentials'],
  [-115]: ['notAllowed', 'the credentials are refused'],
};

/** The package is loaded with the first connection: most processes make none. */
const require = createRequire(import.meta.url);

const END_MS = 1000;
const MIN_ANSWER_MS = 100;

/** Resolves with a connection whose session stands; rejects with what stood in the way, after `connectMs` and a third of the session's time at most. */
export function connectZookeeper(options: ConnectOptions): Promise<ZookeeperConnection> {
  return ZookeeperConnection.open(options);
}

export class ZookeeperConnection {
  readonly server: string;
  readonly #options: ConnectOptions;
  readonly #library: Library;
  readonly #client: LibraryClient;
  readonly #opened = Promise.withResolvers<ZookeeperConnection>();
  readonly #waiting = new Set<(error: ZookeeperError) => void>();
  #deadline: NodeJS.Timeout;
  #pulse: NodeJS.Timeout | undefined;
  #answerMs: number;
  #reason = '';
  #over: ZookeeperError | undefined;
  #isEnding = false;
  readonly #abort = (): void => this.drop('it is not needed any more');
  #ended: () => void = () => undefined;

  static open(options: ConnectOptions): Promise<ZookeeperConnection> {
    return new ZookeeperConnection(options).#opened.promise;
  }

  private constructor(options: ConnectOptions) {
    this.#options = options;
    this.server = formatServer(options.server);
    this.#answerMs = Math.max(MIN_ANSWER_MS, Math.floor(options.sessionTimeoutMs / 3));
    this.#library = require('node-zookeeper-client') as Library;
    // which server it is comes in #hold(): the package does not understand all addresses
    this.#client = this.#library.createClient('localhost', {
      sessionTimeout: options.sessionTimeoutMs,
      sessionId: options.session?.id,
      sessionPassword: options.session?.password,
    });
    if (options.auth !== undefined) this.#client.addAuthInfo('digest', Buffer.from(`${options.auth.user}:${options.auth.password}`));
    this.#waiting.add(this.#opened.reject);
    this.#deadline = this.#failIn(options.connectMs, `${this.server} cannot be reached within ${options.connectMs} ms`);
    this.#hold();
    options.signal?.addEventListener('abort', this.#abort);
    this.#client.connect();
    // called by the package when the socket is closed: it shall not try again
    this.#client.connectionManager.connect = () => undefined;
  }

  get session(): ZookeeperSessionId {
    return { id: this.#client.getSessionId(), password: this.#client.getSessionPassword() };
  }

  /** As the servers granted it. */
  get sessionTimeoutMs(): number {
    return this.#client.getSessionTimeout();
  }

  get isUp(): boolean {
    return this.#over === undefined && !this.#isEnding;
  }

  /** Resolves with the path, which a sequential node gets only now. */
  create(path: string, data: Buffer, { ephemeral = false, sequential = false }: CreateOptions = {}): Promise<string> {
    const acl = this.#options.acl === 'open' ? this.#library.ACL.OPEN_ACL_UNSAFE : this.#library.ACL.CREATOR_ALL_ACL;
    const mode = (ephemeral ? MODE.ephemeral : 0) | (sequential ? MODE.sequential : 0);
    return this.#ask('create', path, (done) => this.#client.create(path, data, acl, mode, done), asIs<string>);
  }

  /** Resolves also when there is none. */
  async remove(path: string): Promise<void> {
    try {
      await this.#ask('remove', path, (done) => this.#client.remove(path, done), nothing);
    } catch (error) {
      if (codeOf(error) !== 'noNode') throw error;
    }
  }

  set(path: string, data: Buffer): Promise<void> {
    return this.#ask('set', path, (done) => this.#client.setData(path, data, done), nothing);
  }

  get(path: string, watcher?: Watcher): Promise<Znode> {
    return this.#ask(
      'read',
      path,
      (done) => this.#client.getData(path, watched(watcher), done),
      (data: Buffer | undefined, stat: { ephemeralOwner: Buffer }) => ({
        data: data ?? Buffer.alloc(0),
        isOurs: stat.ephemeralOwner.equals(this.#client.getSessionId()),
      }),
    );
  }

  children(path: string, watcher?: Watcher): Promise<string[]> {
    return this.#ask('list', path, (done) => this.#client.getChildren(path, watched(watcher), done), asIs<string[]>);
  }

  exists(path: string, watcher?: Watcher): Promise<boolean> {
    return this.#ask('look for', path, (done) => this.#client.exists(path, watched(watcher), done), Boolean);
  }

  /** Ends the session too, so that everything ephemeral is gone; gives up after a second. */
  async end(): Promise<void> {
    if (this.#over !== undefined || this.#isEnding) return;
    this.#isEnding = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = resolve;
    this.#clearTimers();
    const timer = setTimeout(resolve, END_MS);
    this.#client.close();
    await promise;
    clearTimeout(timer);
    this.drop('it was closed');
  }

  /** Ends the connection but not the session. */
  drop(reason: string): void {
    this.#fail(new ZookeeperError('lost', `the connection to ${this.server} was dropped: ${reason}`));
  }

  /** Puts our hands between the package and its socket. */
  #hold(): void {
    const manager = this.#client.connectionManager;
    const { onSocketConnected, onSocketData, onSocketError } = manager;
    manager.servers = [{ ...this.#options.server }];
    manager.onSocketConnected = () => {
      clearTimeout(this.#deadline);
      this.#deadline = this.#failIn(this.#answerMs, `${this.server} took the connection but made no session within ${this.#answerMs} ms`);
      onSocketConnected.call(manager);
    };
    manager.onSocketData = (bytes) => {
      try {
        onSocketData.call(manager, bytes);
      } catch (error) {
        this.#fail(new ZookeeperError('lost', `${this.server} sent what is not understood: ${(error as Error).message}`));
      }
    };
    manager.onSocketError = (error) => {
      this.#reason = error.message;
      onSocketError.call(manager, error);
    };
    manager.on('state', (state) => {
      if (state === STATE.connected) this.#up();
      else if (state === STATE.expired) this.#fail(new ZookeeperError('expired', `${this.server} says that the session has expired`));
      else if (state === STATE.authFailed) this.#fail(new ZookeeperError('notAllowed', `${this.server} refuses the credentials`));
      else if (state === STATE.disconnected || state === STATE.closed) {
        this.#fail(new ZookeeperError('lost', `${this.server}: ${this.#reason || 'it closed the connection'}`));
      }
    });
  }

  #up(): void {
    clearTimeout(this.#deadline);
    this.#waiting.clear();
    this.#answerMs = Math.max(MIN_ANSWER_MS, Math.floor(this.sessionTimeoutMs / 3));
    // a server that hangs is found out while there is time to go on with the session at another
    this.#pulse = setInterval(() => {
      this.exists('/').catch(() => undefined);
    }, this.#answerMs / 2);
    this.#opened.resolve(this);
  }

  #ask<T, R extends unknown[]>(what: string, path: string, send: (done: Done) => void, read: (...results: R) => T): Promise<T> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = this.#failIn(this.#answerMs, `${this.server} did not answer within ${this.#answerMs} ms`);
    const refuse = (error: ZookeeperError) => {
      clearTimeout(timer);
      this.#waiting.delete(refuse);
      reject(error);
    };
    this.#waiting.add(refuse);
    const done = (error: { code: number } | null | undefined, ...results: unknown[]) => {
      if (error) {
        const [code, text] = CODES[error.code] ?? ['other', `code ${error.code}`];
        refuse(new ZookeeperError(code, `cannot ${what} ${path}: ${text}`));
        // somebody ended our session: this connection is of no use any more, though it stands
        if (code === 'expired') this.#fail(new ZookeeperError('expired', `${this.server} says that the session has expired`));
        return;
      }
      clearTimeout(timer);
      this.#waiting.delete(refuse);
      resolve(read(...(results as R)));
    };
    try {
      send(done);
    } catch (error) {
      refuse(new ZookeeperError('other', `cannot ${what} ${path}: ${(error as Error).message}`));
    }
    return promise;
  }

  #failIn(ms: number, message: string): NodeJS.Timeout {
    return setTimeout(() => this.#fail(new ZookeeperError('lost', message)), ms);
  }

  #fail(error: ZookeeperError): void {
    this.#ended();
    if (this.#over !== undefined) return;
    const wasUp = this.#pulse !== undefined;
    this.#over = error;
    this.#options.signal?.removeEventListener('abort', this.#abort);
    this.#clearTimers();
    const manager = this.#client.connectionManager;
    const cut = () => {
      clearTimeout(manager.connectTimeoutHandler ?? undefined);
      manager.socket?.destroy();
    };
    // the package makes socket and timer a moment after connect()
    if (manager.socket !== undefined) cut();
    else process.nextTick(() => process.nextTick(cut));
    for (const refuse of this.#waiting) refuse(error);
    if (wasUp && !this.#isEnding) this.#options.lost(error);
  }

  #clearTimers(): void {
    clearTimeout(this.#deadline);
    clearInterval(this.#pulse);
  }
}

/** What a ZooKeeper said no to; undefined for any other error. */
export function codeOf(error: unknown): ZookeeperErrorCode | undefined {
  return error instanceof ZookeeperError ? error.code : undefined;
}

export function formatServer({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

const wrapped = new WeakMap<Watcher, LibraryWatcher>();

/** What a watcher throws is not the connection's fault, so it runs by itself. One watcher stays one: the package knows it again when it is set twice. */
function watched(watcher: Watcher | undefined): LibraryWatcher | undefined {
  if (watcher === undefined) return undefined;
  const known = wrapped.get(watcher);
  if (known !== undefined) return known;
  const made: LibraryWatcher = ({ type }) => {
    const event = EVENTS[type];
    if (event !== undefined) queueMicrotask(() => watcher(event));
  };
  wrapped.set(watcher, made);
  return made;
}

const asIs = <T>(value: T): T => value;
const nothing = (): void => undefined;
