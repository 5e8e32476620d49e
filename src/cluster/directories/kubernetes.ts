// Nodes as pods: Kubernetes tells the addresses behind the headless Services of a cluster (EndpointSlices), and each node itself who it is.
//
//   EndpointSlices --watch--> address, port "node" --command 25--> type, workers, state, version ...
//
// A pod that ends is in its slice until it is gone, and says before that it drains, and then that it is not to be found any more.

import type { KubeClient } from '../../kube/client.ts';
import { Reflector } from '../../kube/reflector.ts';
import type { KubeObject } from '../../kube/types.ts';
import type { Logger } from '../../ops/log.ts';
import type net from 'node:net';
import type { Described } from '../description.ts';
import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../directory.ts';
import { addressOf, type Member } from '../member.ts';
import { Endpoint } from './endpoint.ts';

/** Name of the port of nodes in an EndpointSlice. */
const PORT_NAME = 'node';
const LOOK_MS = 500;
/** Nodes above this are left out. */
const MAX_MEMBERS = 10_000;

/** As Kubernetes writes them: where there are no pods, both lists are null. */
interface EndpointSlice extends KubeObject {
  readonly endpoints: readonly { readonly addresses?: readonly string[] }[] | null;
  readonly ports: readonly { readonly name?: string; readonly port?: number }[] | null;
}

export interface KubernetesDirectoryOptions {
  /** Resolves with the client and the namespace to look in; rejects with one sentence, and is called again later. */
  connect(): Promise<{ client: Pick<KubeClient, 'get' | 'watch' | 'close'>; namespace: string }>;
  /** Labels of the slices. */
  readonly selector: string;
  readonly log: Logger;
  /** Instead of TCP connections to the nodes. */
  readonly dial?: (host: string, port: number) => net.Socket;
}

interface Known {
  readonly endpoint: Endpoint | undefined;
  described: Described | undefined;
}

export class KubernetesDirectory implements Directory {
  readonly name = 'kubernetes';
  readonly #options: KubernetesDirectoryOptions;
  #health: DirectoryHealth = { state: 'connecting', detail: 'the API server has not answered yet' };
  #events: DirectoryEvents | undefined;
  #client: Awaited<ReturnType<KubernetesDirectoryOptions['connect']>>['client'] | undefined;
  #reflector: Reflector<EndpointSlice> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #self: Announcement | undefined;
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #known = new Map<string, Known>();
  #last = '';

  constructor(options: KubernetesDirectoryOptions) {
    this.#options = options;
  }

  get health(): DirectoryHealth {
    return this.#health;
  }

  open(events: DirectoryEvents): void {
    this.#events = events;
    events.health(this.#health);
    void this.#connect();
  }

  /** It is others who announce: the node is there when its pod stands behind the Service. */
  announce(self: Announcement): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the directory is closed'));
    this.#self = self;
    this.#waiting ??= Promise.withResolvers();
    const { promise } = this.#waiting;
    this.#tell();
    return promise;
  }

  withdraw(): Promise<void> {
    this.#waiting?.resolve();
    this.#waiting = undefined;
    this.#self = undefined;
    this.#tell();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#events = undefined;
    this.#waiting?.reject(new Error('the directory was closed'));
    this.#waiting?.promise.catch(() => undefined);
    for (const { endpoint } of this.#known.values()) endpoint?.close();
    await this.#reflector?.stop();
    this.#client?.close();
  }

  async #connect(): Promise<void> {
    const { connect, selector, log } = this.#options;
    try {
      const { client, namespace } = await connect();
      if (this.#isClosed) return client.close();
      this.#client = client;
      this.#reflector = new Reflector<EndpointSlice>({
        client,
        path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
        labelSelector: selector,
        changed: () => this.#look(),
        // nodes are few beside everything else that asks the server, and who is new is wanted soon
        rules: { backoff: { minMs: 200, maxMs: 3000 } },
        log,
      });
      void this.#reflector.synced.then(() => this.#look());
      this.#reflector.start();
      this.#timer = setInterval(() => this.#judge(), LOOK_MS);
    } catch (error) {
      this.#setHealth('down', (error as Error).message);
      // what is missing may come: a file of the service account, a kubeconfig
      if (!this.#isClosed) this.#timer = setTimeout(() => void this.#connect(), LOOK_MS * 4);
    }
  }

  /** How the watch fares. */
  #judge(): void {
    const { isSynced, isFollowing, problem } = this.#reflector!.state;
    if (!isFollowing && problem !== undefined) this.#setHealth('down', problem);
    else if (isSynced && isFollowing) this.#setHealth('up', `EndpointSlices with ${this.#options.selector}`);
  }

  /** Compares what Kubernetes tells with what is known. */
  #look(): void {
    if (this.#isClosed || this.#reflector?.state.isSynced !== true) return;
    this.#judge();
    const found = new Map<string, { host: string; port: number }>();
    for (const { endpoints, ports } of this.#reflector.items.values()) {
      const port = ports?.find(({ name }) => name === PORT_NAME)?.port;
      if (port === undefined) continue;
      for (const host of endpoints?.flatMap(({ addresses = [] }) => addresses) ?? []) {
        if (found.size < MAX_MEMBERS) found.set(addressOf({ host, port }), { host, port });
      }
    }
    for (const [address, { endpoint }] of this.#known) {
      if (found.has(address)) continue;
      endpoint?.close();
      this.#known.delete(address);
    }
    for (const [address, { host, port }] of found) if (!this.#known.has(address)) this.#known.set(address, this.#ask(host, port));
    this.#tell();
  }

  #ask(host: string, port: number): Known {
    const known: Known = {
      described: undefined,
      endpoint: new Endpoint({
        host,
        port,
        connect: this.#options.dial,
        told: (described) => {
          known.described = described;
          this.#tell();
        },
      }),
    };
    return known;
  }

  #tell(): void {
    if (this.#reflector?.state.isSynced !== true || this.#isClosed) return;
    const own = this.#self && addressOf(this.#self);
    const members: Member[] = [];
    for (const [address, { described }] of this.#known) {
      const at = address.lastIndexOf(':');
      const where = { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
      // whoever it is that says something of this node, this one knows better
      const said = address === own ? this.#self : described;
      if (said !== undefined) members.push({ ...said, ...where, source: this.name });
    }
    if (own !== undefined && this.#known.has(own)) {
      this.#waiting?.resolve();
      this.#waiting = undefined;
    }
    const text = JSON.stringify(members);
    if (text === this.#last) return;
    this.#last = text;
    this.#events?.members(members);
  }

  #setHealth(state: DirectoryHealth['state'], detail: string): void {
    if (this.#isClosed || (state === this.#health.state && detail === this.#health.detail)) return;
    // what is known when it is back is told also if it is the same
    if (state !== 'up') this.#last = '';
    this.#health = { state, detail };
    this.#events?.health(this.#health);
    if (state === 'up') this.#tell();
  }
}
