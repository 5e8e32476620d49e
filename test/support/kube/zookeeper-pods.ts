// The ZooKeeper that the operator runs for a KimCluster, and its nodes, as tests see them: pods that are killed, and who is announced.

import { observe } from '../zookeeper-cluster.ts';
import { until } from '../until.ts';
import type { KubeObject } from './kube.ts';
import type { Operated } from './operated.ts';

export interface PodSeen extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string };
  readonly spec: { readonly containers: readonly { readonly image: string; readonly resources?: object }[] };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly lastTransitionTime?: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

interface Ending {
  after(end: () => Promise<void> | void): void;
}

const ROOT = '/kimserver';
const BACK_MS = 90_000;

export const isReady = ({ metadata, status }: PodSeen): boolean =>
  metadata.deletionTimestamp === undefined && status.conditions?.some((is) => is.type === 'Ready' && is.status === 'True') === true;

export class ZookeeperPods {
  readonly #operated: Operated;
  readonly #name: string;
  readonly #servers: number;

  constructor(operated: Operated, name: string, servers: number) {
    this.#operated = operated;
    this.#name = name;
    this.#servers = servers;
  }

  path(component: string): string {
    const selector = `kimserver.io/cluster=${this.#name},app.kubernetes.io/component in (${component})`;
    return `/api/v1/namespaces/${this.#operated.namespace}/pods?labelSelector=${encodeURIComponent(selector)}`;
  }

  async pods(component = 'zookeeper'): Promise<PodSeen[]> {
    const { items } = await this.#operated.kube.get<{ items: PodSeen[] }>(this.path(component));
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Without a word to the servers, as when their machine is lost. */
  async kill(...numbers: readonly number[]): Promise<void> {
    const names = numbers.map((number) => `${this.#name}-zookeeper-${number}`);
    const { kube, namespace } = this.#operated;
    await kube.kubectl('-n', namespace, 'delete', 'pod', '--grace-period=0', '--force', '--wait=false', ...names);
  }

  /** Resolves when all servers are ready, none of them in a pod with one of these uids. */
  async back(gone: readonly PodSeen[] = []): Promise<readonly PodSeen[]> {
    const old = gone.map(({ metadata }) => metadata.uid);
    return this.#operated.kube.waitFor<PodSeen>(
      this.path('zookeeper'),
      (pods) => pods.length === this.#servers && pods.every((pod) => isReady(pod) && !old.includes(pod.metadata.uid)),
      `${this.#servers} ZooKeeper servers of ${this.#name} are ready`,
      BACK_MS,
    );
  }

  /** Resolves when exactly the nodes in pods of this KimCluster are announced below a root. */
  async announced(t: Ending, root = ROOT, cluster = new ZookeeperPods(this.#operated, this.#name, 0)): Promise<void> {
    const names = (await cluster.pods('gate, logic')).map(({ metadata }) => metadata.name).sort();
    const servers = (await this.pods()).map(({ status }) => `${status.podIP}:2181`).join(',');
    const seen = observe(t, { servers, root, sessionTimeoutMs: 10_000 });
    await seen.when(
      (members) => JSON.stringify(members.map(({ name }) => name).sort()) === JSON.stringify(names),
      `${names.join(', ')} are announced`,
    );
  }

  /** Each node, since when it has been ready, and how often it was started: the same as long as none is troubled. */
  async lives(): Promise<string[]> {
    return (await this.pods('gate, logic')).map((pod) => {
      const since = pod.status.conditions?.find(({ type }) => type === 'Ready');
      const starts = pod.status.containerStatuses?.[0]?.restartCount;
      return `${pod.metadata.name} ${pod.metadata.uid}: ready ${since?.status} since ${since?.lastTransitionTime}, started again ${starts} times`;
    });
  }

  /** Resolves when all gates know so many logic nodes. */
  async gatesKnow(nodes: number, adminPort = 9355): Promise<void> {
    const gates = await this.pods('gate');
    for (const { metadata, status } of gates) {
      await until(async () => {
        const answer = await fetch(`http://${status.podIP}:${adminPort}/status`);
        const { cluster } = (await answer.json()) as { cluster: { members: { type: string; nodes: number }[] } };
        return cluster.members.filter(({ type }) => type === 'logic').reduce((sum, one) => sum + one.nodes, 0) === nodes;
      }, `${metadata.name} knows ${nodes} logic nodes`);
    }
  }
}
