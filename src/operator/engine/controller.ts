// A controller, put together: what is watched fills the store and the queue, the leader reconciles key by key, and all of it ends in order.
//
//   reflectors --> store --> queue --> runner --> reconcile(key) --> applier --> API server
//                    ^                                                  |
//                    +------------------- what was written -------------+

import { jittered } from '../../kube/backoff.ts';
import { KubeClient, type KubeClientOptions } from '../../kube/client.ts';
import { systemClock, type Clock } from '../../kube/clock.ts';
import { RateLimiter } from '../../kube/limiter.ts';
import { Reflector, type Change } from '../../kube/reflector.ts';
import { controllerOf, keyOf, kindName, pathOf, placeOf, type Kind, type KubeObject } from '../../kube/types.ts';
import { Applier, FIELD_MANAGER } from './apply.ts';
import {
  CONTROLLER_RULES,
  FLUSH_MS,
  type ControllerOptions,
  type ControllerRules,
  type Tools,
  type Watched,
} from './controller-options.ts';
import { Recorder } from './events.ts';
import { Health } from './health.ts';
import { Lease } from './lease.ts';
import { EngineMetrics } from './metrics.ts';
import { keepOwnership } from './ownership.ts';
import { Queue, type Lane } from './queue.ts';
import { Runner, StaleError, type Result } from './runner.ts';
import { StaleGuard } from './stale-guard.ts';
import { Store, type KeysOf } from './store.ts';

export type { ControllerOptions, ControllerRules, Request, Tools, Watched } from './controller-options.ts';

/** The longest wait of a reflector or a lease is far shorter. */
const STILL_MS = 300_000;

