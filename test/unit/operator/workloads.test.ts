// What a KimCluster becomes on one machine, and what a change of it asks for.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseCluster } from '../../../src/config/cluster.ts';
import { plan, workloads, type Workload } from '../../../src/operator/plan/workloads.ts';

interface Shape {
  gates?: number;
  workers?: number;
  logics?: number;
  port?: number;
  nodePort?: number;
  modules?: string;
}

function wanted({ gates = 1, workers = 2, logics, port = 3355, nodePort = 3344, modules = 'test' }: Shape = {}): Workload[] {
  const text = `
apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata: { name: demo }
spec:
  gate:
    replicas: ${gates}
    workers: ${workers}
    nodePort: ${nodePort}
    modules: [${modules}]
    listeners: [{ port: ${port} }]
${logics === undefined ? '' : `  logic: { replicas: ${logics} }`}
`;
  return workloads(parseCluster(text, 'demo.yaml').cluster, '/clusters');
}

const said = (running: Workload[], next: Workload[]) => plan(running, next).map(({ kind, workload }) => `${kind} ${workload.name}`);

test('a cluster becomes one node for each replica, logic nodes before the gates that need them', () => {
  assert.deepEqual(
    wanted({ gates: 2, logics: 1 }).map(({ name, config }) => [name, config.node_type, config.gate_port, config.node_port]),
    [
      ['demo-logic-0', 'logic', 0, 4344],
      ['demo-gate-0', 'gate', 3355, 3344],
      ['demo-gate-1', 'gate', 3356, 3345],
    ],
  );
});

test('all gates accept on the first one’s port, and each further one on its own too', () => {
  const keys = (shape: Shape) => wanted(shape).map(({ ports }) => ports.map(({ kind, key }) => `${kind} ${key}`));
  assert.deepEqual(keys({ gates: 2, logics: 1 }), [
    ['node 127.0.0.1:4344', 'admin 127.0.0.1:10344'],
    ['gate 127.0.0.1:3355', 'node 127.0.0.1:3344', 'admin 127.0.0.1:9355'],
    ['gate 127.0.0.1:3355', 'gate 127.0.0.1:3356', 'node 127.0.0.1:3345', 'admin 127.0.0.1:9356'],
  ]);
});

test('any free port is one for all gates, and one for each of them', () => {
  assert.deepEqual(
    wanted({ gates: 2, port: 0, nodePort: 0 }).map(({ ports }) => ports.map(({ port, key }) => `${port} ${key}`)),
    [
      ['0 demo gate', '0 demo-gate-0 node', '0 demo-gate-0 admin'],
      ['0 demo gate', '0 demo-gate-1 gate', '0 demo-gate-1 node', '0 demo-gate-1 admin'],
    ],
  );
});

test('an unchanged cluster asks for nothing', () => {
  assert.deepEqual(plan(wanted({ gates: 2 }), wanted({ gates: 2 })), []);
});

test('another number of workers is a change inside the running processes', () => {
  const [action] = plan(wanted({ workers: 2 }), wanted({ workers: 4 }));
  assert.equal(action?.kind, 'change');
  assert.deepEqual(action.kind === 'change' && action.changes, [{ key: 'worker_cnt', from: 2, to: 4, apply: 'live' }]);
});

test('other modules are a change inside the running processes, another port needs a new one', () => {
  assert.deepEqual(said(wanted(), wanted({ modules: 'test, echo' })), ['change demo-gate-0']);
  assert.deepEqual(said(wanted(), wanted({ nodePort: 3350 })), ['replace demo-gate-0']);
  assert.deepEqual(said(wanted(), wanted({ nodePort: 3350, workers: 3 })), ['replace demo-gate-0'], 'one that needs it is enough');
});

test('more replicas are started, fewer are ended from the last one on, after everything else', () => {
  assert.deepEqual(said(wanted({ gates: 1 }), wanted({ gates: 3 })), ['start demo-gate-1', 'start demo-gate-2']);
  assert.deepEqual(said(wanted({ gates: 3 }), wanted({ gates: 1, workers: 5 })), [
    'change demo-gate-0',
    'stop demo-gate-2',
    'stop demo-gate-1',
  ]);
  assert.deepEqual(said(wanted({ logics: 3 }), wanted({ logics: 1 })), ['stop demo-logic-2', 'stop demo-logic-1']);
});

test('the gates stop relaying before the last of the nodes that they relay to ends', () => {
  assert.deepEqual(said(wanted({ logics: 1 }), wanted()), ['change demo-gate-0', 'stop demo-logic-0']);
});

test('the plan of a plan that was carried out is empty, whatever it was', () => {
  const shapes: Shape[] = [{}, { gates: 3 }, { gates: 0, logics: 2 }, { workers: 7, modules: 'echo' }, { nodePort: 3400, gates: 2 }];
  for (const from of shapes) for (const to of shapes) assert.deepEqual(plan(wanted(to), wanted(to)), [], JSON.stringify([from, to]));
});
