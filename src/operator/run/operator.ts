// The operator as a process: it finds its key, watches KimClusters and everything that they become, and answers for itself.

import { hostname } from 'node:os';
import { randomBytes, type KeyObject } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import type { KubeAccess } from '../../kube/access.ts';
import { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/error.ts';
import { publicKeyText } from '../../ops/admin-token.ts';
import type { Logger } from '../../ops/log.ts';
import { Controller, type ControllerRules, type Watched } from '../engine/controller.ts';
import { Health, serveHealth, type HealthServer } from '../engine/health.ts';
import type { LeaseRules } from '../engine/lease.ts';
import type { OperatorFacts } from '../plan/types.ts';
import { autoscalers, CLUSTER_LABEL, keysOfLabel, kimClusters, ownedKinds, pods, serviceMonitors } from './kinds.ts';
import { keysOfAutoscaler } from './autoscaled.ts';
import { addClusterMetrics } from './cluster-metrics.ts';
import { NodeClient } from './node-client.ts';
import { patiently } from './patience.ts';
import { Reconciler, type KimClusterObject } from './reconcile.ts';
import { mustKnowKimClusters } from './definition.ts';
import { signingKey } from './signing-key.ts';

export interface OperatorOptions {
  readonly access: KubeAccess;
  readonly log: Logger;
  /** Its own: where the Secret of its key is, and the lease. */
  readonly namespace: string;
  /** Where it looks for KimClusters; empty: everywhere. */
  readonly namespaces: readonly string[];
  /** Name of the lease; of several operators with one name one works. */
  readonly leaseName: string;
  /** Name of the Secret with its key. */
  readonly keySecret: string;
  readonly facts: Omit<OperatorFacts, 'publicKey' | 'namespace'>;
  readonly healthPort: number;
  readonly metricsPort: number;
  readonly rules?: Partial<ControllerRules>;
  readonly leaseRules?: LeaseRules;
}

export class Operator {
  readonly #controller: Controller<KimClusterObject>;
  readonly #servers: readonly HealthServer[];

  /** Throws one sentence when it can not begin: no key, no CRD, a port that is taken. In a cluster it waits for an API server that is away. */
  static async start(options: OperatorOptions): Promise<Operator> {
    const { access, log, healthPort, metricsPort } = options;
    // it is idle nearly always, and runs beside others: what is no longer needed goes soon, which halves its memory after a burst of work
    setFlagsFromString('--optimize-for-size');
    const client = new KubeClient({ access });
    const health = new Health();
    let controller: Controller<KimClusterObject> | undefined;
    health.ready('API server', () => (controller === undefined ? 'not reached yet' : undefined));
    const metrics = () => controller?.metrics.meter.text() ?? '';
    const ports = healthPort === metricsPort && healthPort !== 0 ? [healthPort] : [healthPort, metricsPort];
    const servers = await serveAll(ports, health, metrics);
    try {
      const found = () => findOut(client, options);
      controller = controllerOf(options, health, access.isInCluster ? await patiently(found, log) : await found());
      addClusterMetrics(controller.metrics.meter, controller.store);
      controller.start();
      return new Operator(controller, servers);
    } catch (error) {
      await Promise.all(servers.map((server) => server.close()));
      throw error;
    } finally {
      client.close();
    }
  }

  private constructor(controller: Controller<KimClusterObject>, servers: readonly HealthServer[]) {
    this.#controller = controller;
    this.#servers = servers;
  }

  /** Health first, metrics second. */
  get ports(): readonly number[] {
    return this.#servers.map(({ port }) => port);
  }

  /** True once it reconciles and nobody else does. */
  get isLeader(): boolean {
    return this.#controller.lease?.isLeader ?? true;
  }

  /** Resolves with the reason when it has to end: another one has the lease. */
  get ended(): Promise<string> {
    return this.#controller.ended;
  }

  /** Finishes what it is doing and gives the lease back. */
  async stop(): Promise<void> {
    await this.#controller.stop();
    await Promise.all(this.#servers.map((server) => server.close()));
  }
}

/** All of them, or none and why. */
async function serveAll(ports: readonly number[], health: Health, metrics: () => string): Promise<readonly HealthServer[]> {
  const results = await Promise.allSettled(ports.map((port) => serveHealth(health, metrics, { port })));
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => server.close()));
  throw failed.reason;
}

/** What has to be known before anything is watched. */
interface Found {
  readonly key: KeyObject;
  readonly hasServiceMonitors: boolean;
}

async function findOut(client: KubeClient, { log, namespace, keySecret }: OperatorOptions): Promise<Found> {
  await mustKnowKimClusters(client, log);
  const key = await signingKey(client, namespace, keySecret);
  return { key, hasServiceMonitors: await isKnown(client, '/apis/monitoring.coreos.com/v1') };
}

function controllerOf(options: OperatorOptions, health: Health, { key, hasServiceMonitors }: Found): Controller<KimClusterObject> {
  const { access, log, namespace, namespaces, leaseName, facts, rules, leaseRules } = options;
  const reconciler = new Reconciler({
    nodes: new NodeClient(key),
    facts: { ...facts, namespace, publicKey: publicKeyText(key) },
    hasServiceMonitors,
    log,
  });
  return new Controller<KimClusterObject>({
    name: 'kimcluster',
    access,
    primary: kimClusters,
    watched: watchedKinds(hasServiceMonitors),
    ...(namespaces.length > 0 && { namespaces }),
    reconcile: reconciler.reconcile,
    identity: `${hostname()}_${randomBytes(4).toString('hex')}`,
    health,
    lease: { namespace, name: leaseName, ...(leaseRules && { rules: leaseRules }) },
    log,
    ...(rules && { rules }),
  });
}

function watchedKinds(hasServiceMonitors: boolean): Watched[] {
  const owned = hasServiceMonitors ? [...ownedKinds, serviceMonitors] : ownedKinds;
  return [
    // by label too: what lost its owner is noticed, and what belongs to somebody else and bears our label
    ...owned.map((kind): Watched => ({ kind, labelSelector: CLUSTER_LABEL, keysOf: keysOfLabel })),
    { kind: pods, labelSelector: CLUSTER_LABEL, keysOf: keysOfLabel },
    { kind: autoscalers, keysOf: keysOfAutoscaler },
  ];
}

async function isKnown(client: KubeClient, path: string): Promise<boolean> {
  try {
    await client.get(path);
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
