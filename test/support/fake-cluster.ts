// Workers in one process, joined by links that a test delivers, delays, cuts and kills: each link keeps its order, none waits for another.

import { Fault, type FaultName } from '../../src/errors.ts';
import type { Farewell, GateClients } from '../../src/cluster/delivery.ts';
import { defaultMessengerSettings, Messenger, type ClientRef, type MessengerSettings } from '../../src/cluster/messenger.ts';
import type { Answered, Peer, Peers } from '../../src/cluster/peer.ts';
import { Ledger } from '../../src/ops/ledger.ts';
import { Client, type ClientHost } from '../../src/session/client.ts';
import type { Codec } from '../../src/wire/codec.ts';
import { protobufCodec } from '../../src/wire/codecs/protobuf.ts';
import { noCluster } from './no-cluster.ts';

const host: ClientHost = {
  ledger: new Ledger(),
  push: () => false,
  close: () => undefined,
  ...noCluster,
  isConnected: () => true,
  outgoing: () => 0,
  expired: () => undefined,
  bind: () => Promise.resolve('unknown'),
  unbind: () => Promise.resolve('unknown'),
  join: () => Promise.resolve('unknown'),
  leave: () => Promise.resolve('unknown'),
  kick: () => undefined,
};

/** A client of a gate worker, with what has reached it. */
export class FakeClient {
  readonly client: Client;
  readonly received: { cmd: number; data: string }[] = [];
  /** The buffers as they were gathered. */
  readonly buffers: Buffer[] = [];
  /** Undefined while its session goes on; `quietly` if it was not told why it ended. */
  ended: Farewell | 'quietly' | undefined;
  isOpen = true;
  isSlow = false;
  readonly codec: Codec;

  constructor(id: string, codec: Codec) {
    this.client = new Client({ id, remote: '' }, host, this);
    this.codec = codec;
  }

  get texts(): string[] {
    return this.received.map(({ data }) => data);
  }
}

/** What was asked or told, on its way. `failed` is called instead when the link is cut. */
interface Parcel {
  arrive(): void;
  failed(fault: FaultName): void;
}

class FakePeer implements Peer {
  readonly id: string;
  readonly type: string;
  readonly isOurs: boolean;
  readonly #cluster: FakeCluster;
  readonly #from: FakeWorker;
  readonly #to: FakeWorker;

  constructor(cluster: FakeCluster, from: FakeWorker, to: FakeWorker) {
    this.#cluster = cluster;
    this.#from = from;
    this.#to = to;
    this.id = to.id;
    this.type = to.type;
    this.isOurs = to.isOurs;
  }

  ask(cmd: number, data: Uint8Array, answered: Answered): void {
    this.#cluster.asked.push(`${this.#from.id}>${this.id} ${cmd}`);
    let isOver = false;
    const end: Answered = (fault, bytes) => {
      if (isOver) throw new Error(`ask ${cmd} to ${this.id} was answered twice`);
      isOver = true;
      answered(fault, bytes);
    };
    const failed = (fault: FaultName) => end(new Fault(fault), Buffer.alloc(0));
    if (!this.#to.isAlive) return failed('connectFailed');
    const message = Buffer.from(data);
    const arrive = () => {
      let isReplied = false;
      view(message, (bytes) => {
        this.#to.received(this.#cluster.peer(this.#to, this.#from), cmd, bytes, (code, reply) => {
          if (isReplied || !this.#from.isAlive || !this.#to.isAlive) return;
          isReplied = true;
          const copy = Buffer.from(reply);
          this.#cluster.post(this.#to, this.#from, {
            arrive: () => view(copy, (content) => end(code === 0 ? undefined : new Fault('failed', `code ${code}`), content)),
            failed,
          });
        });
      });
    };
    this.#cluster.post(this.#from, this.#to, { arrive, failed });
  }

  tell(cmd: number, data: Uint8Array): void {
    const message = Buffer.from(data);
    const from = this.#cluster.peer(this.#to, this.#from);
    this.#cluster.post(this.#from, this.#to, {
      arrive: () => view(message, (bytes) => this.#to.received(from, cmd, bytes, () => undefined)),
      failed: () => undefined,
    });
  }
}

/** Hands bytes over as a link does: they are good only during the call. */
function view(bytes: Buffer, use: (bytes: Buffer) => void): void {
  use(bytes);
  bytes.fill(0xee);
}

function framesIn(bytes: Buffer): { cmd: number; data: string }[] {
  const decoder = protobufCodec.decoder(16 * 1024 * 1024);
  decoder.feed(Buffer.from(bytes));
  const frames = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
    frames.push({ cmd: frame.cmd, data: protobufCodec.data(frame).toString() });
  }
  return frames;
}

export class FakeWorker implements GateClients, Peers {
  readonly id: string;
  readonly type: string;
  readonly isOurs: boolean;
  readonly messenger: Messenger;
  readonly sessions = new Map<string, FakeClient>();
  /** What was not for the messenger. */
  readonly others: number[] = [];
  isAlive = true;
  /** Milliseconds since 1970 as this worker believes. */
  clock = 1_790_000_000_000;
  readonly #cluster: FakeCluster;

  constructor(cluster: FakeCluster, id: string, type: string, settings: Partial<MessengerSettings>, isOurs = true) {
    this.#cluster = cluster;
    this.id = id;
    this.type = type;
    this.isOurs = isOurs;
    this.messenger = new Messenger({
      peers: this,
      clients: this,
      settings: { ...defaultMessengerSettings, ...settings },
      wallNow: () => this.clock,
    });
  }

  // ---- clients ----

