// Pods that nobody runs: Kubernetes believes that they are ready, and one server answers for all of their nodes.

import http from 'node:http';
import type { TestContext } from 'node:test';
import { KubeClient } from '../../../src/kube/client.ts';
import { findKube } from '../../../src/kube/config.ts';
import type { KubeObject } from './kube.ts';
import type { ControlPlane } from './control-plane.ts';

/** Of the gates and of the logic nodes. */
const ADMIN_PORTS = [9355, 10_344];
const STATUS = {
  state: 'serving',
  version: '0.1.0',
  workers: [{ index: 1, state: 'serving' }],
  totals: { connections: 100, clients: 100, accepted: 100, closed: {}, commands: {}, routes: {} },
  manager: { accepted: 100 },
  cluster: { directories: [] },
};

/** Where the nodes of all pods are said to be: on this machine, and nobody else's. */
export function addressOf({ slot }: ControlPlane): string {
  return `127.77.${slot.number}.1`;
}

/** Answers until the test is over. */
export async function answerForNodes(t: TestContext, plane: ControlPlane): Promise<void> {
  for (const port of ADMIN_PORTS) {
    const server = http.createServer((request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify(request.url === '/status' ? STATUS : {}));
    });
    t.after(() => server.close());
    await new Promise<void>((resolve) => server.listen(port, addressOf(plane), resolve));
  }
}

/** Makes all pods ready that have the label and are not yet; returns how many there are. */
export async function readyAll(plane: ControlPlane, client: KubeClient): Promise<number> {
  const { items } = await client.get<{ items: PodObject[] }>('/api/v1/pods?labelSelector=kimserver.io/cluster');
  const unready = items.filter(({ status }) => status?.podIP === undefined);
  for (const { metadata } of unready) {
    const at = new Date().toISOString();
    const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True', lastTransitionTime: at }));
    const podIP = addressOf(plane);
    const body = { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], startTime: at, conditions } };
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`;
    await client.request('PATCH', path, { body, contentType: 'application/strategic-merge-patch+json' });
  }
  return items.length - unready.length;
}

interface PodObject extends KubeObject {
  readonly status?: { readonly podIP?: string };
}

/** A client of this API server, closed with the test. */
export async function clientOf(t: TestContext, plane: ControlPlane): Promise<KubeClient> {
  const client = new KubeClient({ access: await findKube({ kubeconfig: plane.kubeconfig }) });
  t.after(() => client.close());
  return client;
}
