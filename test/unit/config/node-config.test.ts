// Reading a node's configuration: defaults, lenient values, strict limits, and all problems at once.

import assert from 'node:assert/strict';
import test from 'node:test';
import { parseNodeConfig, unknownSentence, withDefaults } from '../../../src/config/node-config.ts';
import { optionKeys, optionOf } from '../../../src/config/options.ts';
import { messagesOf, minimal, parse, problemsOf, refused } from './support.ts';

test('the least configuration gets every default, without a note', () => {
  const { config, notes, unknown } = parse();
  assert.deepEqual([notes, unknown], [[], []]);
  assert.deepEqual(config, {
    server_name: 'kim',
    node_type: 'gate',
    worker_cnt: 1,
    modules: [],
    drain_ms: 10_000,
    gate_host: '127.0.0.1',
    gate_port: 3355,
    gate_codec: 'protobuf',
    is_reuseport: false,
    node_host: '',
    node_port: 0,
    admin_host: '127.0.0.1',
    admin_port: 9355,
    admin_public_key: '',
    log_path: '',
    log_level: 'info',
    keep_alive: 15_000,
    max_clients: 16_000,
    max_clients_per_address: 16_000,
    accept_rate: 5000,
    accept_burst: 20_000,
    accept_queue: 1024,
    first_byte_ms: 30_000,
    request_rate: 100_000,
    request_burst: 200_000,
    max_in_flight: 1024,
    request_timeout_ms: 30_000,
    max_frame: 8_388_608,
    frame_ms: 30_000,
    outgoing_limit: 262_144,
    outgoing_burst: 33_554_432,
    outgoing_deadline_ms: 30_000,
    worker_memory: 268_435_456,
    hang_ms: 10_000,
    restart_min_ms: 100,
    restart_max_ms: 10_000,
    restart_limit: 5,
    restart_window_ms: 10_000,
    held_ms: 30_000,
    routes: [],
    discovery: [],
    directory_path: '',
    kubernetes_selector: '',
    kubernetes_namespace: '',
    members: [],
    watch_types: [],
    gate_advertise: '',
    relay_in_flight: 64,
    link_connect_ms: 1000,
    link_handshake_ms: 2000,
    link_timeout_ms: 3000,
    link_heartbeat_ms: 2000,
    link_backoff_ms: 1000,
    link_queue: 10_000,
    link_in_flight: 65_536,
    link_max_frame: 67_108_864,
    link_pool: 10,
    breaker_failures: 5,
    breaker_ms: 2000,
    second_login: 'replace',
    client_heartbeat_ms: 30_000,
    resume_ms: 30_000,
    max_lost_sessions: 10_000,
    max_remote_sessions: 100_000,
    remote_session_idle_ms: 300_000,
    redis: {},
    database: { slowlog_log_slower_than: 0, nodes: {} },
    zookeeper: {
      is_open: false,
      servers: '',
      log_path: '',
      log_level: 'info',
      root: '',
      watch_node_type: [],
      session_timeout_ms: 10_000,
      auth: '',
      acl: 'open',
    },
  });
});

test('every default is a value that its option allows', () => {
  for (const key of optionKeys) {
    const { default: value, kind } = optionOf(key);
    if (value !== undefined) assert.ok(kind.type.safeParse(value).success, key);
  }
});

test('numbers may be text, as in the original, and what follows the digits is cut off with a note', () => {
  const rows: [unknown, number, string[]][] = [
    [7, 7, []],
    ['7', 7, []],
    [' 7 ', 7, []],
    ['+7', 7, []],
    ['12abc', 12, ['worker_cnt is "12abc" and taken as 12']],
    ['1.9', 1, ['worker_cnt is "1.9" and taken as 1']],
    [1.9, 1, ['worker_cnt is 1.9 and taken as 1']],
    ['1e3', 1, ['worker_cnt is "1e3" and taken as 1']],
  ];
  for (const [raw, value, expected] of rows) {
    const { config, notes } = parse({ worker_cnt: raw });
    assert.equal(config.worker_cnt, value, String(raw));
    assert.deepEqual(notes, expected);
  }
});

