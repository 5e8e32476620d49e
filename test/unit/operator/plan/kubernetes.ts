// As much of Kubernetes as the plan has to do with: a Deployment's controller that grows, shrinks and rolls, and nodes that drain when they are told.

import type { KimCluster } from '../../../../src/config/cluster.ts';
import { marks } from '../../../../src/operator/plan/names.ts';
import type { Action, NodeView, Plan, Pod } from '../../../../src/operator/plan/types.ts';
import { NOW, type World } from './support.ts';

type Tier = 'gate' | 'logic';

/** A pod that the controller removed, and with how many clients. */
export interface Removed {
  readonly pod: string;
  readonly connections: number;
  readonly wasAsked: boolean;
}

export class Kubernetes {
  readonly world: World;
  readonly scaledDown: Removed[] = [];
  /** Most pods of a tier that ended at the same time. */
  mostEnding = 0;
  #seconds = 0;
  #made = 0;

  constructor(world: World) {
    this.world = world;
  }

  /** One second: the operator does its pass, or dies after so many steps of it, then everybody does what they were told. */
  step(cluster: KimCluster, life = Infinity): Plan {
    this.#seconds++;
    this.world.more = { ...this.world.more, now: NOW + this.#seconds * 1000 };
    const plan = this.world.plan(cluster);
    const before = new Map((['gate', 'logic'] as const).map((tier) => [tier, this.world.deployment(tier).spec.replicas ?? 0]));
    const isAlive = life > plan.apply.length;
    this.world.apply({ apply: plan.apply.slice(0, life), remove: isAlive ? plan.remove : [] });
    if (isAlive) for (const action of plan.actions.slice(0, life - plan.apply.length)) this.#do(action);
    for (const tier of ['gate', 'logic'] as const) {
      this.#nodes(tier);
      this.#control(tier, before.get(tier)!);
    }
    return plan;
  }

  #pods(tier: Tier): Pod[] {
    return this.world.pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === tier);
  }

  #live(tier: Tier): Pod[] {
    return this.#pods(tier).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  #change(name: string, change: (pod: Pod) => Pod): void {
    const at = this.world.pods.findIndex(({ metadata }) => metadata.name === name);
    if (at >= 0) this.world.pods[at] = change(this.world.pods[at]!);
  }

  #node(name: string, change: Partial<NodeView>): void {
    const node = this.world.nodes.get(name);
    if (node !== undefined) this.world.nodes.set(name, { ...node, ...change });
  }

  #do(action: Action): void {
    if (action.kind === 'annotate') {
      this.#change(action.pod, (pod) => ({
        ...pod,
        metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, ...action.annotations } },
      }));
    } else if (action.kind === 'drain') this.#node(action.pod, { state: 'draining' });
    else if (action.kind === 'deletePod') this.#end(action.pod);
    else if (action.kind === 'setWorkers') this.#node(action.pod, { workers: action.count });
    else if (action.kind === 'setSettings') {
      this.#node(action.pod, { config: { ...this.world.nodes.get(action.pod)?.config, ...action.config } });
    }
  }

  #end(name: string): void {
    const deletionTimestamp = new Date(NOW + (this.#seconds + 80) * 1000).toISOString();
    this.#change(name, (pod) => ({ ...pod, metadata: { ...pod.metadata, deletionTimestamp } }));
    this.#node(name, { state: 'draining' });
  }

  /** New ones get ready, those that drain lose a third of their clients, those that ended and are empty are gone. */
  #nodes(tier: Tier): void {
    for (const pod of this.#pods(tier)) {
      const { name, deletionTimestamp } = pod.metadata;
      const node = this.world.nodes.get(name);
      const isDraining = node?.state === 'draining';
      if (isDraining) this.#node(name, { connections: Math.floor((node.connections * 2) / 3) });
      const lastTransitionTime = new Date(NOW + this.#seconds * 1000).toISOString();
      const conditions = [{ type: 'Ready', status: isDraining ? 'False' : 'True', lastTransitionTime }];
      this.#change(name, (one) => ({ ...one, status: { ...one.status, conditions } }));
      if (deletionTimestamp === undefined || (node?.connections ?? 0) > 0) continue;
      this.world.pods.splice(this.world.pods.indexOf(this.#pods(tier).find(({ metadata }) => metadata.name === name)!), 1);
      this.world.nodes.delete(name);
    }
  }

  /** As the controllers of Deployments and ReplicaSets do it, with maxSurge 1 and maxUnavailable 0. */
  #control(tier: Tier, before: number): void {
    const { spec } = this.world.deployment(tier);
    const wanted = spec.replicas ?? 0;
    const revision = spec.template?.metadata?.annotations?.[marks.revision];
    const old = () => this.#live(tier).filter(({ metadata }) => metadata.annotations?.[marks.revision] !== revision);
    if (wanted < before) for (let i = this.#live(tier).length; i > wanted; i--) this.#scaleDown(tier);
    else if (old().length === 0 || spec.paused)
      for (let i = this.#live(tier).length; i < wanted; i++) this.#make(tier, old()[0]?.metadata.annotations?.[marks.revision]);
    else {
      const ready = this.#live(tier).filter(isReady).length;
      if (ready > wanted) this.#end(old().toSorted(byRank)[0]!.metadata.name);
      if (this.#live(tier).length <= wanted && this.#live(tier).length - old().length < wanted) this.#make(tier);
    }
    this.mostEnding = Math.max(this.mostEnding, this.#pods(tier).length - this.#live(tier).length);
    const replicas = this.#live(tier).length;
    const status = { observedGeneration: 1, replicas };
    this.world.change('Deployment', `demo-${tier}`, (object) => ({ ...object, status }));
  }

  #make(tier: Tier, revision?: string): void {
    this.world.pod(tier, {
      name: `demo-${tier}-new-${String(++this.#made).padStart(3, '0')}`,
      ready: false,
      age: -this.#seconds,
      ...(revision !== undefined && { revision }),
    });
  }

  #scaleDown(tier: Tier): void {
    const [victim] = this.#live(tier).toSorted(byRank);
    if (victim === undefined) return;
    const { name, annotations = {} } = victim.metadata;
    this.scaledDown.push({
      pod: name,
      connections: this.world.nodes.get(name)?.connections ?? 0,
      wasAsked: annotations[marks.draining] !== undefined,
    });
    this.#end(name);
  }
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}

/** Whom a ReplicaSet removes first: who is not ready, then who is cheap, then the youngest. */
function byRank(a: Pod, b: Pod): number {
  const cost = ({ metadata }: Pod) => Number(metadata.annotations?.[marks.deletionCost] ?? 0);
  return (
    Number(isReady(a)) - Number(isReady(b)) ||
    cost(a) - cost(b) ||
    ((a.metadata.creationTimestamp ?? '') > (b.metadata.creationTimestamp ?? '') ? -1 : 1)
  );
}
