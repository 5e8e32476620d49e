// The cluster in what kim status and kim top draw of a node.

import assert from 'node:assert/strict';
import test from 'node:test';
import { ratesOf } from '../../../src/cli/rates.ts';
import { statusLines } from '../../../src/cli/status-text.ts';
import { painter } from '../../../src/cli/terminal.ts';
import { frameLines } from '../../../src/cli/top-frame.ts';
import { exampleCluster } from '../../../src/ops/cluster-examples.ts';
import { emptyCluster, type ClusterStats } from '../../../src/ops/cluster-stats.ts';
import type { NodeStatus } from '../../../src/ops/snapshot.ts';
import type { StatsSnapshot } from '../../../src/ops/stats.ts';
import { command, look, nodeStatus, STARTED, worker } from './status.ts';

const plain = painter(false, {});
const none = emptyCluster();
const counts: ClusterStats = {
  ...none,
  links: { ...none.links, up: 4, incoming: 2, inFlight: 3, waiting: 1, reopened: 2, lost: 3, failed: 5 },
  leftAlone: 1,
  users: 12,
  pushes: { ...none.pushes, delivered: 1200, failed: 2 },
};
const routes = { 'logic 1000-': command({ 0: 5000, 4: 2, 14: 3, 18: 1 }) };

/** A gate that relays to three logic nodes, one of which drains, and has lost one of its two directories. */
function gate(more: Partial<StatsSnapshot> = {}, workers = [worker(1)]): NodeStatus {
  const file = { name: 'file', state: 'up', detail: 'folder /run/kimserver/demo' } as const;
  const zookeeper = { name: 'zookeeper', state: 'down', detail: 'no server of zk-0:2181,zk-1:2181 answers' } as const;
  const draining = { type: 'logic', source: 'zookeeper', state: 'draining', nodes: 1, workers: 1 } as const;
  const cluster = { ...exampleCluster, members: [...exampleCluster.members, draining], directories: [zookeeper, file] };
  return nodeStatus({ routes, cluster: counts, ...more }, { cluster, workers });
}

test('status shows members, directories, links, pushes, and how other nodes answered', () => {
  const lines = statusLines(gate(), STARTED + 100_000, plain);
  const text = lines.join('\n');
  assert.match(
    text,
    /^members {5}1 gate \(2 workers, file\), 2 logic \(2 workers, file\),\n {12}1 logic \(draining, 1 worker, zookeeper\)$/m,
  );
  assert.match(text, /^directory {3}zookeeper down: no server of zk-0:2181,zk-1:2181 answers\ndirectory {3}file up: folder /m);
  assert.match(
    text,
    /^links {7}4 up, 2 incoming, 3 requests in flight, 1 waiting, 2 opened again,\n {12}3 lost, 5 not opened, 1 node left/m,
  );
  assert.match(text, /^sessions {4}12 users$/m);
  assert.match(text, /^pushes {6}delivered 1,200, failed 2$/m);
  assert.match(text, /^ROUTE +REPLIES +FAULTS +P50 +P99 {2}CODES\nlogic 1000- +5,006 +4 +250 us +495 us {2}4: 2, 14: 3, 18: 1$/m);
  assert.match(text, /^faults {6}14 node connect failed: 3, 18 request timed out: 1$/m);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
});

test('status with rates has those of relayed requests', () => {
  const now = look(100, gate());
  const text = statusLines(now.status, now.at, plain, ratesOf(now)).join('\n');
  assert.match(text, /^ROUTE +REPLIES +FAULTS +P50 +P99 +PER S {2}CODES\nlogic 1000- +5,006 +4 +250 us +495 us +50 {2}4: 2/m);
});

test('a node that is alone says nothing of a cluster', () => {
  const alone = nodeStatus();
  assert.doesNotMatch(statusLines(alone, STARTED, plain).join('\n'), /members|links|directory|ROUTE/);
  const now = look(100, alone);
  const top = frameLines({ look: now, rates: ratesOf(now), columns: 80, rows: 24, paint: plain, hint: '' });
  assert.doesNotMatch(top.join('\n'), /cluster|links/);
});

function top(status: NodeStatus): string[] {
  const now = look(100, status);
  return frameLines({ look: now, rates: ratesOf(now), columns: 80, rows: 24, paint: plain, hint: '' });
}

test('top shows the cluster, with relayed requests among the commands and in the numbers', () => {
  const text = top(gate({ commands: { 1001: command({ 0: 100 }) } })).join('\n');
  assert.match(text, /^cluster: gate 1, logic 3 \(1 draining\) {2}zookeeper down, file up$/m);
  assert.match(text, /^links: 4 up, 2 incoming, 3 in flight, 1 waiting$/m);
  assert.match(text, /^users: 12 {2}pushes\/s: 12, failed <0\.1$/m);
  assert.match(text, /^not answered: 14 node connect failed: 3, 18 request timed out: 1$/m);
  assert.match(text, /^1 node left alone; GET \/members says which$/m);
  assert.match(text, /^directory zookeeper down: no server of/m);
  assert.match(text, /^logic 1000- +50 +0\.1 +250 us +495 us +5,006$/m);
  assert.match(text, /failed\/s +0\.1 /);
});

test('top of a large cluster fits into 80 columns and 24 rows', () => {
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`type-with-a-long-name-${i} 1000-1999`, command({ 0: 1e9 + i })]));
  const lines = top(
    gate(
      { routes: many },
      Array.from({ length: 64 }, (_, i) => worker(i + 1)),
    ),
  );
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
});
