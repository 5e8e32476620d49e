// What a node tells about its cluster: the manager's side of /members, /links, /routes, /sessions/:user, and its part of /status.

import { addressOf, type Member } from '../cluster/member.ts';
import { rangeText, routeName } from '../config/route-kind.ts';
import type { RouteConfig } from '../config/route.ts';
import type { AdminSource } from '../ops/admin-routes.ts';
import type { ClusterStatus, LinkView, MemberView } from '../ops/admin-schema.ts';
import type { StatsSnapshot } from '../ops/stats.ts';
import { emptyReplies } from '../ops/stats-book.ts';
import type { FromWorker } from './channel.ts';
import type { Manager } from './manager.ts';

/** A worker that does not answer within this is left out. */
const ANSWER_MS = 500;
/** Workers of other nodes may take longer: two questions to them with their deadlines. */
const EVERYWHERE_MS = 3000;

type Answer<T extends FromWorker['type']> = Extract<FromWorker, { type: T }>;

export function clusterStatus(manager: Manager, totals: StatsSnapshot): ClusterStatus {
  const { membership, config } = manager;
  return {
    members: membersBy(membership.members),
    version: membership.version,
    directories: membership.directories,
    announced: membership.hasAnnounced,
    links: totals.cluster.links,
    routes: config.routes.map(routeFacts),
  };
}

/** Directories that are not up, in a sentence each. */
export function lostDirectories(manager: Manager): string[] {
  const lost = manager.membership.directories.filter(({ state }) => state !== 'up');
  return lost.map(({ name, state, detail }) => `directory ${name} is ${state === 'down' ? 'lost' : state}: ${detail}`);
}

export function clusterSource(manager: Manager): Pick<AdminSource, 'members' | 'links' | 'routes' | 'session'> {
  const { pool, membership } = manager;
  const askLinks = () => pool.ask<Answer<'links'>>((ask) => ({ type: 'links', ask }), ANSWER_MS);
  return {
    async members() {
      const leftAlone = (await askLinks()).map(({ worker, answer }) => ({ worker: worker.index, nodes: answer.leftAlone }));
      const self = addressOfSelf(manager);
      return {
        version: membership.version,
        members: membership.members.map((member) => {
          const address = addressOf(member);
          return memberView(
            member,
            address === self,
            leftAlone.filter(({ nodes }) => nodes.includes(address)).map(({ worker }) => worker),
          );
        }),
      };
    },

    async links() {
      const answers = await askLinks();
      const all = answers.flatMap(({ worker, answer }) => answer.links.map((link): LinkView => ({ worker: worker.index, ...link })));
      return all.sort((a, b) => a.worker - b.worker || compare(a.peer, b.peer));
    },

    async routes() {
      const { routes } = manager.config;
      const types = [...new Set(routes.map(({ to }) => to))];
      // all workers see the same ring but for nodes that only some of them can not reach
      const [first] = pool.serving().sort((a, b) => a.index - b.index);
      const answers =
        types.length === 0 || first === undefined
          ? []
          : await pool.ask<Answer<'shares'>>((ask) => ({ type: 'shares', ask, types }), ANSWER_MS, [first]);
      const shares = answers[0]?.answer.shares ?? {};
      await pool.ask<Answer<'report'>>((ask) => ({ type: 'report', ask }), ANSWER_MS);
      const counted = pool.book.total().routes;
      return routes.map((route) => ({
        ...routeFacts(route),
        ...(counted[routeName(route)] ?? emptyReplies()),
        shares: shares[route.to] ?? {},
      }));
    },

    async session(user) {
      const answers = await pool.ask<Answer<'find'>>((ask) => ({ type: 'find', ask, user, everywhere: false }), ANSWER_MS);
      for (const { worker, answer } of answers) {
        const { found } = answer;
        if (found === undefined || 'node' in found) continue;
        return { user, node: `${addressOfSelf(manager) ?? ''}.${worker.index}`, isHere: true, ...found };
      }
      const [first] = pool.serving();
      if (first === undefined) return undefined;
      const [elsewhere] = await pool.ask<Answer<'find'>>((ask) => ({ type: 'find', ask, user, everywhere: true }), EVERYWHERE_MS, [first]);
      const found = elsewhere?.answer.found;
      return found === undefined || !('node' in found) ? undefined : { user, node: found.node, isHere: false };
    },
  };
}

/** Where other nodes reach this one; undefined if none can. */
function addressOfSelf(manager: Manager): string | undefined {
  const port = manager.listeners().find(({ kind }) => kind === 'node')?.port;
  return port === undefined ? undefined : addressOf({ host: manager.config.node_host, port });
}

function membersBy(members: readonly Member[]): ClusterStatus['members'] {
  const groups = new Map<string, ClusterStatus['members'][number]>();
  for (const { type, source, facts, workers } of members) {
    const state = facts?.state ?? 'serving';
    const key = JSON.stringify([type, source, state]);
    const group = groups.get(key) ?? { type, source, state, nodes: 0, workers: 0 };
    groups.set(key, { ...group, nodes: group.nodes + 1, workers: group.workers + workers });
  }
  return [...groups.values()].sort((a, b) => compare(a.type, b.type) || compare(a.state, b.state) || compare(a.source, b.source));
}

function memberView(member: Member, isSelf: boolean, leftAloneBy: number[]): MemberView {
  const { type, name, workers, source, facts, activeTime } = member;
  return {
    address: addressOf(member),
    type,
    name,
    workers,
    state: facts?.state ?? 'serving',
    // a list in a configuration tells nothing of a node
    kind: facts !== undefined ? 'ours' : source === 'static' ? 'unknown' : 'original',
    source,
    activeSince: new Date(activeTime * 1000).toISOString(),
    isSelf,
    leftAloneBy,
    ...(facts !== undefined && { version: facts.version, connections: facts.connections, gate: facts.gate }),
  };
}

function routeFacts(route: RouteConfig): ClusterStatus['routes'][number] {
  const { to, timeoutMs, retry, rate, key } = route;
  return {
    route: routeName(route),
    commands: rangeText(route),
    to,
    key: key.from === 'field' ? `field:${key.field}` : key.from,
    timeoutMs,
    retry,
    rate,
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
