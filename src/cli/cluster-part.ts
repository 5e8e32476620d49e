// The cluster as one node sees it, in words and a table: its part of "kim status", and the lines of "kim top". Pure.

import { faults, type FaultName } from '../errors.ts';
import type { NodeStatus } from '../ops/snapshot.ts';
import type { CommandSnapshot } from '../ops/stats.ts';
import { counted, labelled, listed } from './labelled.ts';
import { countOf, type NodeRates } from './rates.ts';
import { codesBut, latency } from './replies-text.ts';
import { cut, perSecond, printable, table, whole, type Paint } from './terminal.ts';

/** What a relayed request gets when no node has answered it; every other code came from the node that did. */
const ON_THE_WAY: readonly FaultName[] = ['connectFailed', 'noNode', 'noConnection', 'timeout', 'closed'];
const WAY_CODES = ON_THE_WAY.map((name) => faults[name].code);
const WIDTH = 80;
const MAX_ROUTE = 20;

const isAlone = ({ cluster: { directories, members, routes } }: NodeStatus): boolean =>
  directories.length + members.length + routes.length === 0;

/** Nothing for a node that is alone. */
export function clusterPart(status: NodeStatus, paint: Paint): string[] {
  if (isAlone(status)) return [];
  const { directories } = status.cluster;
  const { users, remoteSessions, pushes, spreads, binds } = status.totals.cluster;
  const clients = [...(users > 0 ? [`${whole(users)} users`] : []), ...(remoteSessions > 0 ? [`${whole(remoteSessions)} of gates`] : [])];
  return [
    ...listed('members', members(status)),
    ...directories.flatMap(({ name, state, detail }) =>
      labelled('directory', printable(`${name} ${state}: ${detail}`)).map((line) => (state === 'up' ? line : paint('yellow', line))),
    ),
    ...listed('links', links(status)),
    ...(clients.length === 0 ? [] : listed('sessions', clients)),
    ...counted('pushes', pushes),
    ...counted('to groups', spreads),
    ...counted('logins', binds),
  ];
}

function members({ cluster }: NodeStatus): string[] {
  const all = cluster.members.map(({ type, source, state, nodes, workers }) => {
    const how = [...(state === 'serving' ? [] : [state]), `${whole(workers)} ${workers === 1 ? 'worker' : 'workers'}`, source];
    return `${whole(nodes)} ${printable(type)} (${how.join(', ')})`;
  });
  return all.length === 0 ? ['none'] : all;
}

function links({ totals }: NodeStatus): string[] {
  const { links: l, leftAlone } = totals.cluster;
  return [
    `${whole(l.up)} up`,
    `${whole(l.incoming)} incoming`,
    `${whole(l.inFlight)} requests in flight`,
    `${whole(l.waiting)} waiting`,
    ...(l.reopened > 0 ? [`${whole(l.reopened)} opened again`] : []),
    ...(l.lost > 0 ? [`${whole(l.lost)} lost`] : []),
    ...(l.failed > 0 ? [`${whole(l.failed)} not opened`] : []),
    ...(leftAlone > 0 ? [nodesLeftAlone(leftAlone)] : []),
  ];
}

const nodesLeftAlone = (n: number): string => `${whole(n)} ${n === 1 ? 'node' : 'nodes'} left alone`;

/** How often requests of a route got no answer of a node. */
const faultsOf = ({ codes }: CommandSnapshot): number => WAY_CODES.reduce<number>((sum, code) => sum + (codes[code] ?? 0), 0);

