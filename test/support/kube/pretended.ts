// Pods that nobody runs: Kubernetes believes that they are ready, and a small server answers for the node of each.

import http from 'node:http';
import type { TestContext } from 'node:test';
import { KubeClient } from '../../../src/kube/client.ts';
import { findKube } from '../../../src/kube/config.ts';
import { parseNodeConfig, type NodeConfig } from '../../../src/config/node-config.ts';
import { fromEnvironment, withOverrides } from '../../../src/config/overrides.ts';
import { configDigest, printConfig } from '../../../src/config/print.ts';
import { exampleStatus } from '../../../src/ops/admin-docs.ts';
import { CONFIG_FILE } from '../../../src/operator/plan/config-maps.ts';
import { adminPortOf } from '../../../src/operator/run/observe.ts';
import type { Manifest, Pod } from '../../../src/operator/plan/types.ts';
import type { ControlPlane } from './control-plane.ts';

interface WithMaps {
  readonly volumes: readonly { readonly configMap?: { readonly name: string } }[];
  readonly containers: readonly { readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[] }[];
}

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
    const config = await this.#configOf({ metadata, spec } as Pod, podIP);
    const workers = exampleStatus.workers.slice(0, config.worker_cnt);
    const answers = new Map<string | undefined, object>([
      ['/status', { ...exampleStatus, name: metadata.name, type: config.node_type, workers, configDigest: configDigest(config) }],
      ['/config', printConfig(config)],
    ]);
    const texts = new Map([...answers].map(([path, answer]) => [path, JSON.stringify(answer)]));
    const server = http.createServer(({ url }, response) => {
      response
        .setHeader('content-type', 'application/json')
        .writeHead(texts.has(url) ? 200 : 404)
        .end(texts.get(url) ?? '{}');
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

  /** What a node reads: its file, and over it its environment. */
  async #configOf({ metadata: { name, namespace }, spec }: Pod, podIP: string): Promise<NodeConfig> {
    const { volumes, containers } = spec as unknown as WithMaps;
    const dataOf = async (map: string) => {
      const { data } = await this.#client.get<Manifest & { data: Record<string, string> }>(
        `/api/v1/namespaces/${namespace}/configmaps/${map}`,
      );
      return data;
    };
    const { [CONFIG_FILE]: file } = await dataOf(volumes.find(({ configMap }) => configMap !== undefined)!.configMap!.name);
    const lasting = await dataOf(containers[0]!.envFrom[0]!.configMapRef.name);
    const { overrides } = fromEnvironment({ ...lasting, KIM_SERVER_NAME: name, KIM_NODE_HOST: podIP });
    return parseNodeConfig(withOverrides(JSON.parse(file!) as Record<string, unknown>, overrides), name).config;
  }
}
