// What a worker tells of the cluster as it sees it: counts for its reports, and its links, shares and users for whoever asks.

import type { Links } from '../cluster/links.ts';
import { HERE } from '../cluster/locator.ts';
import type { Messenger } from '../cluster/messenger.ts';
import type { Connection } from '../net/connection.ts';
import type { LinkView } from '../ops/admin-schema.ts';
import type { ClusterStats } from '../ops/cluster-stats.ts';
import type { FoundUser } from './channel.ts';
import type { Greeter } from './greeter.ts';
import type { LinkServer } from './link-server.ts';

export function clusterStats(
  links: Links,
  server: LinkServer,
  { pusher, spreader, locator, binder, users }: Messenger,
  greeter: Greeter,
): ClusterStats {
  let [up, inFlight, waiting, incoming] = [0, 0, 0, 0];
  for (const link of links) {
    if (link.state === 'up') up++;
    inFlight += link.inFlight;
    waiting += link.waiting;
  }
  for (const _ of server.peers) incoming++;
  return {
    links: { up, incoming, inFlight, waiting, ...links.counts },
    leftAlone: links.breaker.open.length,
    remoteSessions: server.seats.size,
    users: users.size,
    lostSessions: greeter.kept,
    breakerOpened: links.breaker.opened,
    pushes: { ...pusher.counts },
    spreads: { ...spreader.counts },
    locator: { ...locator.counts },
    binds: { ...binder.counts },
    greetings: { ...greeter.counts },
  };
}

/** Links that this worker opened, and those that workers of ours opened to it. */
export function linkViews(links: Links, server: LinkServer): Omit<LinkView, 'worker'>[] {
  const outgoing = [...links].map((link): Omit<LinkView, 'worker'> => {
    const address = link.id.slice(0, link.id.lastIndexOf('.'));
    return {
      peer: link.id,
      type: links.typeOf(link.id),
      direction: 'outgoing',
      kind: link.isOurs || links.isOurs(link.id) ? 'ours' : link.peer === undefined ? 'unknown' : 'original',
      state: link.state,
      inFlight: link.inFlight,
      waiting: link.waiting,
      opened: link.opened,
      leftAlone: links.breaker.isOpen(address),
    };
  });
  const incoming = [...server.peers].map(({ id, type, connection }): Omit<LinkView, 'worker'> => ({
    peer: id,
    type,
    direction: 'incoming',
    kind: 'ours',
    state: 'up',
    inFlight: connection.busy,
    waiting: 0,
    opened: 1,
    leftAlone: false,
  }));
  return [...outgoing, ...incoming];
}

/** The part of all keys that each worker of these types gets now, nodes that are left alone being without. */
export function shareViews(links: Links, types: readonly string[]): Record<string, Record<string, number>> {
  return Object.fromEntries(types.map((type) => [type, Object.fromEntries(links.table.ring(type)?.shares() ?? [])]));
}

/** The session of a user whose client is here; with `everywhere` also the worker of another node that has it. */
export async function findUser(messenger: Messenger, user: string, everywhere: boolean, now: number): Promise<FoundUser | undefined> {
  const client = messenger.users.clientOf(user);
  if (client !== undefined) {
    const { openedAt } = client.seat as Connection;
    return { session: client.id, remote: client.remote, since: new Date(Date.now() - (now - openedAt)).toISOString() };
  }
  const node = everywhere ? await messenger.locate(user) : undefined;
  return node === undefined || node === HERE ? undefined : { node };
}
