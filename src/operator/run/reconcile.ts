// One look at a KimCluster: observe, plan, do what the plan says, and write down how it stands.

import { ConfigError } from '../../config/error.ts';
import { clusterOf } from '../../config/cluster.ts';
import type { KimCluster } from '../../config/cluster-schema.ts';
import { isNotFound } from '../../kube/error.ts';
import { kindName, pathOf, type Kind, type KubeObject } from '../../kube/types.ts';
import type { Logger } from '../../ops/log.ts';
import type { Request, Tools } from '../engine/controller.ts';
import { UnfinishedError, type Result } from '../engine/runner.ts';
import { isWished } from '../plan/names.ts';
import { plan } from '../plan/plan.ts';
import type { Manifest, Observed, Plan, Pod } from '../plan/types.ts';
import type { Happened } from '../event-reasons.ts';
import type { KimClusterStatus } from '../status-types.ts';
import { isAutoscaled } from './autoscaled.ts';
import { execute } from './executor.ts';
import { invalidStatus } from './invalid.ts';
import { ownedKinds, pods as podKind, serviceMonitors } from './kinds.ts';
import type { NodeClient } from './node-client.ts';
import { addressOfPod, observe, withFound, type Surroundings } from './observe.ts';
import { withRefusal } from './refused.ts';

export type KimClusterObject = KubeObject & { readonly status?: KimClusterStatus };

export interface ReconcilerOptions extends Omit<Surroundings, 'store' | 'nodes'> {
  readonly nodes: NodeClient;
  readonly log: Logger;
}

/** A plan, and what was read for it beside the copies: by title, null where there is nothing. */
interface Decided extends Plan {
  readonly read: ReadonlyMap<string, Manifest | null>;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  /** When each status was written last. */
  readonly #written = new Map<string, number>();
  /** How the nodes of each were seen the last time. */
  readonly #nodes = new Map<string, Observed['nodes']>();
  /** What is asked for, as long as it stays the same object. */
  readonly #judged = new WeakMap<KimClusterObject, KimCluster>();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Throws what could not be done; everything else of the plan has been done then, and the status is written. */
  readonly reconcile = async (request: Request<KimClusterObject>, tools: Tools): Promise<Result> => {
    const { key, object, signal } = request;
    if (object === undefined) {
      this.#written.delete(key);
      this.#nodes.delete(key);
      return;
    }
    let cluster: KimCluster;
    try {
      cluster = this.#judged.get(object) ?? clusterOf(object, object.metadata.name).cluster;
      this.#judged.set(object, cluster);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      await this.#writeStatus(request, tools, invalidStatus(object, error.message, new Date()));
      return;
    }
    const decided = await this.#decide(cluster, object, request, tools);
    const problems = await this.#carryOut(decided, cluster, object, request, tools);
    for (const event of decided.events) tell(tools, object, 'Reconcile', event);
    await this.#writeStatus(request, tools, withRefusal(decided.status, problems, object.status, new Date()));
    signal.throwIfAborted();
    // a drain does not wait because something else fails again and again
    if (problems.length > 0) throw new UnfinishedError(problems, decided.requeueMs);
    return { againMs: decided.requeueMs };
  };

  async #decide(cluster: KimCluster, object: KimClusterObject, { key, signal }: Request<KimClusterObject>, tools: Tools): Promise<Decided> {
    const statusAt = this.#written.get(key) ?? 0;
    const known = { statusAt, nodes: this.#nodes.get(key), signal };
    const observed = await observe(cluster, object.status, { ...this.#options, store: tools.store }, known);
    this.#nodes.set(key, observed.nodes);
    const decided = plan(cluster, observed);
    const read = await this.#strangers(decided, observed, tools, signal);
    const found = [...read.values()].filter((one) => one !== null);
    return { read, ...(found.length === 0 ? decided : plan(cluster, withFound(observed, found))) };
  }

  /** Objects of wanted names that have not our label: only what is to be made is asked for, so nothing once it is there. */
  async #strangers({ apply }: Plan, { objects }: Observed, { client }: Tools, signal: AbortSignal): Promise<Decided['read']> {
    const known = new Set(objects.map(titleOf));
    const unknown = apply.filter((wanted) => !known.has(titleOf(wanted)));
    const found = unknown.map(async (wanted): Promise<[string, Manifest | null][]> => {
      const kind = kindOf(wanted);
      if (kind === undefined) return [];
      try {
        return [[titleOf(wanted), await client.get<Manifest>(pathOf(kind, wanted.metadata), { signal })]];
      } catch (error) {
        if (isNotFound(error)) return [[titleOf(wanted), null]];
        throw error;
      }
    });
    return new Map((await Promise.all(found)).flat());
  }

  async #carryOut(
    { apply, remove, actions, read }: Decided,
    cluster: KimCluster,
    object: KimClusterObject,
    { key, signal }: Request<KimClusterObject>,
    tools: Tools,
  ): Promise<Error[]> {
    const problems: Error[] = [];
    const attempt = async (work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        problems.push(error as Error);
      }
    };
    for (const wanted of apply) {
      if (signal.aborted) break;
      await attempt(async () => {
        const { what, by, conflicts } = await tools.applier.apply(wanted, {
          key,
          signal,
          mayAdopt: () => isWished(cluster, 'adopt'),
          mayForce: ({ field }) => field !== '.spec.replicas' || !isAutoscaled(wanted, tools.store),
          ...(read.has(titleOf(wanted)) && { read: read.get(titleOf(wanted)) ?? null }),
        });
        if (what === 'corrected') {
          const who = by ?? conflicts[0]?.manager;
          const note = `${wanted.kind} ${wanted.metadata.name} was changed by ${who ?? 'somebody'} and has been put right; change the KimCluster instead`;
          tell(tools, object, 'Apply', { type: 'Warning', reason: 'Corrected', note });
        }
      });
    }
    for (const gone of remove) {
      const kind = kindOf(gone);
      const there = kind && tools.store.get(kind, `${cluster.metadata.namespace ?? ''}/${gone.name}`);
      if (there?.metadata.uid === gone.uid) await attempt(() => tools.applier.remove(there, { key, signal }));
    }
    const address = (name: string) => {
      const pod = tools.store.get<Pod>(podKind, `${cluster.metadata.namespace ?? ''}/${name}`);
      return pod && addressOfPod(cluster, pod);
    };
    await attempt(() => execute(actions, { key, tools, nodes: this.#options.nodes, cluster: object, address, signal }));
    return problems;
  }

  async #writeStatus({ key, object, signal }: Request<KimClusterObject>, tools: Tools, status: KimClusterStatus): Promise<void> {
    if (await tools.applier.applyStatus(object!, status, { key, signal })) this.#written.set(key, Date.now());
  }
}

function kindOf(object: { readonly apiVersion: string; readonly kind: string }): Kind | undefined {
  return [...ownedKinds, serviceMonitors].find((one) => kindName(one) === kindName(object));
}

/** "apps/v1/Deployment demo-gate": of one namespace. */
function titleOf(object: KubeObject): string {
  return `${kindName(object)} ${object.metadata.name}`;
}

/** The only place where events are told, so that none is that the documents do not know. */
function tell({ events }: Tools, object: KubeObject, action: string, { type, reason, note }: Happened): void {
  events.emit(object, { type, reason, action, note });
}
