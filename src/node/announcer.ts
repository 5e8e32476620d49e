// What a node tells the others of itself: who it is, how it fares, and, where originals read it, what it served in the last second.

import { PayloadReports, type PayloadCounters } from '../cluster/payload.ts';
import type { Facts } from '../cluster/member.ts';
import type { StatsSnapshot } from '../ops/stats.ts';
import type { Manager } from './manager.ts';

const PAYLOAD_MS = 1000;
/** The number of clients is only good for comparing nodes: it is told this often, and only when it has changed. */
const FACTS_MS = 10_000;

const NOTHING: PayloadCounters = { connections: 0, inFlight: 0, framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0 };

export class Announcer {
  readonly #manager: Manager;
  readonly #reports = new PayloadReports();
  #timers: NodeJS.Timeout[] = [];
  #connections = 0;

  constructor(manager: Manager) {
    this.#manager = manager;
  }

  start(): void {
    this.announce();
    this.#timers = [
      setInterval(() => this.#report(), PAYLOAD_MS),
      setInterval(() => {
        if (this.#manager.pool.book.total().connections !== this.#connections) this.announce();
      }, FACTS_MS),
    ];
  }

  /** Tells what is so now. Whoever has no node port can not be reached by others, and tells nothing. */
  announce(): void {
    const { config, membership, pool } = this.#manager;
    const node = this.#listener('node');
    if (node === undefined) return;
    this.#connections = pool.book.total().connections;
    membership.announce({
      type: config.node_type,
      host: config.node_host,
      port: node.port,
      workers: pool.count,
      name: config.server_name,
      facts: this.#facts(),
    });
  }

  #facts(): Facts {
    const { state, version, config } = this.#manager;
    return { state: state === 'serving' ? 'serving' : 'draining', version, connections: this.#connections, gate: config.gate_advertise };
  }

  #report(): void {
    const { config, membership, pool } = this.#manager;
    const { directory } = membership;
    const zkPath = directory?.recordPath ?? '';
    const node = this.#listener('node');
    if (directory?.payload === undefined || zkPath === '' || node === undefined) return;
    const gate = this.#listener('gate');
    const about = {
      zkPath,
      type: config.node_type,
      host: config.node_host,
      port: node.port,
      gateHost: gate === undefined ? '' : config.gate_host,
      gatePort: gate?.port ?? 0,
      workers: pool.count,
    };
    const workers = new Map(pool.serving().map(({ index }) => [index, countersOf(pool.book.ofWorker(index))] as const));
    directory.payload(this.#reports.next(about, NOTHING, workers, Date.now() / 1000));
  }

  #listener(kind: 'gate' | 'node') {
    return this.#manager.listeners().find((listener) => listener.kind === kind);
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}

function countersOf({ connections, inFlight, framesIn, bytesIn, framesOut, bytesOut }: StatsSnapshot): PayloadCounters {
  return { connections, inFlight, framesIn, bytesIn, framesOut, bytesOut };
}
