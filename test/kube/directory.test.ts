// Discovery by EndpointSlices on a real API server: the contract of all directories, and what is its own. The slices are written by the tests, as
// the controller of Kubernetes would for pods; who stands behind each address answers on a port of this machine.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Describer } from '../../src/cluster/description.ts';
import type { Announcement, Directory, DirectoryEvents } from '../../src/cluster/directory.ts';
import { KubernetesDirectory } from '../../src/cluster/directories/kubernetes.ts';
import { addressOf } from '../../src/cluster/member.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { findKube } from '../../src/kube/config.ts';
import { createNodePort } from '../../src/node/node-port.ts';
import { silentLogger } from '../../src/ops/log.ts';
import { directoryContract, nodeOf, Watched, type Place } from '../contract/directory.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import { noControlPlane } from '../support/kube/needs.ts';
import { until } from '../support/until.ts';

const controlPlane = controlPlaneOfFile();
const HOST = '10.99.0.7';
const SELECTOR = 'kimserver.io/cluster=demo';

/** The nodes behind the addresses of one cluster. */
class World {
  readonly namespace: string;
  readonly #client: KubeClient;
  readonly #ports = new Map<string, number>();
  readonly #says = new Map<string, { describer: Describer; said: Announcement | undefined; sockets: Set<net.Socket> }>();
  readonly #servers: net.Server[] = [];
  #slices = 0;

