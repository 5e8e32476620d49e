// What a worker counts of the cluster: its links, the nodes it leaves alone, and what it sent to users and groups.

import { sumRecords } from './records.ts';

/** Of a message to one user, in the order of the metrics. */
export const pushResults = ['delivered', 'absent', 'unknown', 'slow', 'failed'] as const;
/** Of a message to a group or to everybody, each client counted; `failed` counts workers that did not answer. */
export const spreadResults = ['delivered', 'slow', 'failed'] as const;
export const locatorResults = ['hits', 'misses', 'asks'] as const;
export const bindResults = ['bound', 'replaced', 'refused', 'absent', 'unknown'] as const;
/** Of clients that began with HELLO, and their sessions; `asked` to move to another gate. */
export const greetResults = ['begun', 'resumed', 'unknown', 'expired', 'asked'] as const;

type Counts<Name extends string> = Record<Name, number>;

export interface LinkStats {
  // gauges
  /** Opened from here, and up. */
  up: number;
  /** Opened by workers of ours. */
  incoming: number;
  inFlight: number;
  waiting: number;
  // counters
  opened: number;
  /** Opened again after they had been lost. */
  reopened: number;
  lost: number;
  failed: number;
}

export interface ClusterStats {
  links: LinkStats;
  // gauges
  /** Nodes that the breaker leaves alone. */
  leftAlone: number;
  /** Sessions of clients of gates. */
  remoteSessions: number;
  /** Users whose clients are served here. */
  users: number;
  /** Sessions whose clients have lost their connections and may come back. */
  lostSessions: number;
  // counters
  /** How often the breaker opened. */
  breakerOpened: number;
  pushes: Counts<(typeof pushResults)[number]>;
  spreads: Counts<(typeof spreadResults)[number]>;
  locator: Counts<(typeof locatorResults)[number]>;
  binds: Counts<(typeof bindResults)[number]>;
  greetings: Counts<(typeof greetResults)[number]>;
}

const zeros = <Name extends string>(names: readonly Name[]) => Object.fromEntries(names.map((name) => [name, 0])) as Counts<Name>;

/** Nothing counted. */
export function emptyCluster(): ClusterStats {
  return {
    links: zeros(['up', 'incoming', 'inFlight', 'waiting', 'opened', 'reopened', 'lost', 'failed']),
    leftAlone: 0,
    remoteSessions: 0,
    users: 0,
    lostSessions: 0,
    breakerOpened: 0,
    pushes: zeros(pushResults),
    spreads: zeros(spreadResults),
    locator: zeros(locatorResults),
    binds: zeros(bindResults),
    greetings: zeros(greetResults),
  };
}

/**
 * The sum of the counters of all and of the gauges of the living. Of nodes that are left alone the largest number counts: they are the same for
 * all workers, or nearly so. `base` is of the dead.
 */
export function sumCluster(living: readonly ClusterStats[], base: ClusterStats): ClusterStats {
  const all = [base, ...living];
  const total = (list: readonly ClusterStats[], value: (stats: ClusterStats) => number) =>
    list.reduce((sum, stats) => sum + value(stats), 0);
  // every one of them has all the names, and so has the sum
  const by = <Name extends string>(value: (stats: ClusterStats) => Counts<Name>) => sumRecords(all.map(value)) as Counts<Name>;
  return {
    links: {
      up: total(living, ({ links }) => links.up),
      incoming: total(living, ({ links }) => links.incoming),
      inFlight: total(living, ({ links }) => links.inFlight),
      waiting: total(living, ({ links }) => links.waiting),
      opened: total(all, ({ links }) => links.opened),
      reopened: total(all, ({ links }) => links.reopened),
      lost: total(all, ({ links }) => links.lost),
      failed: total(all, ({ links }) => links.failed),
    },
    leftAlone: Math.max(0, ...living.map(({ leftAlone }) => leftAlone)),
    remoteSessions: total(living, ({ remoteSessions }) => remoteSessions),
    users: total(living, ({ users }) => users),
    lostSessions: total(living, ({ lostSessions }) => lostSessions),
    breakerOpened: total(all, ({ breakerOpened }) => breakerOpened),
    pushes: by(({ pushes }) => pushes),
    spreads: by(({ spreads }) => spreads),
    locator: by(({ locator }) => locator),
    binds: by(({ binds }) => binds),
    greetings: by(({ greetings }) => greetings),
  };
}