test('a value that is refused is named with its key, what it is and what is allowed', () => {
  const workers = 'allowed: whole numbers from 1 to 512';
  const rows: [string, unknown, string][] = [
    ['worker_cnt', 'abc', `worker_cnt is "abc"; ${workers}`],
    ['worker_cnt', '', `worker_cnt is ""; ${workers}`],
    ['worker_cnt', 0, `worker_cnt is 0; ${workers}`],
    ['worker_cnt', 513, `worker_cnt is 513; ${workers}`],
    ['worker_cnt', -1, `worker_cnt is -1; ${workers}`],
    ['worker_cnt', true, `worker_cnt is true; ${workers}`],
    ['worker_cnt', [], `worker_cnt is a list; ${workers}`],
    ['worker_cnt', {}, `worker_cnt is an object; ${workers}`],
    ['worker_cnt', '99999999999999999999', `worker_cnt is "99999999999999999999"; ${workers}`],
    ['gate_port', 65536, 'gate_port is 65536; allowed: ports from 1 to 65535, or 0 (any free one)'],
    ['gate_port', '-1', 'gate_port is "-1"; allowed: ports from 1 to 65535, or 0 (any free one)'],
    [
      'gate_host',
      '127.0.0.1:3355',
      'gate_host is "127.0.0.1:3355"; allowed: a host name or address without port, or "" (no clients are served)',
    ],
    ['gate_host', 'http://x', 'gate_host is "http://x"; allowed: a host name or address without port, or "" (no clients are served)'],
    ['admin_host', '', 'admin_host is ""; allowed: a host name or address without port'],
    ['node_type', '', 'node_type is ""; allowed: 1 to 100 characters without "/" and control characters'],
    ['node_type', 'a/b', 'node_type is "a/b"; allowed: 1 to 100 characters without "/" and control characters'],
    ['node_type', null, 'node_type is missing; it takes 1 to 100 characters without "/" and control characters'],
    ['is_reuseport', 'maybe', 'is_reuseport is "maybe"; allowed: true or false'],
    ['modules', 5, 'modules is 5; allowed: a list of texts (at most 100)'],
    ['modules', [5], 'modules is a list; allowed: a list of texts (at most 100)'],
    ['modules', '[broken', 'modules is "[broken"; allowed: a list of texts (at most 100)'],
    ['max_frame', 63, 'max_frame is 63; allowed: bytes from 64 to 1073741824 (1GiB), or a text like 8MiB'],
    ['max_frame', '8MB', 'max_frame is "8MB"; allowed: bytes from 64 to 1073741824 (1GiB), or a text like 8MiB'],
    ['drain_ms', '10x', 'drain_ms is "10x"; allowed: milliseconds from 0 to 86400000 (24h), or a text like 30s'],
    ['redis', 'x', 'redis is a text that is not a JSON object; allowed: an object with one entry for each NODE (at most 100)'],
    ['log_path', 'x'.repeat(2000), `log_path is "${'x'.repeat(56)}...; allowed: a file`],
  ];
  for (const [key, raw, message] of rows) assert.deepEqual(messagesOf({ [key]: raw }), [message], key);
});

test('all limits refuse what is one beyond them and take what stands at them', () => {
  for (const key of optionKeys) {
    const { allowed, type } = optionOf(key).kind;
    const [, low, high] = /from (\d+)(?: \(off\))? to (\d+)/.exec(allowed) ?? [];
    if (low === undefined || high === undefined) continue;
    for (const value of [Number(low), Number(high)]) assert.ok(type.safeParse(value).success, `${key} ${value}`);
    for (const value of [Number(low) - 1, Number(high) + 1]) {
      const isFreePort = allowed.includes('0 (any free one)') && value === 0;
      assert.equal(type.safeParse(value).success, isFreePort, `${key} ${value}`);
    }
  }
});