  static async begin(t: TestContext): Promise<World> {
    const access = await findKube({ kubeconfig: controlPlane().kubeconfig });
    const world = new World(await controlPlane().kube.namespace(t), new KubeClient({ access }));
    t.after(() => world.#end());
    return world;
  }

  private constructor(namespace: string, client: KubeClient) {
    this.namespace = namespace;
    this.#client = client;
  }

  #end(): void {
    for (const { describer, sockets } of this.#says.values()) {
      describer.close();
      for (const socket of sockets) socket.destroy();
    }
    for (const server of this.#servers) server.close();
    this.#client.close();
  }

  get slices(): string {
    return `/apis/discovery.k8s.io/v1/namespaces/${this.namespace}/endpointslices`;
  }

  directory(): KubernetesDirectory {
    return new KubernetesDirectory({
      selector: SELECTOR,
      log: silentLogger(),
      connect: async () => ({
        client: new KubeClient({ access: await findKube({ kubeconfig: controlPlane().kubeconfig }) }),
        namespace: this.namespace,
      }),
      dial: (host, port) => net.connect({ host: '127.0.0.1', port: this.#ports.get(addressOf({ host, port })) ?? 1 }),
    });
  }

  /** A node begins to answer, or says something else from now on. */
  async say(announcement: Announcement): Promise<void> {
    const address = addressOf(announcement);
    let one = this.#says.get(address);
    if (one === undefined) {
      const describer = new Describer();
      const sockets = new Set<net.Socket>();
      one = { describer, said: undefined, sockets };
      this.#says.set(address, one);
      const log = silentLogger();
      const server = createNodePort({ log, hasWorker: () => false, pass: () => undefined, refused: () => undefined, describer });
      server.on('connection', (socket) => sockets.add(socket));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      this.#servers.push(server);
      this.#ports.set(address, (server.address() as AddressInfo).port);
    }
    // a newer pod has the address of an older one
    if (one.said !== undefined && one.said.activeTime > announcement.activeTime) return;
    one.said = announcement;
    one.describer.say(announcement);
  }

  /** It can not be reached any more, or says so itself. */
  silence({ host, port }: Pick<Announcement, 'host' | 'port'>): void {
    const one = this.#says.get(addressOf({ host, port }));
    if (one !== undefined) one.said = undefined;
    one?.describer.say(undefined);
  }

  /** Its connections are cut. */
  cut({ host, port }: Pick<Announcement, 'host' | 'port'>): void {
    for (const socket of this.#says.get(addressOf({ host, port }))!.sockets) socket.destroy();
  }

  addSlice({ host, port }: Pick<Announcement, 'host' | 'port'>): Promise<string> {
    const ports = [
      { name: 'admin', port: 9000 },
      { name: 'node', port },
    ];
    return this.#addSlice({ endpoints: [{ addresses: [host] }], ports });
  }

  /** What Kubernetes makes of a Service without pods. */
  addEmptySlice(): Promise<string> {
    return this.#addSlice({ endpoints: null, ports: null });
  }

  async #addSlice(content: object): Promise<string> {
    const name = `nodes-${++this.#slices}`;
    const metadata = { name, labels: { 'kimserver.io/cluster': 'demo' } };
    const body = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4', ...content };
    await this.#client.request('POST', this.slices, { body });
    return name;
  }

  async removeSlice(name: string): Promise<void> {
    await this.#client.request('DELETE', `${this.slices}/${name}`);
  }
}

/** What a pod has: its place behind the Service comes and goes with it. */
class PodDirectory implements Directory {
  readonly name = 'kubernetes';
  readonly #world: World;
  readonly #inner: KubernetesDirectory;
  #self: Announcement | undefined;
  #slice: string | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#inner = world.directory();
  }

  get health() {
    return this.#inner.health;
  }

  open(events: DirectoryEvents): void {
    this.#inner.open(events);
  }

  async announce(self: Announcement): Promise<void> {
    this.#self = self;
    await this.#world.say(self);
    const announced = this.#inner.announce(self);
    this.#slice ??= await this.#world.addSlice(self);
    await announced;
  }

  async withdraw(): Promise<void> {
    if (this.#self !== undefined) this.#world.silence(this.#self);
    await this.#inner.withdraw();
    const slice = this.#slice;
    this.#slice = undefined;
    if (slice !== undefined) await this.#world.removeSlice(slice);
  }

  async close(): Promise<void> {
    await this.withdraw();
    await this.#inner.close();
  }
}

if (noControlPlane !== false) test('kubernetes: the contract of directories', { skip: noControlPlane }, () => undefined);
else {
  directoryContract('kubernetes', {
    isWritable: true,
    host: HOST,
    async place(t): Promise<Place> {
      const world = await World.begin(t);
      return { directory: () => new PodDirectory(world) };
    },
  });
}

const skip = noControlPlane;
const node = (n: number, values: Partial<Announcement> = {}) => nodeOf(n, { host: HOST, ...values });

test('a node that Kubernetes lists is known once it has said who it is, and what it said stays when it is silent', { skip }, async (t) => {
  const world = await World.begin(t);
  const watched = new Watched(t, world.directory());
  await world.addSlice(node(1));
  await until(() => watched.lists.length > 0, 'a list');
  assert.deepEqual(watched.members, []);
  await world.say(node(1));
  await watched.sees([node(1)], 'it has said who it is');
  world.cut(node(1));
  const more = node(1, { workers: 5, activeTime: 1_700_000_500 });
  await world.say(more);
  await watched.sees([more], 'it was asked again');
});

test('a Service without pods is no trouble for the others', { skip }, async (t) => {
  const world = await World.begin(t);
  const watched = new Watched(t, world.directory());
  await world.addEmptySlice();
  await world.say(node(1));
  await world.addSlice(node(1));
  await watched.sees([node(1)], 'the node is seen');
  await world.addEmptySlice();
  await world.say(node(2));
  await world.addSlice(node(2));
  await watched.sees([node(1), node(2)], 'the other one, too');
});

test('without the API server what is known stays, and what nodes say of themselves is still heard', { skip }, async (t) => {
  const world = await World.begin(t);
  const watched = new Watched(t, world.directory());
  await world.say(node(1));
  await world.addSlice(node(1));
  await watched.sees([node(1)], 'the node is seen');
  await controlPlane().apiserver.kill();
  try {
    await until(() => watched.directory.health.state === 'down', 'it is down');
    const draining = node(1, { facts: { ...node(1).facts!, state: 'draining' } });
    await world.say(draining);
    await watched.sees([draining], 'it drains');
  } finally {
    controlPlane().apiserver.start();
    await controlPlane().ready();
  }
  await until(() => watched.directory.health.state === 'up', 'it is up again');
  await world.say(node(2));
  await world.addSlice(node(2));
  await until(() => watched.members.length === 2, 'who came later is seen');
});
