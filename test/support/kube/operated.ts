// An operator in the process of a test, on a real cluster, and KimClusters that it makes: what the tests end to end begin with.

import type { TestContext } from 'node:test';
import { createClient, type Client, type ClientOptions } from '../../../src/client/index.ts';
import { findKube } from '../../../src/kube/config.ts';
import { Operator } from '../../../src/operator/run/operator.ts';
import type { KimClusterStatus } from '../../../src/operator/status-types.ts';
import { createLogger } from '../../../src/ops/log.ts';
import type { TestCluster } from './cluster.ts';
import type { Kube, KubeObject } from './kube.ts';
import { until } from '../until.ts';

export interface KimClusterSeen extends KubeObject {
  readonly status?: KimClusterStatus;
}

/** Log lines go to `lines`. */
export async function startOperator(
  kube: Kube,
  given: {
    readonly image: string;
    readonly zookeeperImage?: string;
    readonly namespace: string;
    readonly namespaces: readonly string[];
    readonly lines?: string[];
  },
): Promise<Operator> {
  const { image, zookeeperImage = 'zookeeper:3.9', namespace, namespaces, lines = [] } = given;
  const operator = await Operator.start({
    access: await findKube({ kubeconfig: kube.kubeconfig }),
    log: createLogger({ name: 'operator', level: 'info', write: (line) => lines.push(line) }),
    namespace,
    namespaces,
    leaseName: 'kimserver-operator',
    keySecret: 'kimserver-operator-key',
    facts: { version: '0.1.0', podLabels: {}, image, zookeeperImage, imageVolumes: false },
    healthPort: 0,
    metricsPort: 0,
  });
  return operator;
}

export class Operated {
  readonly kube: Kube;
  readonly namespace: string;
  readonly cluster: TestCluster;

  constructor(cluster: TestCluster, namespace: string) {
    this.cluster = cluster;
    this.kube = cluster.kube;
    this.namespace = namespace;
  }

  async apply(name: string, spec: object, annotations: Record<string, string> = {}): Promise<void> {
    const object = { apiVersion: 'kimserver.io/v1alpha1', kind: 'KimCluster', metadata: { name, annotations }, spec };
    await this.kube.apply([object], this.namespace);
  }

  /** Changes a part of the spec, as kubectl edit does. */
  async patch(name: string, spec: object): Promise<void> {
    await this.kube.kubectl('-n', this.namespace, 'patch', 'kimcluster', name, '--type=merge', '-p', JSON.stringify({ spec }));
  }

  async until(
    name: string,
    isSo: (status: KimClusterStatus, object: KimClusterSeen) => boolean,
    what: string,
    maxMs = 120_000,
  ): Promise<KimClusterSeen> {
    const path = `/apis/kimserver.io/v1alpha1/namespaces/${this.namespace}/kimclusters`;
    const found = await this.kube.waitFor<KimClusterSeen>(
      path,
      (all) => all.some((one) => one.metadata.name === name && one.status !== undefined && isSo(one.status, one)),
      what,
      maxMs,
    );
    return found.find((one) => one.metadata.name === name)!;
  }

  ready(name: string): Promise<KimClusterSeen> {
    return this.until(
      name,
      ({ conditions = [], observedGeneration }, { metadata }) =>
        observedGeneration === (metadata as { generation?: number }).generation &&
        conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
      `${name} is ready`,
    );
  }

  /** Ready, nothing is under way, and no pod that was replaced still has clients. */
  settled(name: string): Promise<KimClusterSeen> {
    return this.until(
      name,
      ({ conditions = [], observedGeneration, gate, logic }, { metadata }) =>
        observedGeneration === (metadata as { generation?: number }).generation &&
        conditions.some(({ type, status }) => type === 'Ready' && status === 'True') &&
        conditions.some(({ type, status }) => type === 'Progressing' && status === 'False') &&
        [gate, logic].every((tier) => tier === undefined || tier.draining.length === 0),
      `${name} is ready, and nothing is under way`,
    );
  }

  /** Where clients from outside reach the gates. */
  async entry(name: string): Promise<{ host: string; port: number }> {
    const service = await this.kube.get<{ spec: { ports: { nodePort: number }[] } }>(
      `/api/v1/namespaces/${this.namespace}/services/${name}-gate`,
    );
    return { host: this.cluster.nodes[0]!.address, port: service.spec.ports[0]!.nodePort };
  }

  async client(t: Pick<TestContext, 'after'>, name: string, options: Partial<ClientOptions> = {}): Promise<Client> {
    const client = createClient({ ...(await this.entry(name)), ...options });
    t.after(() => client.close());
    // nodes open the port of a Service a moment after its first pod is ready
    await until(async () => (await client.connect(), true), 'the port of the Service is open');
    return client;
  }
}
