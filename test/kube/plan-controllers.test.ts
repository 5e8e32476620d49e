// The plan and the real controllers of Kubernetes: whom a ReplicaSet removes, and how far a rollout goes between two passes. No pod runs: the test
// says who is ready, and plays the nodes.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { lookAt } from '../../src/cli/plan-source.ts';
import { parseCluster, type KimCluster } from '../../src/config/cluster.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { findKube } from '../../src/kube/config.ts';
import { pathOf } from '../../src/kube/types.ts';
import { plan } from '../../src/operator/plan/plan.ts';
import type { NodeView, Plan, Pod } from '../../src/operator/plan/types.ts';
import { execute } from '../../src/operator/run/executor.ts';
import { ownedKinds, pods as podKind } from '../../src/operator/run/kinds.ts';
import { defineClusters } from '../support/cluster-definition.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import { noControlPlane } from '../support/kube/needs.ts';
import { until } from '../support/until.ts';

const skip = noControlPlane;
const plane = controlPlaneOfFile();
const options = { skip, timeout: 120_000 };

const fileOf = (gates: number, image: string) => `
apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata: { name: demo }
spec:
  image: ${image}
  gate: { replicas: ${gates}, listeners: [{ port: 3355 }], modules: [test] }
  discovery: { kubernetes: {} }
`;

/** The operator, its nodes and the kubelets, as far as a plan can tell. */
class Stage {
  readonly #client: KubeClient;
  readonly namespace: string;
  readonly connections = new Map<string, number>();
  readonly #draining = new Set<string>();
  /** Pods of the gates that were there in each pass. */
  readonly seen: Pod[][] = [];

  constructor(client: KubeClient, namespace: string) {
    this.#client = client;
    this.namespace = namespace;
  }

  static async begin(t: TestContext): Promise<Stage> {
    const { kube } = plane();
    const namespace = await kube.namespace(t);
    await defineClusters(kube);
    const client = new KubeClient({ access: await findKube({ kubeconfig: kube.kubeconfig }) });
    t.after(() => client.close());
    return new Stage(client, namespace);
  }

  /** The file is applied; passes follow each other until there is nothing left to do. */
  async become(text: string): Promise<void> {
    await plane().kube.apply(text, this.namespace);
    const { cluster } = parseCluster(text, 'demo.yaml', 'kubernetes');
    await until(
      async () => {
        const decided = await this.#pass(cluster);
        const pods = this.seen.at(-1)!;
        const isThere = pods.length === cluster.spec.gate.replicas && pods.every(isReady);
        return isThere && decided.actions.length === 0 && decided.requeueMs === 30_000;
      },
      'the cluster is as the file says',
      60_000,
    );
  }

  async #pass(file: KimCluster): Promise<Plan> {
    const { cluster, observed } = await lookAt(file, this.namespace, this.#client, Date.now());
    this.seen.push([...observed.pods]);
    const nodes = new Map(observed.pods.map(({ metadata: { name } }) => [name, this.#nodeOf(name)]));
    const decided = plan(cluster, { ...observed, nodes });
    for (const object of decided.apply) {
      const kind = ownedKinds.find((one) => one.kind === object.kind)!;
      const query = { fieldManager: 'kimserver-operator', force: true };
      const contentType = 'application/apply-patch+yaml';
      await this.#client.request('PATCH', pathOf(kind, object.metadata), { body: object, contentType, query });
    }
    for (const action of decided.actions) if (action.kind === 'drain') this.#draining.add(action.pod);
    await execute(decided.actions, {
      key: `${this.namespace}/demo`,
      tools: { client: this.#client, guard: { wrote() {} }, assertLeader() {} },
      nodes: { tell: () => Promise.resolve() },
      cluster: { ...cluster, apiVersion: cluster.apiVersion, kind: cluster.kind },
      address: () => undefined,
      signal: AbortSignal.timeout(10_000),
    });
    await this.#kubelets(observed.pods);
    return decided;
  }

  /** What drains has lost its clients by the next pass. */
  #nodeOf(name: string): NodeView {
    const isDraining = this.#draining.has(name);
    const state = isDraining ? 'draining' : 'serving';
    const counts = { replies: 0, failures: 0, accepted: 0, broken: 0 };
    const connections = isDraining ? 0 : (this.connections.get(name) ?? 0);
    return { state, connections, workers: 1, version: '1', config: {}, ...counts, lostDirectories: [] };
  }

  /** Pods are ready one pass after they were made, until they drain. */
  async #kubelets(pods: readonly Pod[]): Promise<void> {
    for (const pod of pods) {
      const { name, deletionTimestamp } = pod.metadata;
      const status = this.#draining.has(name) ? 'False' : 'True';
      if (deletionTimestamp !== undefined || isReady(pod) === (status === 'True')) continue;
      const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status, lastTransitionTime: new Date().toISOString() }));
      const path = pathOf(podKind, { namespace: this.namespace, name, part: 'status' });
      const body = { status: { phase: 'Running', conditions } };
      await this.#client.request('PATCH', path, { body, contentType: 'application/strategic-merge-patch+json' }).catch(() => undefined);
    }
  }

  get names(): string[] {
    return this.seen.at(-1)!.map(({ metadata }) => metadata.name);
  }
}

function isReady({ status, metadata }: Pod): boolean {
  const isUp = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
  return isUp && metadata.deletionTimestamp === undefined;
}

test('a ReplicaSet removes just the gates that were drained, those with the fewest connections', options, async (t) => {
  const stage = await Stage.begin(t);
  await stage.become(fileOf(5, 'kim:1'));
  const names = stage.names.toSorted();
  names.forEach((name, i) => stage.connections.set(name, [40, 10, 30, 20, 50][i]!));
  await stage.become(fileOf(2, 'kim:1'));
  assert.deepEqual(new Set(stage.names), new Set([names[0], names[4]]));
});

test(
  'a rollout replaces one gate after another: no two new ones are unready together, and as many as wanted are always ready',
  options,
  async (t) => {
    const stage = await Stage.begin(t);
    await stage.become(fileOf(4, 'kim:1'));
    const before = stage.names;
    stage.seen.length = 0;
    await stage.become(fileOf(4, 'kim:2'));
    assert.ok(stage.names.every((name) => !before.includes(name)));
    for (const pods of stage.seen) {
      const fresh = pods.filter(({ metadata }) => !before.includes(metadata.name));
      assert.ok(fresh.filter((pod) => !isReady(pod)).length <= 1, 'one new pod gets ready at a time');
      assert.ok(pods.filter(isReady).length >= 4, 'enough are ready');
      assert.ok(pods.length <= 5, 'one more than wanted at most');
    }
  },
);
