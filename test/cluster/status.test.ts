// What each node of a cluster tells of it: its admin pages and its metrics, with real processes.

import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import type { LinkView, MembersReply, Readiness, RouteView, SessionView } from '../../src/ops/admin-schema.ts';
import { request, type Seen } from '../support/frames.ts';
import { kim } from '../support/kim.ts';
import type { TestNode } from '../support/node.ts';
import { TestCluster } from '../support/nodes.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

const ROUTE_NAME = 'logic 1000-';

/** Two gates of two workers each, two logic nodes; links open when the first request needs them. */
async function started(t: TestContext) {
  const cluster = await TestCluster.start(t, { logics: 2, logic: { modules: ['social.ts', 'load.ts'] }, gate: { worker_cnt: 2 } });
  const second = await cluster.addGate({ worker_cnt: 2 });
  await cluster.settled();
  const gates = [cluster.gate, second] as const;
  return { cluster, gates, logics: cluster.logics };
}

/** Clients come, ask once and go until each worker of the gate has asked each logic worker. Returns how many requests that took. */
async function linkAll(t: TestContext, gate: TestNode): Promise<number> {
  let requests = 0;
  await until(async () => {
    const { client, ask } = await clientOf(t, gate);
    await ask(2001, '');
    client.socket.destroy();
    requests++;
    return (await linksOf(gate)).filter(isUp).length === 4;
  }, 'four links of a gate are up');
  return requests;
}

const json = async <T>(node: TestNode, path: string): Promise<T> => JSON.parse(await node.get(path)) as T;
const linksOf = async (node: TestNode) =>
  (await json<{ links: LinkView[] }>(node, '/links')).links.filter(({ direction }) => direction === 'outgoing');
const isUp = ({ state }: LinkView) => state === 'up';
const routesOf = async (node: TestNode) => (await json<{ routes: RouteView[] }>(node, '/routes')).routes;
const addressOf = (node: TestNode) => `127.0.0.1:${node.nodePort}`;

async function clientOf(t: TestContext, gate: TestNode) {
  const client = await WireClient.connect(gate.port);
  t.after(() => void client.socket.destroy());
  let seq = 0;
  const ask = async (cmd: number, data: string): Promise<Seen> => {
    const own = ++seq;
    client.send(request(cmd, own, data));
    await client.until(() => client.seen.some((frame) => frame.seq === own), `the answer to ${cmd}`);
    return client.seen.find((frame) => frame.seq === own)!;
  };
  return { client, ask };
}

