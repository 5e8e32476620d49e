// What tests do to nodes: cut them off and join them again, freeze their programs, and find the pods somewhere else meanwhile.

import assert from 'node:assert/strict';
import test from 'node:test';
import { ownClusterOfFile } from '../support/kube/hooks.ts';
import { PAUSE } from '../support/kube/images.ts';
import type { KubeObject } from '../support/kube/kube.ts';
import { noOwnCluster } from '../support/kube/needs.ts';

const skip = noOwnCluster;
const cluster = ownClusterOfFile();

interface Node extends KubeObject {
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

interface Pod extends KubeObject {
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string };
}

const isReady = ({ status }: Node) => status.conditions.some((is) => is.type === 'Ready' && is.status === 'True');

test(
  'pods of a node that is cut off start on the other one, and the node comes back when it is joined again',
  { skip, timeout: 120_000 },
  async (t) => {
    const { kube, nodes } = cluster();
    const [lost, other] = [nodes[0]!, nodes[1]!];
    const space = await kube.namespace(t);
    const readyNodes = (names: readonly string[]) =>
      kube.waitFor<Node>(
        '/api/v1/nodes',
        (all) =>
          JSON.stringify(
            all
              .filter(isReady)
              .map(({ metadata }) => metadata.name)
              .sort(),
          ) === JSON.stringify(names),
        `these nodes are ready: ${names.join(', ')}`,
      );
    const labels = { app: 'one' };
    const tolerations = ['unreachable', 'not-ready'].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 1,
    }));
    const containers = [{ name: 'main', image: PAUSE, imagePullPolicy: 'Never' }];
    const prefers = { weight: 1, preference: { matchFields: [{ key: 'metadata.name', operator: 'In', values: [lost.name] }] } };
    const affinity = { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [prefers] } };
    const template = { metadata: { labels }, spec: { containers, tolerations, affinity } };
    const spec = { replicas: 1, selector: { matchLabels: labels }, template };
    await kube.apply([{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'one' }, spec }], space);
    const runsOn = (node: string) =>
      kube.waitFor<Pod>(
        `/api/v1/namespaces/${space}/pods`,
        (pods) =>
          pods.some((pod) => pod.spec.nodeName === node && pod.status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined),
        `the pod runs on ${node}`,
      );
    await runsOn(lost.name);
    await lost.cut();
    await readyNodes([other.name]);
    await runsOn(other.name);
    await lost.join();
    await readyNodes([lost.name, other.name]);
    const left = await kube.waitFor<Pod>(
      `/api/v1/namespaces/${space}/pods`,
      (pods) => pods.length === 1,
      'the pod of the node that was lost is gone',
    );
    assert.equal(left[0]!.spec.nodeName, other.name);
  },
);
