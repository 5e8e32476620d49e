// Connections to the API server: kept between requests, made anew when certificates change, and not trusted after one of them was dead.

import * as http from 'node:http';
import * as https from 'node:https';
import type { KubeTls } from './access.ts';

/** Requests at a time; more wait for a connection. Watches are not counted. */
const MAX_REQUESTS = 16;
/** When the kernel begins to ask whether the other end still lives. */
const KEEP_ALIVE_MS = 15_000;

interface Pair {
  readonly requests: http.Agent;
  readonly watches: http.Agent;
}

export class Connections {
  readonly #secure: boolean;
  #tls = '';
  #pair: Pair | undefined;
  /** Those of the certificates before, which are still in use. */
  #former: Pair | undefined;

  constructor(server: URL) {
    this.#secure = server.protocol === 'https:';
  }

  agent(use: keyof Pair, tls: KubeTls): http.Agent {
    const text = JSON.stringify(tls);
    if (this.#pair === undefined || text !== this.#tls) {
      this.#retire();
      this.#tls = text;
      this.#pair = { requests: this.#agent(tls, MAX_REQUESTS), watches: this.#agent(tls, Infinity) };
    }
    return this.#pair[use];
  }

  /** Closes what is not in use: after one connection was found dead the others may be too. */
  dropIdle(): void {
    for (const agent of agentsOf(this.#pair))
      for (const sockets of Object.values(agent?.freeSockets ?? {})) for (const socket of sockets ?? []) socket.destroy();
  }

  /** Closes all of them, in use or not. */
  close(): void {
    for (const agent of [...agentsOf(this.#pair), ...agentsOf(this.#former)]) agent.destroy();
  }

  /** New certificates: what is in use ends in its own time, and is not kept after that. */
  #retire(): void {
    this.dropIdle();
    for (const agent of agentsOf(this.#pair)) agent.maxFreeSockets = 0;
    this.#former = this.#pair;
  }

  #agent(tls: KubeTls, maxSockets: number): http.Agent {
    const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxSockets, scheduling: 'lifo' as const };
    return this.#secure ? new https.Agent({ ...options, ...tls }) : new http.Agent(options);
  }
}

function agentsOf(pair: Pair | undefined): http.Agent[] {
  return pair === undefined ? [] : [pair.requests, pair.watches];
}