  connect(id: string, codec: Codec = protobufCodec): FakeClient {
    const client = new FakeClient(id, codec);
    this.sessions.set(id, client);
    return client;
  }

  /** The connection of a client closes. */
  close(one: FakeClient): void {
    if (!one.isOpen) return;
    one.isOpen = false;
    this.sessions.delete(one.client.id);
    this.messenger.left(one.client);
  }

  bySession(id: string): Client | undefined {
    return this.sessions.get(id)?.client;
  }

  *all(): Generator<Client> {
    for (const { client } of this.sessions.values()) yield client;
  }

  codecOf(client: Client): Codec {
    return (client.seat as FakeClient).codec;
  }

  gather(client: Client, bytes: Buffer): boolean {
    const one = client.seat as FakeClient;
    if (!one.isOpen) return false;
    one.buffers.push(bytes);
    if (one.codec !== protobufCodec) one.received.push({ cmd: 0, data: bytes.toString() });
    else one.received.push(...framesIn(bytes));
    return true;
  }

  isSlow(client: Client): boolean {
    return (client.seat as FakeClient).isSlow;
  }

  end(client: Client, farewell: Farewell | undefined): void {
    const one = client.seat as FakeClient;
    one.ended ??= farewell ?? 'quietly';
    // its connection closes when the replies in flight are sent
    this.#cluster.post(this, this, { arrive: () => this.close(one), failed: () => undefined });
  }

  // ---- other workers ----

  get(id: string): Peer | undefined {
    const other = this.#cluster.workers.find((worker) => worker.id === id && worker !== this && worker.isAlive);
    return other && this.#cluster.peer(this, other);
  }

  ofType(type: string): readonly Peer[] {
    return this.#cluster.workers
      .filter((worker) => worker.type === type && worker !== this && worker.isAlive)
      .map((worker) => this.#cluster.peer(this, worker));
  }

  onControl(): void {}
  onLost(): void {}

  received(peer: Peer, cmd: number, data: Buffer, reply: (code: number, data: Uint8Array) => void): void {
    if (this.messenger.handle(peer, cmd, data, reply)) return;
    this.others.push(cmd);
    reply(4, Buffer.alloc(0));
  }

  /** A client of that worker as this one names it. */
  refOf(worker: FakeWorker, one: FakeClient): ClientRef {
    return { id: one.client.id, peer: worker === this ? undefined : this.#cluster.peer(this, worker) };
  }

  /** Nothing is remembered of anybody, the cache aside. */
  get isEmpty(): boolean {
    const { users, groups, pusher, locator } = this.messenger;
    const { messages, bytes } = pusher.held;
    return [users.size, groups.size, groups.clients, pusher.busy, messages, bytes, locator.searching].every((size) => size === 0);
  }
}

export class FakeCluster {
  readonly workers: FakeWorker[] = [];
  /** Every ask, as FROM>TO COMMAND. */
  readonly asked: string[] = [];
  readonly #queues = new Map<string, Parcel[]>();
  readonly #peers = new Map<string, FakePeer>();

  add(id: string, type = 'gate', settings: Partial<MessengerSettings> = {}, isOurs = true): FakeWorker {
    const worker = new FakeWorker(this, id, type, settings, isOurs);
    this.workers.push(worker);
    return worker;
  }

  peer(from: FakeWorker, to: FakeWorker): Peer {
    const name = `${from.id}>${to.id}`;
    let peer = this.#peers.get(name);
    if (peer === undefined) this.#peers.set(name, (peer = new FakePeer(this, from, to)));
    return peer;
  }

  post(from: FakeWorker, to: FakeWorker, parcel: Parcel): void {
    const name = `${from.id}>${to.id}`;
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    queue.push(parcel);
  }

  /** Links with something on the way. */
  get ready(): string[] {
    return [...this.#queues].filter(([, queue]) => queue.length > 0).map(([name]) => name);
  }

  /** Delivers the next parcel of a link, as in "a>b". */
  step(link: string): void {
    this.#queues.get(link)!.shift()!.arrive();
  }

  /** Delivers everything, the links in turn or as `choose` says, until nothing is on the way. */
  async run(choose: (links: readonly string[]) => string = (links) => links[0]!): Promise<void> {
    for (;;) {
      await settled();
      const { ready } = this;
      if (ready.length === 0) return;
      this.step(choose(ready));
    }
  }

  /** The next parcel of a link is lost, and whoever waits for it is told so later. */
  lose(link: string): void {
    const parcel = this.#queues.get(link)!.shift()!;
    const owner = this.workers.find(({ id }) => id === link.split('>')[0])!;
    if (!link.endsWith(`>${owner.id}`)) this.post(owner, owner, { arrive: () => parcel.failed('timeout'), failed: () => undefined });
    else parcel.arrive();
  }

  /** The link between two workers is lost, with all that is on the way. */
  cut(a: FakeWorker, b: FakeWorker): void {
    for (const name of [`${a.id}>${b.id}`, `${b.id}>${a.id}`])
      for (const parcel of this.#queues.get(name)?.splice(0) ?? []) parcel.failed('closed');
    if (a.isAlive) a.messenger.lost(this.peer(a, b));
    if (b.isAlive) b.messenger.lost(this.peer(b, a));
  }

  /** A worker ends with all its connections. */
  kill(worker: FakeWorker): void {
    worker.isAlive = false;
    for (const one of worker.sessions.values()) one.isOpen = false;
    for (const other of this.workers) if (other !== worker) this.cut(other, worker);
    this.#queues.delete(`${worker.id}>${worker.id}`);
  }
}

/** Everything that promises make possible has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
