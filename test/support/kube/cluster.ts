// A real cluster for tests: a control plane and two nodes that run containers, ready in about ten seconds; or the one that was given.

import { mkdirSync } from 'node:fs';
import { ControlPlane, kubeconfigOf } from './control-plane.ts';
import { announceDns, startDns } from './dns.ts';
import { down, downUnused } from './down.ts';
import { BUSYBOX, packImages } from './images.ts';
import { Kube, type KubeObject } from './kube.ts';
import { givenKubeconfig } from './needs.ts';
import { makeNetwork } from './network.ts';
import { ClusterNode, loadInto, tagIn } from './node.ts';
import { providePrograms } from './programs.ts';
import { bridgeOf, claimSlot, letStay, nodeOf, slots, type Slot } from './slot.ts';
import { controlPrograms, nodePrograms } from './versions.ts';

const NODES = [1, 2];

/** What every test may use. */
export interface TestCluster extends AsyncDisposable {
  readonly kube: Kube;
  /** Ports of Services (type NodePort) answer on these addresses, those of pods on their own. */
  readonly nodes: readonly { readonly name: string; readonly address: string }[];
  /** An image with a shell and the usual small programs, for pods of tests. */
  readonly shell: string;
  /** Brings the images of an archive to all nodes. On a given cluster that is not ours they have to be there already. */
  load(archive: string): Promise<void>;
  /** Gives an image that is there a second name, as if it were another one. */
  tag(image: string, name: string): Promise<void>;
}

/** For tests that run on any cluster: the one of KIM_TEST_KUBECONFIG, or a new one. Dispose it, or give it to t.after. */
export async function useCluster(): Promise<TestCluster> {
  return givenKubeconfig === undefined ? startCluster() : attach(givenKubeconfig);
}

/** A new one, for tests that cut nodes off or stop the API server; or one that stays when this process ends. */
export async function startCluster({ stays = false } = {}): Promise<OwnCluster> {
  await providePrograms([...controlPrograms, ...nodePrograms]);
  await downUnused({ stays: false });
  const cluster = new OwnCluster(claimSlot(), stays);
  return cluster.start().then(
    () => {
      if (stays) letStay(cluster.slot);
      return cluster;
    },
    async (error: unknown) => {
      await cluster[Symbol.asyncDispose]();
      throw error;
    },
  );
}

export class OwnCluster implements TestCluster {
  readonly slot: Slot;
  readonly kube: Kube;
  readonly controlPlane: ControlPlane;
  readonly nodes: readonly ClusterNode[];
  readonly shell = BUSYBOX;
  readonly #stays: boolean;

  constructor(slot: Slot, stays: boolean) {
    const { address, pods } = bridgeOf(slot);
    this.slot = slot;
    this.#stays = stays;
    this.controlPlane = new ControlPlane({ slot, address, stays, pods });
    this.kube = this.controlPlane.kube;
    const { kubeconfig } = this.controlPlane;
    this.nodes = NODES.map((number) => new ClusterNode({ slot, names: nodeOf(slot, number), kubeconfig, pods, stays }));
  }

  async start(): Promise<void> {
    const { slot, kube, controlPlane, nodes } = this;
    const { address } = bridgeOf(slot);
    const names = NODES.map((number) => nodeOf(slot, number));
    for (const { folder } of names) mkdirSync(folder);
    const [archive] = await Promise.all([packImages(slot.folder), makeNetwork(slot, names)]);
    await Promise.all([controlPlane.start(), ...nodes.map((node) => node.prepare(archive))]);
    for (const node of nodes) node.start();
    startDns({ slot, address, kubeconfig: controlPlane.kubeconfig, stays: this.#stays });
    await announceDns(kube, address);
    await nodesReady(kube, NODES.length);
  }

  readonly load = (archive: string): Promise<void> => load(this.slot, archive);
  readonly tag = (image: string, name: string): Promise<void> => tag(this.slot, image, name);

  async [Symbol.asyncDispose](): Promise<void> {
    await down(this.slot);
  }
}

/** A cluster that somebody else started: also one of ours that stays. It is left as it is. */
export async function attach(kubeconfig: string): Promise<TestCluster> {
  await providePrograms(['kubectl']);
  const kube = new Kube(kubeconfig);
  const slot = slots().find((place) => kubeconfigOf(place) === kubeconfig);
  const { items } = await kube.get<{ items: NodeObject[] }>('/api/v1/nodes');
  return {
    kube,
    nodes: items.map(({ metadata, status }) => ({
      name: metadata.name,
      address: status.addresses.find(({ type }) => type === 'InternalIP')?.address ?? metadata.name,
    })),
    shell: slot === undefined ? 'busybox:1' : BUSYBOX,
    load: async (archive) => {
      if (slot !== undefined) await load(slot, archive);
    },
    tag: async (image, name) => {
      if (slot !== undefined) await tag(slot, image, name);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function load(slot: Slot, archive: string): Promise<void> {
  await Promise.all(NODES.map((number) => loadInto(nodeOf(slot, number), archive)));
}

async function tag(slot: Slot, image: string, name: string): Promise<void> {
  await Promise.all(NODES.map((number) => tagIn(nodeOf(slot, number), image, name)));
}

interface NodeObject extends KubeObject {
  readonly status: {
    readonly addresses: readonly { readonly type: string; readonly address: string }[];
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
  };
}

async function nodesReady(kube: Kube, count: number): Promise<void> {
  const isReady = ({ status }: NodeObject) => status.conditions?.some((is) => is.type === 'Ready' && is.status === 'True') ?? false;
  await kube.waitFor<NodeObject>('/api/v1/nodes', (nodes) => nodes.filter(isReady).length === count, `${count} nodes are ready`);
}
