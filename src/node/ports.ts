// The ports of a node: opened here, or given by the one who started the process and shares them with others.

import type net from 'node:net';
import type { NodeConfig } from '../config/node-config.ts';
import { listenOn, type Handle } from '../net/handle.ts';
import { BACKLOG, listen, reserve, reservedOn, type Listening, type PortKind, type Reserved } from './listen.ts';

/** A port that is open already; several processes may accept on it. */
export interface GivenPort {
  readonly kind: PortKind;
  readonly host: string;
  readonly port: number;
  readonly handle: Handle;
}

export class Ports {
  readonly #given: readonly GivenPort[];
  #gates: Reserved[] = [];
  #node: Listening | undefined;
  #isShared = false;
  /** Still listed: it tells where the node was to be found. */
  readonly #closed = new Set<Listening>();

  constructor(given: readonly GivenPort[] = []) {
    this.#given = given;
  }

  /** Takes the ports of clients, on which nobody is let in yet, and listens for other nodes. Throws one sentence for what can not be had. */
  async take({ gate_host, gate_port, node_host, node_port, is_reuseport }: NodeConfig, nodes: net.Server): Promise<void> {
    this.#isShared = is_reuseport;
    this.#gates = this.#of('gate').map(({ host, port, handle }) => reservedOn(handle, host, port, 'gate'));
    if (this.#gates.length === 0 && gate_host !== '') this.#gates = [await reserve(gate_host, gate_port, 'gate')];
    const [given] = this.#of('node');
    if (given !== undefined) {
      const reserved = reservedOn(given.handle, given.host, given.port, 'node');
      this.#node = reserved;
      await reserved.open(nodes);
    } else if (node_host !== '') this.#node = await listen(nodes, node_host, node_port, 'node');
  }

  /** Lets clients in, but for ports on which the workers do that themselves. */
  async open(create: () => net.Server): Promise<void> {
    if (!this.#isShared) await Promise.all(this.#gates.map((gate) => gate.open(create())));
  }

  /** What the workers accept on. The descriptors stay open here: each worker gets copies. */
  get shared(): readonly Handle[] {
    return this.#isShared ? this.#gates.map(({ handle }) => handle) : [];
  }

  /** How the admin server listens, if its port is given. */
  get admin(): ((server: net.Server) => void) | undefined {
    const [given] = this.#of('admin');
    return given && ((server) => listenOn(server, given.handle, BACKLOG));
  }

  get listening(): readonly Listening[] {
    return this.#node === undefined ? this.#gates : [...this.#gates, this.#node];
  }

  get node(): Listening | undefined {
    return this.#node;
  }

  /** No clients come in any more; other nodes do. */
  closeGates(): void {
    this.#isShared = false;
    this.#close(this.#gates);
  }

  close(): void {
    this.#isShared = false;
    this.#close(this.listening);
  }

  #close(ports: readonly Listening[]): void {
    for (const port of ports) if (!this.#closed.has(port)) port.close();
    for (const port of ports) this.#closed.add(port);
  }

  #of(kind: PortKind): GivenPort[] {
    return this.#given.filter((port) => port.kind === kind);
  }
}
