// All nodes of one ZooKeeper folder and their data, watched over one connection: first the list, then the data of each, as the originals do it.

import { codeOf, type WatchEvent, type ZookeeperConnection } from './zookeeper-client.ts';

export interface FolderEvents {
  /** Something was read: `records` is as true as it can be. */
  changed(): void;
  /** Something cannot be read (undefined: it can again); it is tried again each second. */
  problem(message: string | undefined): void;
}

/** More are left out: nothing that works has so many. */
const MAX_NODES = 10_000;
const RETRY_MS = 1000;

/** Good for one connection: it falls silent when that is lost. */
export class ZookeeperFolder {
  readonly path: string;
  readonly records = new Map<string, Buffer>();
  /** Whether all was read once. */
  isLoaded = false;
  readonly #connection: ZookeeperConnection;
  readonly #events: FolderEvents;
  readonly #stale = new Set<string>();
  #isListStale = true;
  #isReading = false;
  #isInPass = false;
  #hasProblem = false;
  #isOver = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(path: string, connection: ZookeeperConnection, events: FolderEvents) {
    this.path = path;
    this.#connection = connection;
    this.#events = events;
    this.#read();
  }

  /** Whether it is known that something was not read yet. */
  get isBehind(): boolean {
    return this.#isInPass || this.#isListStale || this.#stale.size > 0;
  }

  stop(): void {
    this.#isOver = true;
    clearTimeout(this.#retry);
  }

  #read(): void {
    if (this.#isReading || this.#isOver) return;
    this.#isReading = true;
    clearTimeout(this.#retry);
    this.#passes().then(
      () => this.#done(undefined),
      (error: unknown) => this.#done(error as Error),
    );
  }

  #done(error: Error | undefined): void {
    this.#isReading = false;
    this.#isInPass = false;
    if (this.#isOver || !this.#connection.isUp) return;
    if (error !== undefined) {
      this.#isListStale = true;
      this.#retry = setTimeout(() => this.#read(), RETRY_MS);
    }
    if (error !== undefined || this.#hasProblem) this.#events.problem(error?.message);
    this.#hasProblem = error !== undefined;
    // something may have changed after the last pass
    if (error === undefined && (this.#isListStale || this.#stale.size > 0)) this.#read();
  }

  /** What goes stale while a pass reads is read in the next, so that each pass ends whatever happens meanwhile. */
  async #passes(): Promise<void> {
    while (this.#isListStale || this.#stale.size > 0) {
      this.#isInPass = true;
      if (this.#isListStale) await this.#list();
      const leaves = [...this.#stale];
      this.#stale.clear();
      const errors = (await Promise.all(leaves.map((leaf) => this.#load(leaf)))).filter((error) => error !== undefined);
      if (this.#isOver || !this.#connection.isUp) return;
      this.isLoaded = true;
      this.#isInPass = false;
      this.#events.changed();
      if (errors[0] !== undefined) throw errors[0];
    }
  }

  async #list(): Promise<void> {
    this.#isListStale = false;
    const children = (await this.#children()).slice(0, MAX_NODES);
    const found = new Set(children);
    for (const leaf of this.records.keys()) if (!found.has(leaf)) this.records.delete(leaf);
    for (const leaf of children) if (!this.records.has(leaf)) this.#stale.add(leaf);
  }

  /** A folder that is not there is empty; when it appears it is read (the originals miss that). */
  async #children(): Promise<string[]> {
    for (;;) {
      try {
        return await this.#connection.children(this.path, this.#listChanged);
      } catch (error) {
        if (codeOf(error) !== 'noNode') throw error;
      }
      if (!(await this.#connection.exists(this.path, this.#listChanged))) return [];
    }
  }

  /** Resolves with the reason why it cannot be read: that of one keeps nobody from the others. */
  async #load(leaf: string): Promise<Error | undefined> {
    try {
      const { data } = await this.#connection.get(`${this.path}/${leaf}`, (event) => this.#dataChanged(leaf, event));
      this.records.set(leaf, data);
    } catch (error) {
      this.records.delete(leaf);
      if (codeOf(error) !== 'noNode') return error as Error;
    }
    return undefined;
  }

  readonly #listChanged = (): void => {
    this.#isListStale = true;
    this.#read();
  };

  #dataChanged(leaf: string, event: WatchEvent): void {
    // it may have been made anew already: then the list alone would not show that it is another
    if (event === 'changed' || event === 'deleted') this.#stale.add(leaf);
    this.#read();
  }
}