test('keep_alive is seconds below 1000 and milliseconds above, and says so', () => {
  const seconds = (value: number | string, ms: string) =>
    `keep_alive ${value} is taken as ${value} seconds; numbers from 1000 up are milliseconds, and a text like "${ms}" is always clear`;
  const rows: [unknown, number, string[]][] = [
    [30_000, 30_000, []],
    ['30000', 30_000, []],
    [30, 30_000, [seconds(30, '30s')]],
    ['30', 30_000, [seconds(30, '30s')]],
    [0.5, 500, [seconds(0.5, '500ms')]],
    ['15.5', 15_500, [seconds(15.5, '15500ms')]],
    [999, 999_000, [seconds(999, '999s')]],
    [1000, 1000, ['keep_alive 1000 is taken as 1000 milliseconds; if seconds are meant, write "1000s"']],
    [3600, 3600, ['keep_alive 3600 is taken as 3600 milliseconds; if seconds are meant, write "3600s"']],
    [0, 15_000, ['keep_alive 0 is taken as the default, 15s']],
    [-1, 15_000, ['keep_alive -1 is taken as the default, 15s']],
    ['500ms', 500, []],
    ['3600s', 3_600_000, []],
    ['30abc', 30_000, ['keep_alive is "30abc" and taken as 30', seconds(30, '30s')]],
  ];
  for (const [raw, ms, expected] of rows) {
    const { config, notes } = parse({ keep_alive: raw });
    assert.equal(config.keep_alive, ms, String(raw));
    assert.deepEqual(notes, expected);
  }
  assert.match(messagesOf({ keep_alive: 'long' })[0] ?? '', /^keep_alive is "long"; allowed: seconds \(below 1000\) or milliseconds/);
  assert.match(messagesOf({ keep_alive: 1e12 })[0] ?? '', /^keep_alive is 1000000000000; allowed:/);
});

