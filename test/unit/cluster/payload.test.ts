// The report of a node's load, as the originals write it.

import assert from 'node:assert/strict';
import test from 'node:test';
import { PayloadReports, type PayloadCounters } from '../../../src/cluster/payload.ts';

const node = {
  zkPath: '/kimserver/nodes/gate/kim-gate-gate0000000012',
  type: 'gate',
  host: '127.0.0.1',
  port: 3344,
  gateHost: '127.0.0.1',
  gatePort: 3355,
  workers: 2,
};
const none: PayloadCounters = { connections: 0, inFlight: 0, framesIn: 0, bytesIn: 0, framesOut: 0, bytesOut: 0 };
const busy: PayloadCounters = { connections: 3, inFlight: 1, framesIn: 10, bytesIn: 1000, framesOut: 9, bytesOut: 900 };

test('a report has the names of the original in their order, with zero fields printed', () => {
  const text = new PayloadReports().next(node, none, new Map([[1, none]]), 1612345678.5);
  const zero = (index: number) =>
    `{"worker_index":${index},"conn_cnt":0,"cmd_cnt":0,"read_cnt":0,"read_bytes":0,"write_cnt":0,"write_bytes":0,"create_time":1612345678.5}`;
  assert.equal(
    text,
    '{"node":{"zk_path":"/kimserver/nodes/gate/kim-gate-gate0000000012","node_type":"gate","node_host":"127.0.0.1","node_port":3344,' +
      `"gate_host":"127.0.0.1","gate_port":3355,"worker_cnt":2},"manager":${zero(0)},"workers":[${zero(1)}]}`,
  );
});

test('a node without workers reports an empty list of them', () => {
  assert.match(new PayloadReports().next(node, none, new Map(), 1), /"workers":\[\]}$/);
});

test('counters tell what came since the report before, connections what is there now', () => {
  const reports = new PayloadReports();
  reports.next(node, none, new Map([[1, busy]]), 1);
  const later = { ...busy, connections: 2, framesIn: 14, bytesOut: 950 };
  const { workers } = JSON.parse(reports.next(node, none, new Map([[1, later]]), 2)) as { workers: object[] };
  assert.deepEqual(workers, [
    { worker_index: 1, conn_cnt: 2, cmd_cnt: 1, read_cnt: 4, read_bytes: 0, write_cnt: 0, write_bytes: 50, create_time: 2 },
  ]);
});

test('the line of the manager is its own counters and those of all workers', () => {
  const workers = new Map([
    [2, busy],
    [1, busy],
  ]);
  const report = JSON.parse(new PayloadReports().next(node, { ...none, framesIn: 1, connections: 5 }, workers, 3)) as {
    manager: object;
    workers: { worker_index: number }[];
  };
  assert.deepEqual(report.manager, {
    worker_index: 0,
    conn_cnt: 11,
    cmd_cnt: 2,
    read_cnt: 21,
    read_bytes: 2000,
    write_cnt: 18,
    write_bytes: 1800,
    create_time: 3,
  });
  assert.deepEqual(
    report.workers.map(({ worker_index }) => worker_index),
    [1, 2],
  );
});

test('a worker that was started anew reports all that it counted, and nothing outgrows 32 bits', () => {
  const reports = new PayloadReports();
  reports.next(node, none, new Map([[1, { ...busy, framesIn: 1000 }]]), 1);
  const text = reports.next(node, none, new Map([[1, { ...busy, framesIn: 7, bytesIn: 2 ** 40 }]]), 2);
  const { workers } = JSON.parse(text) as { workers: { read_cnt: number; read_bytes: number }[] };
  assert.equal(workers[0]!.read_cnt, 7);
  assert.equal(workers[0]!.read_bytes, 2 ** 32 - 1);
});
