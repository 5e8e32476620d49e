// What tests end to end begin with: the image on the nodes, the definition, an operator, and a KimCluster that is ready.

import net from 'node:net';
import { before, type TestContext } from 'node:test';
import type { Operator } from '../../../src/operator/run/operator.ts';
import type { NodeStatus } from '../../../src/ops/snapshot.ts';
import { defineClusters } from '../cluster-definition.ts';
import { until } from '../until.ts';
import type { TestCluster } from './cluster.ts';
import { kimImage, noImage } from './image.ts';
import type { KubeObject } from './kube.ts';
import { Operated, startOperator } from './operated.ts';

const BUILD_MS = 30 * 60_000;

export interface PodSeen extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly { readonly image: string }[] };
  readonly status: {
    readonly podIP?: string;
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

interface EventSeen extends KubeObject {
  readonly reason: string;
  readonly regarding?: { readonly kind?: string; readonly name?: string };
  readonly series?: { readonly count: number };
}

/** The name of the image, which is on all nodes before the first test; the cluster knows KimClusters then. */
export function imageOfFile(cluster: () => TestCluster): () => string {
  let image = '';
  before(
    async () => {
      if (noImage !== false) return;
      const built = await kimImage();
      image = built.name;
      // hooks of a file run side by side
      const there = await until(cluster, 'the cluster of the file is there', BUILD_MS);
      await there.load(built.archive);
      await defineClusters(there.kube);
    },
    { timeout: BUILD_MS },
  );
  return () => image;
}

export class Scene extends Operated {
  readonly image: string;
  /** What operators logged. */
  readonly lines: string[] = [];
  readonly #t: TestContext;

  /** A namespace of the test, and an operator for it. */
  static async begin(t: TestContext, cluster: TestCluster, image: string): Promise<Scene> {
    const scene = new Scene(t, cluster, image, await cluster.kube.namespace(t));
    t.after(() => {
      if (process.env['KIM_SHOW_LOG'] !== undefined) process.stderr.write(scene.lines.join(''));
    });
    return scene;
  }

  private constructor(t: TestContext, cluster: TestCluster, image: string, namespace: string) {
    super(cluster, namespace);
    this.image = image;
    this.#t = t;
  }

  /** One more operator for this namespace, and for others; it stops with the test at the latest. */
  async operator(others: readonly string[] = []): Promise<Operator> {
    const { kube, image, namespace, lines } = this;
    const operator = await startOperator(kube, { image, namespace, namespaces: [namespace, ...others], lines });
    this.#t.after(() => operator.stop());
    return operator;
  }

  /** The same for another namespace. */
  elsewhere(namespace: string): Scene {
    return new Scene(this.#t, this.cluster, this.image, namespace);
  }

  /** One gate and two logic nodes unless `more` says otherwise. */
  spec(gate: object = {}, logic: object = {}, more: object = {}): object {
    const listeners = [{ name: 'client', port: 3355 }];
    return {
      image: this.image,
      gate: { replicas: 1, workers: 1, listeners, service: { type: 'NodePort' }, drain: { seconds: 10 }, ...gate },
      logic: { replicas: 2, workers: 1, modules: ['test', 'echo'], drain: { seconds: 10 }, ...logic },
      discovery: { kubernetes: {} },
      ...more,
    };
  }

  /** Applies it and waits until it is ready. */
  async made(name: string, spec: object): Promise<void> {
    await this.apply(name, spec);
    await this.ready(name);
  }

  podsPath(name: string, tier: 'gate' | 'logic'): string {
    const selector = encodeURIComponent(`kimserver.io/cluster=${name},app.kubernetes.io/component=${tier}`);
    return `/api/v1/namespaces/${this.namespace}/pods?labelSelector=${selector}`;
  }

  /** Those that do not end. */
  async pods(name: string, tier: 'gate' | 'logic'): Promise<PodSeen[]> {
    const { items } = await this.kube.get<{ items: PodSeen[] }>(this.podsPath(name, tier));
    return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Each pod and how often its node was started: the same as long as none is replaced and none falls. */
  async lives(name: string): Promise<string[]> {
    const pods = [...(await this.pods(name, 'gate')), ...(await this.pods(name, 'logic'))];
    return pods.map(({ metadata, status }) => `${metadata.name} ${metadata.uid} ${status.containerStatuses?.[0]?.restartCount}`).sort();
  }

  /** Reasons of the events of a KimCluster, each as often as it was told. */
  async events(name: string): Promise<string[]> {
    const { items } = await this.kube.get<{ items: EventSeen[] }>(`/apis/events.k8s.io/v1/namespaces/${this.namespace}/events`);
    const own = items.filter(({ regarding }) => regarding?.kind === 'KimCluster' && regarding.name === name);
    return own.flatMap(({ reason, series }) => Array.from({ length: series?.count ?? 1 }, () => reason));
  }

  /** Resolves when new connections come to all gates: the Service leads to them a moment after they are ready. */
  async reachable(name: string): Promise<void> {
    const { host, port } = await this.entry(name);
    const gates = await this.pods(name, 'gate');
    const dial = async (): Promise<boolean> => {
      const socket = net.connect({ host, port });
      await new Promise((resolve) => socket.once('connect', resolve).once('error', resolve));
      socket.destroy();
      const counts = await Promise.all(gates.map(acceptedBy));
      return counts.every((count) => count > 0);
    };
    await until(dial, `the Service of ${name} leads to all gates`);
  }
}

async function acceptedBy({ status: { podIP } }: PodSeen): Promise<number> {
  const response = await fetch(`http://${podIP}:9355/status`);
  return ((await response.json()) as NodeStatus).manager.accepted;
}