export class Controller<T extends KubeObject> implements Tools {
  readonly client: KubeClient;
  readonly store: Store;
  readonly applier: Applier;
  readonly events: Recorder;
  readonly health: Health;
  readonly metrics: EngineMetrics;
  readonly lease: Lease | undefined;
  /** Resolves with the reason when it has to end: the lease is lost. After stop() too. */
  readonly ended: Promise<string>;
  readonly #options: ControllerOptions<T>;
  readonly #rules: ControllerRules;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #clients: readonly KubeClient[];
  readonly guard: StaleGuard;
  readonly #queue: Queue;
  readonly #runner: Runner;
  readonly #reflectors: readonly { readonly kind: Kind; readonly reflector: Reflector<KubeObject> }[];
  readonly #end = Promise.withResolvers<string>();
  #callOffResync: () => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: ControllerOptions<T>) {
    const { name, access, primary, watched, identity, log, clock = systemClock, random = Math.random } = options;
    this.#options = options;
    this.health = options.health ?? new Health();
    this.#rules = { ...CONTROLLER_RULES, ...options.rules };
    this.#clock = clock;
    this.#random = random;
    this.ended = this.#end.promise;
    this.metrics = new EngineMetrics(name, this.#rules.concurrency);
    const limiter = new RateLimiter(this.#rules.requests, clock);
    const client = (more: Partial<KubeClientOptions>) =>
      new KubeClient({
        access,
        clock,
        userAgent: `kimserver-${name}`,
        observe: (seen) => this.metrics.request(seen),
        limited: (method, seconds) => this.metrics.limited(method, access.server.host, seconds),
        ...more,
      });
    // the lease has connections of its own, and no limit: its renewals wait for nobody
    const [reads, renewals] = [client({ limiter }), client({})];
    this.lease = options.lease && new Lease({ ...options.lease, client: renewals, identity, clock, log, random });
    this.client = client({ limiter, beforeWrite: () => this.assertLeader() });
    this.#clients = [reads, renewals, this.client];
    const own: Watched = { kind: primary, keysOf: (object) => [keyOf(object)] };
    const everything = [own, ...watched].map((what) => ({ keysOf: (object: KubeObject) => ownerKeys(object, primary), ...what }));
    const kinds = everything.map(({ kind }) => kind);
    this.store = new Store(new Map(everything.map(({ kind, keysOf }) => [kindName(kind), keysOf])));
    this.guard = new StaleGuard(this.store, clock);
    const applied = (kind: Kind, result: Parameters<EngineMetrics['applied']>[1]) => this.metrics.applied(kind.kind, result);
    this.applier = new Applier({ client: this.client, store: this.store, guard: this.guard, clock, kinds, applied });
    this.events = new Recorder({ client: this.client, clock, log, controller: `kimserver.io/${name}`, instance: identity });
    this.#queue = new Queue({ clock, random, backoff: this.#rules.backoff, observer: this.metrics.queue });
    const { concurrency, timeoutMs } = this.#rules;
    const reconcile = (key: string, signal: AbortSignal) => this.#reconcile(key, signal);
    this.#runner = new Runner({ queue: this.#queue, reconcile, clock, log, concurrency, timeoutMs, observer: this.metrics.runner });
    this.#reflectors = everything.flatMap((what) => this.#reflectorsOf(what, reads));
    this.#watchHealth();
  }

  /** Begins to watch; reconciles once everything has been listed and this process is the leader. */
  start(): void {
    for (const { reflector } of this.#reflectors) reflector.start();
    void this.lease?.lost.then((reason) => {
      // what else they were doing besides writing to the API server is not ours to do any more either
      if (this.#stopping === undefined) this.#runner.abort(`the lease is lost: ${reason}`);
      this.#end.resolve(reason);
    });
    void this.#begin();
  }

  /** Finishes what runs, tells its events, gives the lease back and closes everything. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /** Looks at one object soon: for what is learned elsewhere. */
  look(key: string): void {
    this.#queue.add(key);
  }

  assertLeader(): void {
    this.lease?.assertLeader();
  }

  async #begin(): Promise<void> {
    // only who knows everything competes for the lease: it can go on where the last one stopped
    await Promise.all(this.#reflectors.map(({ reflector }) => reflector.synced));
    if (this.#stopping !== undefined) return;
    this.lease?.start();
    await this.lease?.acquired;
    if (this.#stopping !== undefined) return;
    this.#runner.start();
    this.#planResync();
    this.#options.log.info('reconciling', { controller: this.#options.name, objects: this.store.list(this.#options.primary).length });
  }

  async #stopAll(): Promise<void> {
    this.#callOffResync();
    await this.#runner.stop(this.#rules.graceMs);
    await this.events.flush(FLUSH_MS);
    this.events.close();
    await this.lease?.release();
    await Promise.all(this.#reflectors.map(({ reflector }) => reflector.stop()));
    for (const client of this.#clients) client.close();
    this.#end.resolve('it was stopped');
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<Result> {
    // a follower, or a leader whose clock has jumped, waits rather than fails at its first write
    this.assertLeader();
    const behind = this.guard.behind(key);
    if (behind.length > 0) throw new StaleError(`the copy has not seen what was written: ${behind.join(', ')}`);
    const object = this.store.get<T>(this.#options.primary, key);
    const result = await this.#options.reconcile({ key, ...placeOf(key), object, signal }, this);
    if (object === undefined) this.guard.forget(key);
    return result;
  }

  #reflectorsOf({ kind, labelSelector, keysOf }: Watched & { readonly keysOf: KeysOf }, client: KubeClient) {
    const { namespaces, log } = this.#options;
    const spaces = kind.clusterWide ? [undefined] : (namespaces ?? [undefined]);
    return spaces.map((namespace) => {
      const reflector: Reflector<KubeObject> = new Reflector<KubeObject>({
        client,
        path: pathOf(kind, { namespace }),
        keep: (object) => keepOwnership(object, FIELD_MANAGER),
        changed: (changes) => this.#changed(kind, changes, keysOf, reflector.state.isSynced ? 'urgent' : 'background'),
        log,
        clock: this.#clock,
        random: this.#random,
        rules: this.#rules.reflector,
        ...(labelSelector === undefined ? {} : { labelSelector }),
      });
      return { kind, reflector };
    });
  }

  #changed(kind: Kind, changes: readonly Change<KubeObject>[], keysOf: KeysOf, lane: Lane): void {
    this.store.take(kind, changes);
    for (const { before, after } of changes) {
      for (const key of new Set([...(before ? keysOf(before) : []), ...(after ? keysOf(after) : [])])) {
        if (lane === 'background') this.#queue.add(key, lane);
        else this.#queue.addAfter(key, this.#rules.settleMs);
      }
    }
  }

  #planResync(): void {
    const { resyncMs } = this.#rules;
    this.#callOffResync = this.#clock.after(jittered(resyncMs, this.#random()), () => {
      for (const object of this.store.list(this.#options.primary)) this.#queue.add(keyOf(object), 'background');
      this.#planResync();
    });
  }

  #watchHealth(): void {
    const stands = (ms: number) => (ms > STILL_MS ? `it has stood still for ${Math.round(ms / 1000)} s` : undefined);
    for (const { reflector } of this.#reflectors) {
      this.health.live(`watch of ${reflector.path}`, () => stands(reflector.state.stillMs));
      this.health.ready(`watch of ${reflector.path}`, () => {
        const { isSynced, problem } = reflector.state;
        return isSynced ? undefined : `not listed yet${problem === undefined ? '' : `: ${problem}`}`;
      });
    }
    this.health.live('reconcile loops', () => this.#runner.problem);
    const { lease, metrics, events } = this;
    if (lease !== undefined) this.health.live('lease', () => stands(lease.stillMs));
    metrics.watch({
      queue: this.#queue,
      lease: lease && { name: this.#options.lease?.name ?? '', lease },
      reflectors: () => this.#reflectors.map(({ kind, reflector }) => [kindName(kind), reflector.state]),
    });
    metrics.meter.look('kimserver_events_dropped_total', 'Events that could not be told.', () => [[{}, events.dropped]]);
  }
}

function ownerKeys(object: KubeObject, primary: Kind): string[] {
  const owner = controllerOf(object);
  if (owner?.kind !== primary.kind || owner.apiVersion !== primary.apiVersion) return [];
  return [`${primary.clusterWide ? '' : (object.metadata.namespace ?? '')}/${owner.name}`];
}
