// The cluster in a worker: its links, the routes that it relays, and its users, groups and messages.

import { addressOf, nodeIdOf, type Member } from '../cluster/member.ts';
import { Links, type LinksSettings } from '../cluster/links.ts';
import { defaultMessengerSettings, Messenger, type MessengerSettings } from '../cluster/messenger.ts';
import type { GateClients } from '../cluster/delivery.ts';
import { Relay } from '../cluster/relay.ts';
import { memberPoints, type MemberPoints } from '../cluster/ring.ts';
import type { TableRow } from '../cluster/table.ts';
import type { NodeConfig } from '../config/node-config.ts';
import type { Logger } from '../ops/log.ts';
import type { Stats } from '../ops/stats.ts';
import type { Client } from '../session/client.ts';
import type { Greeting } from '../wire/handshake.ts';

export interface ClusterWorkerOptions {
  config: NodeConfig;
  folder: string;
  self: Omit<Greeting, 'capabilities'>;
  stats: Stats;
  log: Logger;
  now(): number;
}

export class ClusterWorker {
  readonly links: Links;
  readonly relay: Relay;
  #messenger: Messenger | undefined;
  #config: NodeConfig;
  #gateTypes: readonly string[];
  #points = new Map<string, MemberPoints>();

  constructor({ config, folder, self, stats, log, now }: ClusterWorkerOptions) {
    this.#config = config;
    this.#gateTypes = [config.gate_host === '' ? 'gate' : config.node_type];
    this.links = new Links({ self, settings: linksSettingsOf(config), log, now });
    this.relay = new Relay(config.routes, {
      links: this.links,
      stats,
      self: nodeIdOf(self, self.worker),
      folder,
      inFlight: config.relay_in_flight,
      now,
    });
  }

  /** Ties it to the clients of this worker. */
  serve(clients: GateClients): Messenger {
    const messenger = new Messenger({ peers: this.links, clients, settings: this.#messengerSettings(), wallNow: () => Date.now() });
    this.links.onControl((peer, cmd, data, reply) => void messenger.handle(peer, cmd, data, reply));
    this.links.onLost((peer) => messenger.lost(peer));
    this.#messenger = messenger;
    return messenger;
  }

  /** A client is gone from this worker. */
  left(client: Client, hasMoved: boolean): void {
    this.#messenger?.left(client);
    this.relay.left(client, hasMoved);
  }

  configure(config: NodeConfig): void {
    this.#config = config;
    this.links.configure(linksSettingsOf(config));
    this.#messenger?.configure(this.#messengerSettings());
  }

  /** The manager's list of members, whole. */
  replace(members: readonly Member[]): void {
    const rows = members.map((member): TableRow => {
      const address = addressOf(member);
      const known = this.#points.get(address);
      return { member, points: known?.workers === member.workers ? known : memberPoints(address, member.workers) };
    });
    this.#points = new Map(rows.map(({ points }) => [points.address, points]));
    this.links.forget(this.links.table.replace(rows));
    // whoever tells where its clients connect has clients
    const types = members.filter(({ facts }) => facts?.gate !== undefined && facts.gate !== '').map(({ type }) => type);
    this.#gateTypes = [...new Set(['gate', ...types])];
    this.#messenger?.configure(this.#messengerSettings());
  }

  end(): void {
    this.links.close();
  }

  #messengerSettings(): MessengerSettings {
    return { ...defaultMessengerSettings, gateTypes: this.#gateTypes, policy: this.#config.second_login };
  }
}

function linksSettingsOf(config: NodeConfig): LinksSettings {
  return {
    connectMs: config.link_connect_ms,
    handshakeMs: config.link_handshake_ms,
    heartbeatMs: config.link_heartbeat_ms,
    answerMs: config.link_timeout_ms,
    backoffMs: config.link_backoff_ms,
    queue: config.link_queue,
    inFlight: config.link_in_flight,
    maxFrame: config.link_max_frame,
    pool: config.link_pool,
    breaker: { failures: config.breaker_failures, openMs: config.breaker_ms },
  };
}
