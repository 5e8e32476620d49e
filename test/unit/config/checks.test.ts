// Rules between options: each refuses with one sentence, and takes what stands at its edge.

import assert from 'node:assert/strict';
import test from 'node:test';
import { hostsOverlap } from '../../../src/config/checks.ts';
import { messagesOf, parse } from './support.ts';

const KIB = 1024;

test('clients and nodes need a port each on the same host', () => {
  const both = { gate_port: 3344, node_port: 3344, node_host: '127.0.0.1' };
  assert.deepEqual(messagesOf(both), ['gate_port and node_port are both 3344 on 127.0.0.1; each needs a port of its own']);
  assert.deepEqual(messagesOf({ ...both, node_host: '0.0.0.0' }), [
    'gate_port and node_port are both 3344 on 127.0.0.1 and 0.0.0.0; each needs a port of its own',
  ]);
  assert.deepEqual(parse({ ...both, node_host: '10.0.0.1' }).notes, []);
  assert.deepEqual(parse({ ...both, gate_port: 0, node_port: 0 }).notes, []);
});

test('the admin pages need a port of their own', () => {
  assert.deepEqual(messagesOf({ admin_port: 3355 }), ['admin_port and gate_port are both 3355 on 127.0.0.1; each needs a port of its own']);
  assert.deepEqual(messagesOf({ node_host: '127.0.0.1', node_port: 9355 }), [
    'admin_port and node_port are both 9355 on 127.0.0.1; each needs a port of its own',
  ]);
  assert.equal(parse({ admin_port: false, node_host: '127.0.0.1', node_port: 9355 }).config.admin_port, null);
});

test('hosts overlap when they are the same or one of them is every address', () => {
  const rows: [string, string, boolean][] = [
    ['a', 'a', true],
    ['A', 'a', true],
    ['localhost', '127.0.0.1', true],
    ['0.0.0.0', '10.0.0.1', true],
    ['10.0.0.1', '::', true],
    ['10.0.0.1', '10.0.0.2', false],
  ];
  for (const [a, b, expected] of rows) assert.equal(hostsOverlap(a, b), expected, `${a} ${b}`);
});

test('a node that nobody can reach is refused', () => {
  assert.deepEqual(messagesOf({ gate_host: '', gate_port: undefined }), [
    'neither gate_host nor node_host is set, so nobody could connect; set gate_host and gate_port to serve clients, or node_host and node_port to serve other nodes',
  ]);
});

test('a host needs a port, and a port without host is worth a note', () => {
  assert.deepEqual(messagesOf({ gate_port: undefined }), [
    'gate_port is missing though gate_host is 127.0.0.1; give a port, or 0 for any free one',
  ]);
  assert.deepEqual(messagesOf({ node_host: 'h' }), ['node_port is missing though node_host is h; give a port, or 0 for any free one']);
  assert.deepEqual(parse({ node_port: 3344 }).notes, ['node_port is ignored because node_host is not set']);
  assert.deepEqual(parse({ gate_host: '', node_host: 'h', node_port: 1 }).notes, ['gate_port is ignored because gate_host is not set']);
});

test('limits that would work against each other are refused, and may be equal', () => {
  const rows: [Record<string, unknown>, string][] = [
    [
      { max_frame: KIB, outgoing_limit: 3000, outgoing_burst: 2999 },
      'outgoing_burst is 2999, below outgoing_limit (3000): a slow reader would be closed before reading from it pauses; raise outgoing_burst or lower outgoing_limit',
    ],
    [
      { max_frame: '8MiB', outgoing_burst: '4MiB' },
      'outgoing_burst is 4194304, below max_frame (8388608): the largest reply would close the client that asked for it; raise outgoing_burst or lower max_frame',
    ],
    [
      { max_frame: '8MiB', worker_memory: '1MiB' },
      'worker_memory is 1048576, below max_frame (8388608): the largest frame would not fit into the memory of a worker; raise worker_memory or lower max_frame',
    ],
    [
      { restart_min_ms: '20s' },
      'restart_max_ms is 10000, below restart_min_ms (20000): the first wait would be longer than the longest; raise restart_max_ms or lower restart_min_ms',
    ],
  ];
  for (const [more, message] of rows) assert.deepEqual(messagesOf(more), [message]);
  const equal = { max_frame: KIB, outgoing_limit: KIB, outgoing_burst: KIB, worker_memory: KIB, restart_min_ms: 5, restart_max_ms: 5 };
  assert.deepEqual(parse(equal).notes, []);
});

test('a drain time below the deadline of requests is a note, when somebody chose that deadline', () => {
  const note =
    'request_timeout_ms is 20000 ms and drain time 5000 ms: requests that take longer than the drain time are cut when a node leaves';
  assert.deepEqual(parse({ drain_ms: 5000, request_timeout_ms: 20_000 }).notes, [note]);
  assert.deepEqual(parse({ drain_ms: 5000 }).notes, []);
  assert.deepEqual(parse({ drain_ms: 5000, request_timeout_ms: 5000 }).notes, []);
});

test('a rule is silent about a value that is refused already', () => {
  assert.deepEqual(messagesOf({ max_frame: 'x', outgoing_burst: 64, outgoing_limit: 64 }), [
    'max_frame is "x"; allowed: bytes from 64 to 1073741824 (1GiB), or a text like 8MiB',
  ]);
});

test('values and rules are told together', () => {
  assert.equal(messagesOf({ worker_cnt: 0, gate_port: undefined, restart_min_ms: '20s' }).length, 3);
});
