// Loading a node's configuration: the file, the environment over it, and the flags over both.

import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { loadNodeConfig } from '../../../src/config/load.ts';
import { fileOf, minimal, problemsOf, refused } from './support.ts';

const base = `${JSON.stringify(minimal, null, 2)}\n`;

test('flags win over the environment, and the environment over the file', (t) => {
  const file = fileOf(t, JSON.stringify({ ...minimal, worker_cnt: 1, max_clients: 1, accept_queue: 1 }));
  const { config, notes } = loadNodeConfig(file, {
    env: { KIM_MAX_CLIENTS: '2', KIM_ACCEPT_QUEUE: '2', PATH: '/bin' },
    set: ['accept_queue=3', 'accept_queue=4', 'modules=test,echo', 'admin_port=false', 'log_path=a=b'],
  });
  assert.deepEqual([config.worker_cnt, config.max_clients, config.accept_queue], [1, 2, 4]);
  assert.deepEqual([config.modules, config.admin_port, config.log_path, notes], [['test', 'echo'], null, 'a=b', []]);
});

test('objects come from the environment as JSON, and flags reach into them', (t) => {
  const { config } = loadNodeConfig(fileOf(t, base), {
    env: { KIM_REDIS: '{"test": {"host": "h", "port": "1"}}' },
    set: [
      'redis.test.port=6380',
      'redis.more.host=m',
      'database.nodes.a.host=d',
      'database.nodes.a.user=u',
      'database.nodes.a.password= p ',
    ],
  });
  assert.deepEqual(config.redis, {
    test: { host: 'h', port: 6380, max_conn_cnt: 3 },
    more: { host: 'm', port: 6379, max_conn_cnt: 3 },
  });
  assert.equal(config.database.nodes['a']?.password, ' p ');
});

test('an empty variable counts as not set, and an empty flag as empty', (t) => {
  const file = fileOf(t, JSON.stringify({ ...minimal, worker_cnt: 3, log_path: 'x' }));
  const { config } = loadNodeConfig(file, { env: { KIM_WORKER_CNT: '', KIM_LOG_PATH: '' }, set: ['log_path='] });
  assert.deepEqual([config.worker_cnt, config.log_path], [3, '']);
});

test('unknown KIM_ variables are noted, those that Kubernetes sets for Services are not', (t) => {
  const { config, notes } = loadNodeConfig(fileOf(t, base), {
    env: {
      KIM_WORKER_CONT: '3',
      KIM_COLOUR: 'red',
      KIMCHI: 'x',
      KIM_SERVICE_HOST: '10.0.0.1',
      KIM_SERVICE_PORT: '3355',
      KIM_SERVICE_PORT_CLIENT: '3355',
      KIM_PORT: 'tcp://10.0.0.1:3355',
      KIM_PORT_3355_TCP: 'tcp://10.0.0.1:3355',
      KIM_PORT_3355_TCP_ADDR: '10.0.0.1',
      KIM_GATE_SERVICE_HOST: '10.0.0.1',
      KIM_GATE_PORT: 'tcp://10.0.0.1:3355',
      KIM_GATE_PORT_3355_TCP_PROTO: 'tcp',
    },
  });
  assert.equal(config.gate_port, 3355, 'the address of a Service named kim-gate is no port');
  assert.deepEqual(notes, [
    'environment variable KIM_WORKER_CONT is not known; did you mean KIM_WORKER_CNT',
    'environment variable KIM_COLOUR is not known',
  ]);
});

test('a problem says which line, variable or flag the value came from', (t) => {
  const file = fileOf(t, '{\n  "node_type": "gate",\n  "gate_host": "h",\n  "gate_port": "x",\n  "redis": {\n    "a": { }\n  }\n}\n');
  const problems = problemsOf(() => loadNodeConfig(file, { env: { KIM_WORKER_CNT: 'many' }, set: ['max_frame=1'] }));
  assert.deepEqual(
    problems.map(({ line, message }) => [line, message.replace(/;.*/, '')]),
    [
      [undefined, 'worker_cnt (from KIM_WORKER_CNT) is "many"'],
      [4, 'gate_port is "x"'],
      [undefined, 'max_frame (from --set) is 1'.replace('is 1', 'is "1"')],
      [6, 'redis.a.host is missing'],
    ],
  );
});