test('log levels are known by their historic names, in any case', () => {
  const rows = {
    trace: 'trace',
    DEBUG: 'debug',
    info: 'info',
    notice: 'info',
    warn: 'warn',
    warning: 'warn',
    err: 'error',
    Error: 'error',
    crit: 'fatal',
    alert: 'fatal',
    emerg: 'fatal',
    fatal: 'fatal',
  };
  for (const [name, level] of Object.entries(rows)) assert.equal(parse({ log_level: name }).config.log_level, level, name);
  const typed: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' = parse().config.log_level;
  assert.equal(typed, 'info');
  assert.match(messagesOf({ log_level: 'loud' })[0] ?? '', /^log_level is "loud"; allowed: trace, debug, info, warn, error, fatal \(and/);
  assert.match(messagesOf({ log_level: 'constructor' })[0] ?? '', /^log_level is "constructor"/);
});

test('the codec is protobuf in any case; the two that never worked are refused with a sentence', () => {
  assert.equal(parse({ gate_codec: 'Protobuf' }).config.gate_codec, 'protobuf');
  for (const codec of ['http', 'PRIVATE']) {
    assert.deepEqual(messagesOf({ gate_codec: codec }), [
      `gate_codec is "${codec}", a codec that the original names and that this version does not have; codecs: protobuf`,
    ]);
  }
  assert.deepEqual(messagesOf({ gate_codec: 'smtp' }), ['gate_codec is "smtp"; allowed: protobuf']);
});

test('times and sizes may carry their unit', () => {
  const { config } = parse({ drain_ms: '1m', max_frame: '64KiB', frame_ms: '500', outgoing_burst: '64Mi' });
  assert.deepEqual([config.drain_ms, config.max_frame, config.frame_ms, config.outgoing_burst], [60_000, 65_536, 500, 67_108_864]);
});

test('the admin port follows the gate port, else the node port, and may be any free one or none', () => {
  const nodeOnly = { gate_host: '', gate_port: undefined, node_host: '::1', node_port: 4344 };
  const rows: [Record<string, unknown>, number | null][] = [
    [{}, 9355],
    [nodeOnly, 10_344],
    [{ gate_port: 0 }, 0],
    [{ gate_port: 60_000 }, 0],
    [{ admin_port: 1234 }, 1234],
    [{ admin_port: '1234' }, 1234],
    [{ admin_port: 0 }, 0],
    [{ admin_port: false }, null],
    [{ admin_port: 'false' }, null],
    [{ admin_port: null }, null],
  ];
  for (const [more, port] of rows) assert.equal(parse(more).config.admin_port, port, JSON.stringify(more));
  assert.deepEqual(parse({ gate_port: 60_000 }).notes, [
    'admin_port is any free port, because the default would be above 65535; set it to choose one',
  ]);
});

test('lists and switches may be text, as the environment holds them', () => {
  const rows: [unknown, readonly string[]][] = [
    ['test,echo', ['test', 'echo']],
    [' test , echo, ', ['test', 'echo']],
    ['["a,b"]', ['a,b']],
    ['', []],
    [['test'], ['test']],
  ];
  for (const [raw, modules] of rows) assert.deepEqual(parse({ modules: raw }).config.modules, modules);
  for (const raw of [true, 'true', 'YES', 'on', 1, '1']) assert.equal(parse({ is_reuseport: raw }).config.is_reuseport, true, String(raw));
  for (const raw of [false, 'false', 'no', 'off', 0, '0'])
    assert.equal(parse({ is_reuseport: raw }).config.is_reuseport, false, String(raw));
});

test('null and an empty server name are the same as nothing', () => {
  const { config } = parse({ worker_cnt: null, server_name: '', redis: null, zookeeper: null });
  assert.deepEqual([config.worker_cnt, config.server_name, config.redis], [1, 'kim', {}]);
});

test('unknown keys are reported with the nearest known one, also inside groups', () => {
  const { unknown } = parse({
    worker_cont: 3,
    maxFrame: 3,
    colour: 'red',
    $schema: 'x',
    redis: { a: { host: 'h', prot: 1 } },
    zookeeper: { severs: 'x' },
  });
  assert.deepEqual(unknown, [
    { key: 'worker_cont', nearest: 'worker_cnt' },
    { key: 'maxFrame', nearest: 'max_frame' },
    { key: 'colour' },
    { key: 'redis.a.prot', nearest: 'redis.a.port' },
    { key: 'zookeeper.severs', nearest: 'zookeeper.servers' },
  ]);
  assert.deepEqual(unknown.map(unknownSentence).slice(1, 3), [
    'unknown key "maxFrame"; did you mean "max_frame"',
    'unknown key "colour"; "kim config docs" lists all keys',
  ]);
});

test('all problems are told at once, in one message', () => {
  const error = refused(() => parse({ worker_cnt: 0, gate_codec: 'http', redis: { a: { port: 'x' } }, node_type: undefined }));
  assert.deepEqual(
    error.problems.map(({ path }) => path),
    ['node_type', 'worker_cnt', 'gate_codec', 'redis.a.host', 'redis.a.port'],
  );
  assert.match(error.message, /^test\.json has 5 problems\n {2}node_type is missing; .*\n {2}worker_cnt is 0; /);
});

test('a single problem is one line', () => {
  assert.equal(refused(() => parse({ worker_cnt: 0 })).message, 'test.json: worker_cnt is 0; allowed: whole numbers from 1 to 512');
});

test('what is not an object, or is a KimCluster, is refused with a sentence', () => {
  const rows: [unknown, RegExp][] = [
    [[], /a configuration is a JSON object, this is a list/],
    ['x', /this is "x"/],
    [null, /this is null/],
    [{ kind: 'KimCluster' }, /this is a KimCluster; run it with "kim up"/],
  ];
  for (const [raw, reason] of rows) assert.match(problemsOf(() => parseNodeConfig(raw, 'x'))[0]?.message ?? '', reason);
});

test('keys that objects inherit are nothing special', () => {
  const raw = JSON.parse('{"__proto__": {"worker_cnt": 9}, "constructor": 1, "redis": {"__proto__": {"host": "h"}}}') as object;
  const { config, unknown } = parseNodeConfig(Object.assign(Object.create(null), minimal, { redis: {} }, { constructor: 1 }), 'x');
  assert.deepEqual([config.worker_cnt, unknown], [1, [{ key: 'constructor' }]]);
  const inherited = parseNodeConfig({ ...raw, ...minimal }, 'x');
  assert.equal(inherited.config.worker_cnt, 1);
  assert.deepEqual(Object.keys(inherited.config.redis), ['__proto__']);
});

test('values in the program’s own units are completed and not read again', () => {
  const config = withDefaults({ node_type: 'logic', keep_alive: 500, node_host: 'h', node_port: 4344, worker_cnt: undefined });
  assert.deepEqual([config.keep_alive, config.admin_port, config.worker_cnt], [500, 10_344, 1]);
});
