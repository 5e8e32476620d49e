// A small cluster as documents show it and tests use it: a gate with two workers that relays to two logic nodes.

import type { ClusterStatus, LinkView, MembersReply, MemberView, RouteView, SessionView } from './cluster-schema.ts';
import { emptyCluster, type ClusterStats } from './cluster-stats.ts';
import { LATENCY_BOUNDS, type CommandSnapshot } from './stats.ts';

/** A route that was used `requests` times. */
export function exampleReplies(requests: number): CommandSnapshot {
  return { codes: { 0: requests }, buckets: [0, requests, ...LATENCY_BOUNDS.slice(1).map(() => 0)], sumSeconds: requests / 1250 };
}

/** What one of the workers counted. */
export function exampleClusterStats(): ClusterStats {
  const none = emptyCluster();
  return {
    ...none,
    links: { ...none.links, up: 2, opened: 2 },
    users: 1,
    pushes: { ...none.pushes, delivered: 12 },
    binds: { ...none.binds, bound: 1 },
  };
}

const route = {
  route: 'logic 1000-',
  commands: '1000-',
  to: 'logic',
  key: 'session',
  timeoutMs: 3000,
  retry: 'ifNotSent',
  rate: 0,
} as const;

/** Of both workers. */
export const exampleCluster: ClusterStatus = {
  members: [
    { type: 'gate', source: 'file', state: 'serving', nodes: 1, workers: 2 },
    { type: 'logic', source: 'file', state: 'serving', nodes: 2, workers: 2 },
  ],
  version: 3,
  directories: [{ name: 'file', state: 'up', detail: 'folder /run/kimserver/demo' }],
  announced: true,
  links: { ...emptyCluster().links, up: 4, opened: 4 },
  routes: [route],
};

const member: MemberView = {
  address: '127.0.0.1:3350',
  type: 'gate',
  name: 'demo-gate',
  workers: 2,
  state: 'serving',
  kind: 'ours',
  source: 'file',
  activeSince: '2026-01-05T08:00:00.300Z',
  isSelf: true,
  leftAloneBy: [],
  version: '0.1.0',
  connections: 6,
  gate: '127.0.0.1:3355',
};

export const exampleMembers: MembersReply = {
  version: 3,
  members: [
    member,
    { ...member, address: '127.0.0.1:3361', type: 'logic', name: 'demo-logic-0', workers: 1, isSelf: false, connections: 0, gate: '' },
  ],
};

export const exampleLinks: { links: LinkView[] } = {
  links: [
    {
      worker: 1,
      peer: '127.0.0.1:3361.1',
      type: 'logic',
      direction: 'outgoing',
      kind: 'ours',
      state: 'up',
      inFlight: 0,
      waiting: 0,
      opened: 1,
      leftAlone: false,
    },
  ],
};

export const exampleRoutes: { routes: RouteView[] } = {
  routes: [{ ...route, ...exampleReplies(150), shares: { '127.0.0.1:3361.1': 0.496, '127.0.0.1:3362.1': 0.504 } }],
};

export const exampleSession: SessionView = {
  user: '1001',
  node: '127.0.0.1:3350.1',
  isHere: true,
  session: '4f9c2ab61d-1.1-h',
  remote: '10.1.2.3:51034',
  since: '2026-01-05T08:01:00.000Z',
};
