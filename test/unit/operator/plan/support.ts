// A cluster for the tests of the plan: KimClusters, what Kubernetes makes of them, and what nodes say.

import { createHash } from 'node:crypto';
import { clusterOf, type KimCluster } from '../../../../src/config/cluster.ts';
import type { Tier } from '../../../../src/config/cluster-schema.ts';
import { parseYaml } from '../../../../src/config/yaml-text.ts';
import type { Deployment } from '../../../../src/operator/plan/deployment.ts';
import { marks } from '../../../../src/operator/plan/names.ts';
import { podConfigOf, settingsOf } from '../../../../src/operator/plan/pod-config.ts';
import { plan } from '../../../../src/operator/plan/plan.ts';
import type { Manifest, NodeView, Observed, OperatorFacts, Plan, Pod } from '../../../../src/operator/plan/types.ts';

export const NOW = Date.parse('2026-11-21T08:00:00.000Z');

export const operator: OperatorFacts = {
  version: '0.1.0',
  namespace: 'kimserver-system',
  podLabels: { 'app.kubernetes.io/name': 'kimserver-operator' },
  image: 'kimserver:0.1.0',
  zookeeperImage: 'zookeeper:3.9',
  publicKey: 'MCowBQYDK2VwAyEAexampleexampleexampleexampleexampleexam=',
  imageVolumes: false,
};

export const SMALL = '{ gate: { listeners: [{ port: 3355 }] }, logic: { modules: [test] }, discovery: { kubernetes: {} } }';
export const DEMO = 'demo';

/** A KimCluster as the API server would give it; `spec` and `metadata` are YAML. */
export function kim(spec: string, metadata: Partial<KimCluster['metadata']> = {}): KimCluster {
  const object = {
    apiVersion: 'kimserver.io/v1alpha1',
    kind: 'KimCluster',
    metadata: { name: DEMO, namespace: 'shop', uid: 'uid-of-demo', generation: 1, ...metadata },
    spec: parseYaml(spec).value,
  };
  return clusterOf(object, 'a test').cluster;
}

export function observed(more: Partial<Observed> = {}): Observed {
  return {
    now: NOW,
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    operator,
    objects: [],
    pods: [],
    nodes: new Map(),
    autoscalers: [],
    hasServiceMonitors: false,
    statusAt: 0,
    status: undefined,
    ...more,
  };
}

export interface PodShape {
  readonly name?: string;
  readonly ready?: boolean;
  /** Seconds since it was made. */
  readonly age?: number;
  readonly connections?: number;
  readonly state?: NodeView['state'];
  /** Seconds since it was told to leave. */
  readonly drains?: number;
  readonly cause?: string;
  readonly cost?: boolean;
  readonly revision?: string;
  /** Kubernetes removes it. */
  readonly ending?: boolean;
  /** The same, and it should have ended so many seconds ago. */
  readonly overdue?: number;
  readonly waiting?: string;
  /** Its node does not answer. */
  readonly deaf?: boolean;
  readonly node?: Partial<NodeView>;
}

export function iso(secondsAgo: number): string {
  return new Date(NOW - secondsAgo * 1000).toISOString();
}

/** A cluster that is as its spec says, and then as a test wants it. */
export class World {
  readonly cluster: KimCluster;
  objects: Manifest[] = [];
  readonly pods: Pod[] = [];
  readonly nodes = new Map<string, NodeView>();
  more: Partial<Observed>;

  constructor(cluster: KimCluster, more: Partial<Observed> = {}) {
    this.cluster = cluster;
    this.more = more;
  }

  /** Everything that a plan makes is there, with all pods of it, ready and without clients. */
  static of(cluster: KimCluster, more: Partial<Observed> = {}): World {
    const world = new World(cluster, more);
    world.apply(plan(cluster, world.observed()));
    for (const tier of ['logic', 'gate'] as const) {
      const replicas = cluster.spec[tier]?.replicas ?? 0;
      for (let i = 0; i < replicas; i++) world.pod(tier);
    }
    const zookeeper = world.objects.find(({ kind }) => kind === 'StatefulSet');
    const servers = (zookeeper?.['spec'] as { replicas: number } | undefined)?.replicas ?? 0;
    for (let i = 0; i < servers; i++) world.pod('zookeeper', { name: `demo-zookeeper-${i}`, deaf: true });
    return world;
  }

  observed(): Observed {
    const { objects, pods, nodes } = this;
    return observed({ objects, pods, nodes, ...this.more });
  }

  plan(cluster = this.cluster): Plan {
    return plan(cluster, this.observed());
  }

