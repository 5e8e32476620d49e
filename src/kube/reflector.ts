// Keeps a copy of all objects at one path of the API: list once, watch from there, and whatever breaks, go on from where it was.
//
//   list (the beginning of a watch, or pages) --> watch --ends--> watch again from the last position
//     ^                                             |
//     +---- 410, silence, or an event that is older than one before it

import { backoffMs, jittered } from './backoff.ts';
import type { Query } from './client.ts';
import { pause, systemClock, type Clock } from './clock.ts';
import { isGone, KubeError } from './error.ts';
import { InitialEvents, initialEventsQuery, isUnknownToServer } from './initial-events.ts';
import { REFLECTOR_RULES, type Change, type ReflectorOptions, type ReflectorRules, type ReflectorState } from './reflector-options.ts';
import { isOlder, keyOf, type KubeList, type KubeObject, type WatchEvent } from './types.ts';

export type { Change, ReflectorOptions, ReflectorRules, ReflectorState } from './reflector-options.ts';

export class Reflector<T extends KubeObject> {
  readonly path: string;
  /** Resolves when the first list is complete. It waits for ever: give it up by what else is waited for. */
  readonly synced: Promise<void>;
  readonly #options: ReflectorOptions<T>;
  readonly #rules: ReflectorRules;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #sync = Promise.withResolvers<void>();
  readonly #stop = new AbortController();
  readonly #items = new Map<string, T>();
  /** Where the next watch begins; undefined when only a list can tell. */
  #position: string | undefined;
  /** Whether the next list is asked for as the beginning of a watch; "never" once the server has said that it can not. */
  #streams: 'yes' | 'not now' | 'never';
  #pageSize: number;
  #counts = { isSynced: false, isFollowing: false, lists: 0, watches: 0, events: 0, failures: 0 };
  #problem: string | undefined;
  #lastLife: number;
  #lastStep: number;
  #running: Promise<void> | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.path = options.path;
    this.#options = options;
    this.#rules = { ...REFLECTOR_RULES, ...options.rules };
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#streams = this.#rules.streams ? 'yes' : 'never';
    this.#pageSize = this.#rules.pageSize;
    this.#lastLife = this.#clock.now();
    this.#lastStep = this.#lastLife;
    this.synced = this.#sync.promise;
  }

  /** The whole list, by key, as of the last sign of life. It stays when the server is gone. */
  get items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  get state(): ReflectorState {
    return {
      ...this.#counts,
      quietMs: this.#clock.now() - this.#lastLife,
      stillMs: this.#clock.now() - this.#lastStep,
      problem: this.#problem,
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#lastStep = this.#clock.now();
      try {
        if (this.#position === undefined && this.#streams !== 'yes') await this.#list(signal);
        await this.#follow(signal);
      } catch (error) {
        if (!signal.aborted && !this.#isAnsweredByPages(error)) await this.#failed(error, signal);
      }
    }
  }

  /** A list that did not come as the beginning of a watch is asked for by pages next; at once, if the server knows nothing of such watches. */
  #isAnsweredByPages(error: unknown): boolean {
    if (this.#position !== undefined || this.#streams !== 'yes') return false;
    this.#streams = isUnknownToServer(error) ? 'never' : 'not now';
    return this.#streams === 'never';
  }

  async #list(signal: AbortSignal): Promise<void> {
    const found = new Map<string, T>();
    let position: string | undefined;
    let next: string | undefined;
    do {
      const query = { ...this.#selectors(), limit: this.#pageSize, continue: next };
      const page = await this.#options.client.get<KubeList<T>>(this.path, { query, signal });
      this.#lives();
      position = page.metadata?.resourceVersion;
      if (!position) throw KubeError.own('BadAnswer', `cannot list ${this.path}: the list has no resourceVersion`);
      for (const item of itemsOf(page)) found.set(keyOf(item), this.#kept(item));
      if (next !== undefined && next === page.metadata.continue)
        throw KubeError.own('BadAnswer', `cannot list ${this.path}: after a page comes the same page again`);
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    this.#listed(found, position);
  }

  #listed(found: ReadonlyMap<string, T>, position: string): void {
    this.#counts.lists++;
    this.#position = position;
    if (this.#streams === 'not now') this.#streams = 'yes';
    this.#replace(found);
    this.#counts.isSynced = true;
    this.#sync.resolve();
  }

  /** Makes the copy equal to a list, and tells what that changed. What did not change stays the same object. */
  #replace(found: ReadonlyMap<string, T>): void {
    const changes: Change<T>[] = [];
    for (const [key, before] of this.#items) if (!found.has(key)) changes.push({ key, before, after: undefined });
    for (const [key, after] of found) {
      const before = this.#items.get(key);
      if (before === undefined || !isSame(before, after)) changes.push({ key, before, after });
    }
    this.#tell(changes);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const begin = this.#clock.now();
    this.#counts.watches++;
    /** All that is there comes first where there is no position to go on from. */
    const list = this.#position === undefined ? new InitialEvents<T>() : undefined;
    let isEmpty = true;
    try {
      for await (const event of this.#watch(list !== undefined, signal)) {
        this.#lives();
        if (this.#position !== undefined) {
          this.#take(event);
          isEmpty = false;
        } else if (list?.take(event, (object) => this.#kept(object)) !== undefined) {
          this.#listed(list.items, list.position!);
          this.#counts.isFollowing = true;
        }
      }
      this.#lives();
    } finally {
      this.#counts.isFollowing = false;
      if (this.#clock.now() - begin >= this.#rules.goodMs) this.#counts.failures = 0;
    }
    if (this.#position === undefined) throw new Error('the watch ended before its list did');
    if (isEmpty && this.#clock.now() - begin < this.#rules.goodMs) throw new Error('the watch ended as soon as it began');
    this.#problem = undefined;
  }

  #watch(beginsWithList: boolean, signal: AbortSignal): AsyncIterable<WatchEvent<T>> {
    const { watchMs, silenceMs } = this.#rules;
    const query = {
      ...this.#selectors(),
      ...(beginsWithList ? initialEventsQuery : { resourceVersion: this.#position }),
      allowWatchBookmarks: true,
      timeoutSeconds: Math.ceil(jittered(watchMs, this.#random()) / 1000),
    };
    const opened = () => {
      this.#lives();
      this.#counts.isFollowing = !beginsWithList;
    };
    return this.#options.client.watch<T>(this.path, { query, signal, silenceMs, opened });
  }

  #take({ type, object }: WatchEvent<T>): void {
    const version = object.metadata?.resourceVersion;
    if (!version) throw KubeError.own('BadAnswer', `cannot watch ${this.path}: an event has no resourceVersion`);
    // Events come in order. Where one does not, or the server has gone back in time (restored from a backup), only a list tells the truth.
    if (isOlder(version, this.#position)) {
      const message = `cannot watch ${this.path}: resourceVersion ${version} came after ${this.#position}`;
      throw new KubeError(message, { status: 410, reason: 'Expired' });
    }
    this.#position = version;
    this.#counts.failures = 0;
    this.#problem = undefined;
    if (type === 'BOOKMARK') return;
    this.#counts.events++;
    const key = keyOf(object);
    const before = this.#items.get(key);
    const after = type === 'DELETED' ? undefined : this.#kept(object);
    if (after === undefined ? before !== undefined : before === undefined || !isSame(before, after)) {
      // what was deleted is told as it was at the end
      this.#tell([{ key, before: after === undefined ? this.#kept(object) : before, after }]);
    }
  }

  #tell(changes: readonly Change<T>[]): void {
    for (const { key, after } of changes) {
      if (after === undefined) this.#items.delete(key);
      else this.#items.set(key, after);
    }
    if (changes.length === 0) return;
    try {
      this.#options.changed?.(changes);
    } catch (error) {
      this.#options.log.error('change not taken', { path: this.path, error });
    }
  }

  async #failed(error: unknown, signal: AbortSignal): Promise<void> {
    const { backoff } = this.#rules;
    const failures = ++this.#counts.failures;
    const reason = error instanceof KubeError ? error.reason : '';
    if (isGone(error) || reason === 'Silent') this.#position = undefined;
    if (reason === 'TooLarge') this.#pageSize = Math.max(1, Math.floor(this.#pageSize / 4));
    this.#problem = (error as Error).message;
    const asked = error instanceof KubeError ? (error.retryAfterMs ?? 0) : 0;
    // the first time a position is too old is nothing unusual, and the list is what is waited for
    const waitMs = failures === 1 && isGone(error) ? 0 : Math.max(asked, backoffMs(failures, backoff, this.#random()));
    this.#options.log[failures > 3 ? 'warn' : 'debug']('watch interrupted', { path: this.path, failures, waitMs, problem: this.#problem });
    await pause(this.#clock, waitMs, signal);
  }

  #kept(object: T): T {
    const { keep = withoutManagedFields } = this.#options;
    return keep(object);
  }

  #selectors(): Query {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }

  #lives(): void {
    this.#lastLife = this.#clock.now();
    this.#lastStep = this.#lastLife;
  }
}

/** Items of a list do not say what they are; the list does. */
function itemsOf<T extends KubeObject>({ apiVersion, kind, items }: KubeList<T>): readonly T[] {
  return (items ?? []).map((item) => ({
    ...item,
    apiVersion: item.apiVersion ?? apiVersion,
    kind: item.kind ?? kind?.replace(/List$/, ''),
  }));
}

function isSame(one: KubeObject, other: KubeObject): boolean {
  return one.metadata.uid === other.metadata.uid && one.metadata.resourceVersion === other.metadata.resourceVersion;
}

function withoutManagedFields<T extends KubeObject>(object: T): T {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
