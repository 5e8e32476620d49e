// The cluster in a worker: its links, the routes that it relays, and what it tells others of clients that leave.

import { addressOf, type Member } from '../cluster/member.ts';
import { Links, type LinksSettings } from '../cluster/links.ts';
import { Relay } from '../cluster/relay.ts';
import { memberPoints, type MemberPoints } from '../cluster/ring.ts';
import type { TableRow } from '../cluster/table.ts';
import type { NodeConfig } from '../config/node-config.ts';
import type { Logger } from '../ops/log.ts';
import type { Stats } from '../ops/stats.ts';
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
  #points = new Map<string, { workers: number; points: MemberPoints }>();

  constructor({ config, folder, self, stats, log, now }: ClusterWorkerOptions) {
    this.links = new Links({ self, settings: linksSettingsOf(config), log, now });
    this.relay = new Relay(config.routes, {
      links: this.links,
      stats,
      self: `${self.host}:${self.port}.${self.worker}`,
      folder,
      inFlight: config.relay_in_flight,
      now,
    });
  }

  configure(config: NodeConfig): void {
    this.links.configure(linksSettingsOf(config));
  }

  /** The manager's list of members, whole. */
  replace(members: readonly Member[]): void {
    const points = new Map<string, { workers: number; points: MemberPoints }>();
    const rows = members.map((member): TableRow => {
      const address = addressOf(member);
      const known = this.#points.get(address);
      const own = known?.workers === member.workers ? known : { workers: member.workers, points: memberPoints(address, member.workers) };
      points.set(address, own);
      return { member, points: own.points };
    });
    this.#points = points;
    this.links.forget(this.links.table.replace(rows));
  }

  end(): void {
    this.links.close();
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