/** What other nodes answered, by route, the busiest first; nothing if they were asked nothing. */
export function routeTable({ totals }: NodeStatus, paint: Paint, rates: NodeRates | undefined): string[] {
  const used = Object.entries(totals.routes)
    .filter(([, route]) => countOf(route) > 0)
    .sort(([, a], [, b]) => countOf(b) - countOf(a));
  if (used.length === 0) return [];
  const right = (title: string) => ({ title, right: true });
  const columns = [
    { title: 'ROUTE' },
    right('REPLIES'),
    right('FAULTS'),
    right('P50'),
    right('P99'),
    ...(rates === undefined ? [] : [right('PER S')]),
    { title: 'CODES' },
  ];
  const rows = used.map(([label, route]) => [
    cut(printable(label), MAX_ROUTE),
    whole(countOf(route)),
    whole(faultsOf(route)),
    latency(route.buckets, 0.5),
    latency(route.buckets, 0.99),
    ...(rates === undefined ? [] : [perSecond(rates.total.routes[label]?.replies ?? 0)]),
    codesBut(route.codes, [0]),
  ]);
  const [head = '', ...lines] = table(columns, rows, paint);
  return ['', head, ...lines.map((line) => cut(line, WIDTH)), ...counted('faults', faultCounts(used.map(([, route]) => route)))];
}

/** Codes of faults on the way, in words: a number alone says nothing to whoever reads it at night. */
function faultCounts(routes: readonly CommandSnapshot[]): Record<string, number> {
  const count = (code: number) => routes.reduce<number>((sum, { codes }) => sum + (codes[code] ?? 0), 0);
  return Object.fromEntries(ON_THE_WAY.map((name) => [`${faults[name].code} ${faults[name].text}:`, count(faults[name].code)]));
}

/** The lines of "kim top", each of at most `columns` characters; none for a node that is alone. */
export function clusterTop(status: NodeStatus, { total }: NodeRates, columns: number, paint: Paint): string[] {
  if (isAlone(status)) return [];
  const { directories } = status.cluster;
  const { links: l, leftAlone, users, pushes } = status.totals.cluster;
  const failed = Object.entries(faultCounts(Object.values(status.totals.routes)))
    .filter(([, n]) => n > 0)
    .map(([text, n]) => `${text} ${whole(n)}`);
  const lost = directories.filter(({ state }) => state !== 'up');
  const pushed = Object.values(total.pushes).reduce((sum, n) => sum + n, 0);
  const bad = (['failed', 'slow'] as const)
    .filter((result) => (pushes[result] ?? 0) > 0)
    .map((result) => `, ${result} ${perSecond(total.pushes[result] ?? 0)}`);
  return [
    cut(`cluster: ${byType(status).join(', ')}  ${directories.map(({ name, state }) => `${name} ${state}`).join(', ')}`.trimEnd(), columns),
    cut(`links: ${whole(l.up)} up, ${whole(l.incoming)} incoming, ${whole(l.inFlight)} in flight, ${whole(l.waiting)} waiting`, columns),
    ...(users + pushed === 0 ? [] : [cut(`users: ${whole(users)}  pushes/s: ${perSecond(pushed)}${bad.join('')}`, columns)]),
    ...(failed.length === 0 ? [] : [paint('yellow', cut(`not answered: ${failed.join(', ')}`, columns))]),
    ...(leftAlone > 0 ? [paint('yellow', cut(`${nodesLeftAlone(leftAlone)}; GET /members says which`, columns))] : []),
    ...lost.map(({ name, state, detail }) => paint('yellow', cut(printable(`directory ${name} ${state}: ${detail}`), columns))),
  ];
}

/** Nodes of each type, those that drain beside them. */
function byType({ cluster }: NodeStatus): string[] {
  const types = [...new Set(cluster.members.map(({ type }) => type))];
  const nodes = (type: string, state?: string) =>
    cluster.members.reduce((sum, m) => sum + (m.type === type && (state === undefined || m.state === state) ? m.nodes : 0), 0);
  const all = types.map((type) => {
    const draining = nodes(type, 'draining');
    return `${printable(type)} ${whole(nodes(type))}${draining === 0 ? '' : ` (${whole(draining)} draining)`}`;
  });
  return all.length === 0 ? ['no members'] : all;
}