  /** What Kubernetes has after this was applied, and, if not said otherwise, after its controllers have counted pods. */
  apply({ apply, remove }: Pick<Plan, 'apply' | 'remove'>, isCounted = true): void {
    const gone = (object: Manifest) => remove.some(({ kind, name }) => object.kind === kind && object.metadata.name === name);
    const isNew = (object: Manifest) => !apply.some(({ kind, metadata }) => object.kind === kind && object.metadata.name === metadata.name);
    const kept = this.objects.filter((object) => isNew(object) && !gone(object));
    this.objects = [...kept, ...apply.map((object) => this.#completed(object, isCounted))];
  }

  #completed(object: Manifest, isCounted: boolean): Manifest {
    const old = this.objects.find(({ kind, metadata }) => kind === object.kind && metadata.name === object.metadata.name);
    const metadata = {
      ...object.metadata,
      uid: `uid-of-${object.kind}-${object.metadata.name}`,
      creationTimestamp: iso(3600),
      generation: 1,
    };
    const replicas = (object['spec'] as { replicas?: number } | undefined)?.replicas ?? 0;
    const { generation = 1 } = old?.metadata ?? {};
    const status =
      object.kind === 'Deployment' && (isCounted || old === undefined)
        ? { observedGeneration: 1, replicas, readyReplicas: replicas }
        : old?.['status'];
    return { ...object, metadata: { ...metadata, generation: isCounted ? 1 : generation }, ...(status === undefined ? {} : { status }) };
  }

  deployment(tier: Tier): Deployment {
    return this.objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === `${DEMO}-${tier}`) as Deployment;
  }

  /** Changes an object in place of Kubernetes. */
  change(kind: string, name: string, change: (object: Manifest) => Manifest): void {
    this.objects = this.objects.map((object) => (object.kind === kind && object.metadata.name === name ? change(object) : object));
  }

  /** One more pod, of the revision that the Deployment has. */
  pod(tier: Tier | 'zookeeper', shape: PodShape = {}): void {
    const { ready = true, age = 3600, drains, cause = 'ScaleDown', cost = drains !== undefined, overdue, waiting } = shape;
    const { ending = overdue !== undefined } = shape;
    const count = this.pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === tier).length;
    const name = shape.name ?? `${DEMO}-${tier}-${'abcdefghij'[count]}`;
    const template = tier === 'zookeeper' ? undefined : this.deployment(tier).spec.template;
    const revision = shape.revision ?? template?.metadata?.annotations?.[marks.revision] ?? '';
    const annotations = {
      [marks.revision]: revision,
      ...(drains !== undefined && { [marks.draining]: `${iso(drains)} ${cause}` }),
      ...(cost && { [marks.deletionCost]: '-1000000' }),
    };
    const labels = {
      'app.kubernetes.io/instance': DEMO,
      'app.kubernetes.io/component': tier,
      'kimserver.io/cluster': DEMO,
    };
    const metadata = { name, namespace: 'shop', uid: `uid-of-${name}`, creationTimestamp: iso(age), labels, annotations };
    this.pods.push({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, ...(ending && { deletionTimestamp: iso(overdue ?? -60) }) },
      spec: { ...(template as { spec?: object } | undefined)?.spec, nodeName: `machine-${count + 1}` },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: iso(age - 5) }],
        containerStatuses: [{ name: 'kimserver', ...(waiting && { state: { waiting: { reason: waiting } } }) }],
      },
    });
    if (shape.deaf !== true && tier !== 'zookeeper') this.nodes.set(name, this.#node(tier, shape));
  }

  #node(tier: Tier, { connections = 0, drains, state = drains === undefined ? 'serving' : 'draining', node = {} }: PodShape): NodeView {
    const config = podConfigOf(this.cluster, tier, operator);
    return {
      state,
      connections,
      workers: config.worker_cnt,
      version: '0.1.0',
      config: settingsOf(config),
      replies: 0,
      failures: 0,
      accepted: 0,
      broken: 0,
      lostDirectories: [],
      ...node,
    };
  }

  /** Takes all pods of a tier away, so that a test makes its own. */
  without(tier: Tier | 'zookeeper'): this {
    const isOther = ({ metadata }: Pod) => metadata.labels?.['app.kubernetes.io/component'] !== tier;
    for (const { metadata } of this.pods.filter((pod) => !isOther(pod))) this.nodes.delete(metadata.name);
    this.pods.splice(0, this.pods.length, ...this.pods.filter(isOther));
    return this;
  }

  /** Pods of the gates, in place of those that there are. */
  gates(...shapes: readonly PodShape[]): this {
    this.without('gate');
    for (const shape of shapes) this.pod('gate', shape);
    return this;
  }
}
