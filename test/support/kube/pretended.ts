// Pods that nobody runs: Kubernetes believes that they are ready, and a small server answers for the node of each.

import http from 'node:http';
import type { TestContext } from 'node:test';
import { KubeClient } from '../../../src/kube/client.ts';
import { findKube } from '../../../src/kube/config.ts';
import { adminPortOf } from '../../../src/operator/run/observe.ts';
import type { Pod } from '../../../src/operator/plan/types.ts';
import type { ControlPlane } from './control-plane.ts';

/** As /status has it, as far as operators look. */
const statusOf = (name: string): object => ({
  name,
  state: 'serving',
  version: '0.1.0',
  workers: [{ index: 1, state: 'serving' }],
  totals: {
    ...{ connections: 100, accepted: 100, closed: {}, limits: {}, commands: {}, routes: {} },
    cluster: { links: { incoming: 0 }, greetings: { asked: 0 } },
  },
  cluster: { directories: [] },
});

export class PretendedPods {
  readonly #t: TestContext;
  readonly #plane: ControlPlane;
  readonly #client: KubeClient;
  #count = 0;

  /** They answer until the test is over. */
  static async begin(t: TestContext, plane: ControlPlane): Promise<PretendedPods> {
    const client = new KubeClient({ access: await findKube({ kubeconfig: plane.kubeconfig }) });
    t.after(() => client.close());
    return new PretendedPods(t, plane, client);
  }

  private constructor(t: TestContext, plane: ControlPlane, client: KubeClient) {
    this.#t = t;
    this.#plane = plane;
    this.#client = client;
  }

  /** Makes all pods of KimClusters ready that are not yet, 250 at most; returns how many were already. */
  async readyAll(): Promise<number> {
    const { items } = await this.#client.get<{ items: Pod[] }>('/api/v1/pods?labelSelector=kimserver.io/cluster');
    const unready = items.filter(({ status }) => status?.podIP === undefined);
    for (const pod of unready) await this.#ready(pod);
    return items.length - unready.length;
  }

  async #ready({ metadata, spec }: Pod): Promise<void> {
    // on this machine, and nobody else's
    const podIP = `127.77.${this.#plane.slot.number}.${++this.#count}`;
    const status = JSON.stringify(statusOf(metadata.name));
    const server = http.createServer((request, response) => {
      response.setHeader('content-type', 'application/json').end(request.url === '/status' ? status : '{}');
    });
    this.#t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    await new Promise<void>((resolve) => server.listen(adminPortOf(spec), podIP, resolve));
    const at = new Date().toISOString();
    const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'True', lastTransitionTime: at }));
    const body = { status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], startTime: at, conditions } };
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`;
    await this.#client.request('PATCH', path, { body, contentType: 'application/strategic-merge-patch+json' });
  }
}