test('a rule between options is told at the line of what was written', (t) => {
  const file = fileOf(t, '{\n  "node_type": "gate",\n  "gate_host": "h",\n  "gate_port": 1,\n  "max_frame": "64MiB"\n}\n');
  assert.match(refused(() => loadNodeConfig(file)).message, /config\.json:5: outgoing_burst is 33554432, below max_frame \(67108864\)/);
});

test('flags that name no option, or have no value, are refused with the nearest option', (t) => {
  const file = fileOf(t, base);
  const error = refused(() => loadNodeConfig(file, { set: ['worker_cont=3', 'worker_cnt', 'colour=secret', 'redis..host=1', 'x.y'] }));
  assert.deepEqual(
    error.problems.map(({ message }) => message),
    [
      '--set worker_cont names no option; did you mean worker_cnt',
      '--set worker_cnt has no value; write --set worker_cnt=VALUE',
      '--set colour names no option',
      '--set redis..host names no option; did you mean redis',
      '--set x.y has no value; write --set x.y=VALUE',
    ],
  );
  assert.ok(!error.message.includes('secret'));
});

test('unknown keys have their line, and are problems when strict', (t) => {
  const file = fileOf(
    t,
    '{\n  "node_type": "gate",\n  "gate_host": "h",\n  "gate_port": 1,\n  "worker_cont": 3,\n  "redis": { "a": { "host": "h",\n    "prot": 1 } }\n}',
  );
  assert.deepEqual(loadNodeConfig(file).unknown, [
    { key: 'worker_cont', nearest: 'worker_cnt', line: 5 },
    { key: 'redis.a.prot', nearest: 'redis.a.port', line: 7 },
  ]);
  assert.deepEqual(
    problemsOf(() => loadNodeConfig(file, { strict: true })).map(({ line, message }) => [line, message]),
    [
      [5, 'unknown key "worker_cont"; did you mean "worker_cnt"'],
      [7, 'unknown key "redis.a.prot"; did you mean "redis.a.port"'],
    ],
  );
});

test('broken JSON is refused with line and column', (t) => {
  const file = fileOf(t, '{\n  "node_type": "gate",\n}\n');
  const error = refused(() => loadNodeConfig(file));
  assert.deepEqual(error.problems, [{ path: '', line: 2, message: 'not JSON at line 2, column 22: no comma may stand before "}"' }]);
  assert.equal(error.message, `${file}:2: not JSON at line 2, column 22: no comma may stand before "}"`);
});

test('a KimCluster in place of a node is named as what it is', (t) => {
  const file = fileOf(t, 'apiVersion: kimserver.io/v1alpha1\nkind: KimCluster\n');
  assert.match(refused(() => loadNodeConfig(file)).message, /this is a KimCluster; run it with "kim up"/);
});

test('a file that cannot be read is refused with the reason', (t) => {
  const file = fileOf(t, base);
  const rows: [string, RegExp][] = [
    [join(dirname(file), 'missing.json'), /there is no such file; check the path$/],
    [dirname(file), /this is a directory; give the path of a file in it$/],
    [join(file, 'x.json'), /a part of the path is not a directory/],
    [`${file}\0`, /the file cannot be read \(ERR_INVALID_ARG_VALUE\)$/],
    [fileOf(t, ' '.repeat(1024 * 1024 + 1)), /the file has 1048577 bytes, a configuration at most 1048576/],
  ];
  for (const [path, reason] of rows) {
    const error = refused(() => loadNodeConfig(path));
    assert.match(error.message, reason);
    assert.ok(error.message.startsWith(`${path}: `));
  }
});

test('a file that this user may not read is refused with the reason', (t) => {
  const file = fileOf(t, base);
  chmodSync(file, 0);
  // root reads everything
  if (process.getuid?.() === 0) assert.equal(loadNodeConfig(file).config.node_type, 'gate');
  else assert.match(refused(() => loadNodeConfig(file)).message, /this user may not read the file/);
});