/** The value of each line of /metrics, by name and labels as they are printed. */
async function metricsOf(node: TestNode): Promise<Map<string, number>> {
  const lines = (await node.get('/metrics')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
}

/** The sum of a metric over all workers with these labels, in whatever order they are printed; undefined if there is none. */
function valueOf(metrics: ReadonlyMap<string, number>, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const found = [...metrics].filter(([line]) => line.split('{')[0] === `kim_${name}` && wanted.every((label) => line.includes(label)));
  return found.length === 0 ? undefined : found.reduce((sum, [, value]) => sum + value, 0);
}

test('each node tells who is in the cluster, how it is linked, and how keys are shared out', async (t) => {
  const { gates, logics } = await started(t);
  for (const gate of gates) await linkAll(t, gate);
  const all = [...gates, ...logics].map(addressOf).sort();

  for (const node of [...gates, ...logics]) {
    const { version, members } = await json<MembersReply>(node, '/members');
    assert.ok(version > 0);
    assert.deepEqual(members.map(({ address }) => address).sort(), all);
    assert.deepEqual(
      members.filter(({ isSelf }) => isSelf).map(({ address }) => address),
      [addressOf(node)],
    );
    for (const member of members) {
      assert.deepEqual(
        [member.kind, member.source, member.state, member.leftAloneBy, member.workers],
        ['ours', 'file', 'serving', [], member.type === 'gate' ? 2 : 1],
      );
    }
  }

  const links = await linksOf(gates[0]);
  assert.deepEqual(
    links.map(({ worker, peer, type, kind }) => `${worker} ${peer} ${type} ${kind}`),
    [1, 2].flatMap((worker) => logics.map((logic) => `${worker} ${addressOf(logic)}.1 logic ours`).sort()),
  );
  const incoming = (await json<{ links: LinkView[] }>(logics[0]!, '/links')).links.filter(({ direction }) => direction === 'incoming');
  assert.deepEqual(
    incoming.map(({ peer, type, kind }) => `${peer} ${type} ${kind}`).sort(),
    gates.flatMap((gate) => [1, 2].map((worker) => `${addressOf(gate)}.${worker} gate ours`)).sort(),
  );

  const [route] = await routesOf(gates[0]);
  assert.deepEqual([route!.route, route!.commands, route!.to, route!.key], [ROUTE_NAME, '1000-', 'logic', 'session']);
  assert.deepEqual(Object.keys(route!.shares).sort(), logics.map((logic) => `${addressOf(logic)}.1`).sort());
  assert.ok(Math.abs(Object.values(route!.shares).reduce((sum, share) => sum + share, 0) - 1) < 1e-9, 'the shares are the whole');
  assert.deepEqual(await routesOf(logics[0]!), []);
});

test('a user is found from any gate, and is not found when nobody has logged in', async (t) => {
  const { gates, logics } = await started(t);
  const { client, ask } = await clientOf(t, gates[0]);
  assert.equal((await ask(4001, 'anna/1')).data, 'bound');

  const here = await json<SessionView>(gates[0], '/sessions/anna%2F1');
  assert.equal(here.isHere, true);
  assert.equal(here.remote, `127.0.0.1:${client.socket.localPort}`);
  assert.match(here.node, new RegExp(`^${addressOf(gates[0])}\\.[12]$`));
  for (const node of [gates[1], logics[0]!]) {
    const elsewhere = await json<SessionView>(node, '/sessions/anna%2F1');
    assert.deepEqual(elsewhere, { user: 'anna/1', node: here.node, isHere: false });
  }
  const absent = await fetch(new URL('/sessions/nobody', gates[1].manager.adminUrl));
  assert.equal(absent.status, 404);
  assert.match(((await absent.json()) as { error: string }).error, /user "nobody" is not connected/);
});

test('relays, logins and pushes are counted where they happen', async (t) => {
  const { gates, logics } = await started(t);
  const before = await linkAll(t, gates[0]);
  const { ask } = await clientOf(t, gates[0]);
  for (let i = 0; i < 10; i++) assert.equal((await ask(2001, `${i}`)).data, `${i}`);
  assert.equal((await ask(4001, 'anna')).data, 'bound');
  assert.equal((await ask(4003, 'anna hello')).data, 'delivered');
  assert.equal((await ask(4003, 'nobody hello')).data, 'unknown');
  await ask(2999, '');

  const gate = await metricsOf(gates[0]);
  assert.equal(valueOf(gate, 'relayed_requests_total', { route: ROUTE_NAME, code: '0' }), before + 13);
  assert.equal(valueOf(gate, 'relayed_requests_total', { route: ROUTE_NAME, code: '4' }), 1);
  assert.equal(valueOf(gate, 'node_relayed_requests_total', { route: ROUTE_NAME }), before + 14);
  assert.equal(valueOf(gate, 'relay_duration_seconds_count', { route: ROUTE_NAME }), before + 14);
  // those to the workers of the other gate, which are asked where users are, among them
  assert.equal(valueOf(gate, 'links', { direction: 'outgoing' }), (await linksOf(gates[0])).filter(isUp).length);
  assert.ok(valueOf(gate, 'links_opened_total')! >= 4);
  assert.equal(valueOf(gate, 'link_requests_in_flight'), 0);
  assert.equal(valueOf(gate, 'nodes_left_alone'), 0);
  assert.equal(valueOf(gate, 'users'), 1);
  assert.equal(valueOf(gate, 'binds_total', { result: 'bound' }), 1);
  assert.equal(valueOf(gate, 'members', { type: 'logic', source: 'file', state: 'serving' }), 2);
  assert.equal(valueOf(gate, 'members', { type: 'gate', source: 'file', state: 'serving' }), 2);
  assert.equal(valueOf(gate, 'directory_up', { directory: 'file' }), 1);
  assert.equal(valueOf(gate, 'announced'), 1);
  assert.ok(valueOf(gate, 'members_version')! > 0);

  const sumOf =
    (list: readonly ReadonlyMap<string, number>[]) =>
    (name: string, labels: Readonly<Record<string, string>> = {}) =>
      list.reduce((total, metrics) => total + (valueOf(metrics, name, labels) ?? 0), 0);
  const sum = await until(async () => {
    const all = sumOf(await Promise.all(logics.map(metricsOf)));
    return all('remote_sessions') === 1 && all;
  }, 'the sessions of those who left are forgotten');
  assert.equal(sum('pushes_total', { result: 'delivered' }), 1);
  assert.equal(sum('pushes_total', { result: 'unknown' }), 1);
  assert.equal(sum('links', { direction: 'incoming' }), 4);

  const [route] = await routesOf(gates[0]);
  assert.deepEqual(route!.codes, { 0: before + 13, 4: 1 });
});

test('a node that lost its directory says so, stays ready, and goes on relaying', async (t) => {
  const { cluster, gates } = await started(t);
  const { ask } = await clientOf(t, gates[0]);
  const ready = async () => {
    const response = await fetch(new URL('/readyz', gates[0].manager.adminUrl));
    return { status: response.status, ...((await response.json()) as Readiness) };
  };
  assert.deepEqual(await ready(), { status: 200, ready: true, state: 'serving', reasons: [], details: [] });

  // a file stands where the folder was: it can neither be read nor be made anew
  const aside = `${cluster.folder}-aside`;
  renameSync(cluster.folder, aside);
  writeFileSync(cluster.folder, '');
  t.after(() => rmSync(aside, { recursive: true, force: true }));
  await until(async () => valueOf(await metricsOf(gates[0]), 'directory_up', { directory: 'file' }) === 0, 'the directory is lost');
  const lost = await ready();
  assert.deepEqual([lost.status, lost.ready, lost.reasons], [200, true, []]);
  assert.match(lost.details.join('\n'), new RegExp(`^directory file is lost: folder ${cluster.folder}: `));
  assert.equal((await gates[0].status()).cluster.directories[0]!.state, 'down');
  assert.equal((await json<MembersReply>(gates[0], '/members')).members.length, 4, 'what was known stays known');
  assert.equal((await ask(2001, 'on')).data, 'on');

  rmSync(cluster.folder);
  renameSync(aside, cluster.folder);
  await until(async () => valueOf(await metricsOf(gates[0]), 'directory_up', { directory: 'file' }) === 1, 'the directory is back');
  assert.deepEqual((await ready()).details, []);
});

test('a logic node that is gone shows in the links, the members and the shares', async (t) => {
  const { cluster, gates, logics } = await started(t);
  await linkAll(t, gates[0]);
  await logics[0]!.end();
  await cluster.settled();
  const left = `${addressOf(logics[1]!)}.1`;
  await until(async () => (await linksOf(gates[0])).every(({ peer }) => peer === left), 'its links are gone');
  const [route] = await routesOf(gates[0]);
  assert.deepEqual(route!.shares, { [left]: 1 });
  const metrics = await metricsOf(gates[0]);
  assert.equal(valueOf(metrics, 'members', { type: 'logic', state: 'serving' }), 1);
  assert.equal(valueOf(metrics, 'links', { direction: 'outgoing' }), 2);
});

test('kim status and kim top show the cluster of a node', async (t) => {
  const { gates } = await started(t);
  const requests = await linkAll(t, gates[0]);
  const { host } = new URL(gates[0].manager.adminUrl!);
  const status = await kim(['status', host]);
  assert.equal(status.code, 0);
  assert.match(status.out, /^members {5}2 gate \(4 workers, file\), 2 logic \(2 workers, file\)$/m);
  assert.match(status.out, /^directory {3}file up: folder /m);
  assert.match(status.out, /^links {7}4 up, 0 incoming, 0 requests in flight, 0 waiting/m);
  assert.match(status.out, new RegExp(`^logic 1000- +${requests} +0 `, 'm'));

  const top = await kim(['top', host, '--once']);
  assert.equal(top.code, 0);
  assert.match(top.out, /^cluster: gate 2, logic 2 {2}file up$/m);
  assert.match(top.out, new RegExp(`^logic 1000- .* ${requests}$`, 'm'));

  const { cluster, rates } = JSON.parse((await kim(['status', host, '--rates', '-o', 'json'])).out) as {
    cluster: { links: { up: number } };
    rates: { routes: Record<string, object> };
  };
  assert.equal(cluster.links.up, 4);
  assert.deepEqual(Object.keys(rates.routes), [ROUTE_NAME]);
});
