// Reading a KimCluster: what it may hold, and what is said, with lines, about everything else.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { clusterJsonSchema, clusterOf, kimClusterSchema, parseCluster } from '../../../src/config/cluster.ts';
import { cluster, clusterProblems, FIRST_LINE, problemsOf } from './support.ts';

/** What only Kubernetes makes something of, and has defaults. */
const tier = {
  update: { maxSurge: 1, maxUnavailable: 0, minReadySeconds: 0, progressDeadlineSeconds: 600, paused: false, pauseOnTrouble: true },
  disruptionBudget: { enabled: true, maxUnavailable: 1 },
};
const service = { type: 'ClusterIP' };
const around = { networkPolicy: { enabled: true }, monitoring: { enabled: true }, deletionPolicy: 'Delete' };

const gate = '  gate:\n    listeners: [{ port: 3355 }]\n';
const after = FIRST_LINE + 2;

test('the quickstart is a cluster that is worth no note', () => {
  const text = readFileSync(new URL('../../../manifests/quickstart.yaml', import.meta.url), 'utf8');
  const { cluster: parsed, notes } = parseCluster(text, 'quickstart.yaml');
  assert.deepEqual(notes, []);
  assert.equal(parsed.metadata.name, 'demo');
  assert.deepEqual(parsed.spec, {
    gate: {
      replicas: 1,
      workers: 2,
      listeners: [{ name: 'client', host: '127.0.0.1', port: 3355, codec: 'protobuf' }],
      nodePort: 3344,
      modules: [],
      routes: [{ first: 1000, last: 0xffffffff, to: 'logic', key: { from: 'session' }, timeoutMs: 3000, retry: 'ifNotSent', rate: 0 }],
      admin: { port: 9355 },
      drain: { seconds: 10 },
      ...tier,
      service,
    },
    logic: {
      replicas: 2,
      workers: 1,
      nodePort: 4344,
      modules: ['test', 'echo'],
      admin: { port: 9455 },
      drain: { seconds: 10 },
      ...tier,
    },
    ...around,
  });
});

test('the least cluster gets its defaults', () => {
  const { cluster: parsed, notes } = cluster(`${gate}  logic: {}\n`);
  assert.deepEqual(parsed.spec, {
    gate: { replicas: 1, workers: 1, modules: [], ...tier, listeners: [{ name: 'client', port: 3355, codec: 'protobuf' }], service },
    logic: { replicas: 1, workers: 1, modules: [], ...tier },
    ...around,
  });
  assert.deepEqual(notes, []);
});

test('durations and sizes become numbers, levels and codecs their names', () => {
  const { spec } = cluster(
    '  gate:\n    listeners: [{ port: 3355, codec: ProtoBuf }]\n    keepAlive: 5m\n    logLevel: WARNING\n    admin: { port: none }\n    limits: { maxFrame: 1MiB, frameMs: 2s, maxClients: 7, requestRate: 0 }\n',
  ).cluster;
  assert.deepEqual([spec.gate.keepAlive, spec.gate.logLevel, spec.gate.admin?.port], [300_000, 'warn', null]);
  assert.deepEqual(spec.gate.limits, { maxFrame: 1_048_576, frameMs: 2000, maxClients: 7, requestRate: 0 });
  assert.equal(spec.gate.listeners[0]?.codec, 'protobuf');
});

test('a plain number for keepAlive is milliseconds: nothing is guessed here', () => {
  assert.equal(cluster(`${gate}    keepAlive: 500\n`).cluster.spec.gate.keepAlive, 500);
});

test('a key with nothing after it is the same as no key', () => {
  const { spec } = cluster(`${gate}    limits:\n    #  maxFrame: 1MiB\n    drain:\n      seconds:\n  logic:\n`).cluster;
  assert.deepEqual([spec.gate.limits, spec.gate.drain, spec.logic], [undefined, {}, undefined]);
});

test('values outside their limits are refused with their line', () => {
  const rows: [string, string][] = [
    ['workers: 600', 'spec.gate.workers is 600; allowed: whole numbers from 1 to 512'],
    ['workers: "2"', 'spec.gate.workers is "2"; allowed: whole numbers from 1 to 512'],
    ['replicas: 101', 'spec.gate.replicas is 101; allowed: whole numbers from 0 to 100'],
    ['replicas: 1.5', 'spec.gate.replicas is 1.5; allowed: whole numbers from 0 to 100'],
    ['nodePort: 70000', 'spec.gate.nodePort is 70000; allowed: ports from 1 to 65535, or 0 (any free one)'],
    ['keepAlive: 30x', 'spec.gate.keepAlive is "30x"; allowed: milliseconds from 1 to 2073600000 (576h), or a text like 30s'],
    ['keepAlive: 0', 'spec.gate.keepAlive is 0; allowed: milliseconds from 1 to 2073600000 (576h), or a text like 30s'],
    ['keepAlive: 1000h', 'spec.gate.keepAlive is "1000h"; allowed: milliseconds from 1 to 2073600000 (576h), or a text like 30s'],
    ['logLevel: loud', /^spec\.gate\.logLevel is "loud"; allowed: trace, debug/.source],
    ['modules: test', 'spec.gate.modules is "test"; allowed: a list of texts (at most 100)'],
    ['modules: [1]', 'spec.gate.modules[0] is 1; allowed: a list of texts (at most 100)'],
    ['drain: 10', 'spec.gate.drain is 10; allowed: an object with seconds'],
    ['drain: { seconds: -1 }', 'spec.gate.drain.seconds is -1; allowed: seconds from 0 to 86400'],
    ['admin: { port: true }', 'spec.gate.admin.port is true; allowed: ports from 1 to 65535, or 0 (any free one), or "none"'],
    ['limits: { maxFrame: 3 }', 'spec.gate.limits.maxFrame is 3; allowed: bytes from 64 to 1073741824 (1GiB), or a text like 8MiB'],
    [
      'service: 3',
      'spec.gate.service is 3; allowed: an object with type, annotations, labels, externalTrafficPolicy, internalTrafficPolicy, loadBalancerClass, loadBalancerSourceRanges, nodePort',
    ],
  ];
  for (const [text, message] of rows) {
    const [problem = '', ...others] = clusterProblems(`${gate}    ${text}\n`);
    assert.deepEqual(others, []);
    if (message.startsWith('^')) assert.match(problem.replace(/^\d+: /, ''), new RegExp(message));
    else assert.equal(problem, `${after}: ${message}`);
  }
});

test('a gate has exactly one listener', () => {
  const one = 'a list with exactly one listener, as [{ name: client, port: 3355, codec: protobuf }]';
  assert.deepEqual(clusterProblems('  gate: {}\n'), [`${FIRST_LINE}: spec.gate.listeners is missing; it takes ${one}`]);
  assert.deepEqual(clusterProblems('  gate: { listeners: [] }\n'), [`${FIRST_LINE}: spec.gate.listeners is a list; allowed: ${one}`]);
  assert.deepEqual(clusterProblems('  gate: { listeners: [{ port: 1 }, { port: 2 }] }\n'), [
    `${FIRST_LINE}: spec.gate.listeners is a list; allowed: ${one}`,
  ]);
  assert.deepEqual(clusterProblems('  gate:\n    listeners:\n      - name: client\n        codec: http\n        host: ""\n'), [
    `${FIRST_LINE + 2}: spec.gate.listeners[0].port is missing; it takes ports from 1 to 65535, or 0 (any free one)`,
    `${FIRST_LINE + 3}: spec.gate.listeners[0].codec is "http"; allowed: protobuf`,
    `${FIRST_LINE + 4}: spec.gate.listeners[0].host is ""; allowed: a host name or address without port`,
  ]);
});

test('unknown keys are refused with their line and the nearest known key', () => {
  const rows: [string, string][] = [
    ['    wrokers: 2\n', `${after}: unknown key "wrokers" in spec.gate; did you mean "workers"`],
    ['    log_level: info\n', `${after}: unknown key "log_level" in spec.gate; did you mean "logLevel"`],
    ['    limits:\n      maxFrme: 1\n', `${after + 1}: unknown key "maxFrme" in spec.gate.limits; did you mean "maxFrame"`],
    ['    admin: { prot: 1 }\n', `${after}: unknown key "prot" in spec.gate.admin; did you mean "port"`],
    ['    drain: { colour: 1 }\n', `${after}: unknown key "colour" in spec.gate.drain; known here: seconds`],
    ['  gates: {}\n', `${after}: unknown key "gates" in spec; did you mean "gate"`],
    ['specs: {}\n', `${after}: unknown key "specs"; did you mean "spec"`],
  ];
  for (const [text, problem] of rows) assert.deepEqual(clusterProblems(gate + text), [problem]);
  assert.deepEqual(clusterProblems('  gate:\n    listeners:\n      - port: 1\n        prot: 2\n'), [
    `${FIRST_LINE + 3}: unknown key "prot" in spec.gate.listeners[0]; did you mean "port"`,
  ]);
});

test('keys of the other tier are refused with that sentence', () => {
  assert.deepEqual(clusterProblems(`${gate}  routes: []\n  logic: { routes: [], listeners: [], service: {} }\n`), [
    `${after}: spec.routes: routes stand in spec.gate`,
    `${after + 1}: spec.logic.routes: only gates have routes; logic nodes answer with their modules`,
    `${after + 1}: spec.logic.listeners: only gates have listeners; logic nodes are reached on their nodePort`,
    `${after + 1}: spec.logic.service: only gates have a service; logic nodes are reached by gates alone`,
  ]);
});

test('apiVersion, kind and name are judged', () => {
  const text = 'apiVersion: v1\nkind: Pod\nmetadata: { name: My_App }\n';
  assert.deepEqual(
    problemsOf(() => parseCluster(text, 'x.yaml')).map(({ line, message }) => `${line}: ${message}`),
    [
      '1: apiVersion is "v1"; allowed: kimserver.io/v1alpha1',
      '1: spec is missing; it takes an object with image, imagePullPolicy, imagePullSecrets, modules, gate, logic, discovery, stores, networkPolicy, monitoring, deletionPolicy',
      '2: kind is "Pod"; allowed: KimCluster',
      '3: metadata.name is "My_App"; allowed: small letters, digits and "-", at most 40, with a letter first and a letter or digit last',
    ],
  );
  for (const name of ['-a', 'a-', 'a.b', '1a', 'a'.repeat(41), '']) {
    const result = kimClusterSchema.safeParse({
      apiVersion: 'kimserver.io/v1alpha1',
      kind: 'KimCluster',
      metadata: { name },
      spec: { gate: { listeners: [{ port: 1 }] } },
    });
    assert.equal(result.success, false, name);
  }
});

test('what Kubernetes adds to a resource does not disturb', () => {
  const text = readFileSync(new URL('../../../manifests/quickstart.yaml', import.meta.url), 'utf8')
    .replace('metadata:', 'metadata:\n  uid: x\n  labels: { a: b }')
    .concat('status: { ready: 1 }\n');
  assert.deepEqual(parseCluster(text, 'x').notes, []);
});

test('what has no meaning on one machine is noted', () => {
  const { notes } = cluster(
    `  image: a\n  modules: { image: b, folder: c }\n${gate}    service: { type: ClusterIP }\n    resources: { limits: { cpu: 1 } }\n    template: { affinity: { x: null } }\n  logic: { template: {} }\n  stores: { redis: { secretRef: { name: a } } }\n`,
  );
  assert.deepEqual(
    notes.map((note) => note.split(' ')[0]),
    [
      'spec.image',
      'spec.modules.image',
      'spec.stores',
      'spec.logic.template',
      'spec.gate.service',
      'spec.gate.resources',
      'spec.gate.template',
    ],
  );
  assert.equal(notes[0], 'spec.image has no meaning on one machine and is ignored');
});

test('in Kubernetes replicas have addresses of their own, and other things have no meaning', () => {
  const text = `apiVersion: kimserver.io/v1alpha1\nkind: KimCluster\nmetadata: { name: demo }\nspec:\n  modules: { folder: c }\n  gate: { replicas: 12, nodeHost: 10.0.0.1, listeners: [{ port: 3355 }] }\n`;
  assert.match(problemsOf(() => parseCluster(text.replace('nodeHost: 10.0.0.1, ', ''), 'x'))[0]?.message ?? '', /begin further apart/);
  assert.deepEqual(parseCluster(text, 'x', 'kubernetes').notes, [
    'spec.modules.folder has no meaning in Kubernetes and is ignored',
    'spec.gate.nodeHost has no meaning in Kubernetes and is ignored',
  ]);
});

test('an object of the API server is read as the file that it was made from', () => {
  const spec = { gate: { listeners: [{ port: 3355 }], keepAlive: '5m', template: null } };
  const object = { apiVersion: 'kimserver.io/v1alpha1', kind: 'KimCluster', metadata: { name: 'demo', generation: 3, uid: 'x' }, spec };
  const { cluster: read } = clusterOf(object, 'default/demo');
  assert.deepEqual([read.metadata, read.spec.gate.keepAlive], [{ name: 'demo', generation: 3, uid: 'x' }, 300_000]);
  const wrong = { ...object, spec: { gate: { ...spec.gate, workers: 0, wrokers: 1 } } };
  assert.deepEqual(
    problemsOf(() => clusterOf(wrong, 'default/demo')).map(({ message }) => message),
    ['spec.gate.workers is 0; allowed: whole numbers from 1 to 512', 'unknown key "wrokers" in spec.gate; did you mean "workers"'],
  );
});

test('text that is not YAML is refused with line and column', () => {
  const rows: [string, number | undefined, RegExp][] = [
    ['a: [1\nb: 2\n', 2, /^not usable YAML at line \d, column \d+: /],
    ['a: 1\n\tb: 2\n', 2, /^not usable YAML at line 2, column \d+: /],
    ['a: 1\na: 2\n', 2, /map keys must be unique/],
    ['a: 1\n---\na: 2\n', 2, /this file holds more than one document; one KimCluster is one file/],
    ['', undefined, /^the file is empty; a KimCluster begins with/],
    ['# nothing\n', undefined, /^the file is empty/],
    ['just text', 1, /^this is "just text"; expected a KimCluster/],
    ['- a', 1, /^this is a list; expected a KimCluster/],
    ['{"node_type": "gate"}', undefined, /^this is the configuration of a node; run it with "kim node"/],
  ];
  for (const [text, line, reason] of rows) {
    const [problem] = problemsOf(() => parseCluster(text, 'x.yaml'));
    assert.match(problem?.message ?? '', reason);
    assert.equal(problem?.line, line, text);
  }
});

test('aliases are followed, also by lines, and cannot unfold without end', () => {
  const aliased = `  gate:\n    listeners: [{ port: 3355 }]\n    limits: &limits { maxFrame: 3 }\n  logic:\n    limits: *limits\n`;
  assert.deepEqual(
    clusterProblems(aliased).map((problem) => problem.split(' is ')[0]),
    [`${after}: spec.gate.limits.maxFrame`, `${after}: spec.logic.limits.maxFrame`],
  );
  const bomb = ['a: &a0 [x]', ...Array.from({ length: 9 }, (_, i) => `b${i}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)].join(
    '\n',
  );
  assert.match(problemsOf(() => parseCluster(bomb, 'x'))[0]?.message ?? '', /^not usable YAML: excessive alias count/);
});

test('the rules of a node are told with the names and lines of the cluster', () => {
  assert.deepEqual(clusterProblems(`${gate}    limits:\n      maxFrame: 16MiB\n      outgoingBurst: 1MiB\n`), [
    `${after + 2}: spec.gate.limits.outgoingBurst is 1048576, below spec.gate.limits.maxFrame (16777216): the largest reply would close the client that asked for it; raise spec.gate.limits.outgoingBurst or lower spec.gate.limits.maxFrame`,
  ]);
  assert.deepEqual(clusterProblems(`${gate}    nodePort: 3355\n`), [
    `${FIRST_LINE + 1}: spec.gate.listeners[0].port and spec.gate.nodePort are both 3355 on 127.0.0.1; each needs a port of its own`,
  ]);
  assert.deepEqual(clusterProblems(`${gate}    nodePort: 3355\n    nodeHost: 10.0.0.1\n`), [
    `${after}: spec.gate.listeners[0].port and spec.gate.nodePort are both 3355; each needs a port of its own`,
  ]);
  assert.match(clusterProblems(`${gate}  logic: { nodeHost: "" }\n`)[0] ?? '', /neither .* nor spec\.logic\.nodeHost is set/);
  assert.deepEqual(cluster(`${gate}    drain: { seconds: 1 }\n    limits: { requestTimeoutMs: 5s }\n`).notes, [
    'spec.gate.limits.requestTimeoutMs is 5000 ms and drain time 1000 ms: requests that take longer than the drain time are cut when a node leaves',
  ]);
});

test('replicas whose ports would meet are refused', () => {
  assert.deepEqual(clusterProblems(`  gate:\n    replicas: 12\n    listeners: [{ port: 3355 }]\n`), [
    `${FIRST_LINE}: spec.gate.listeners[0].port of replica 0 and spec.gate.nodePort of replica 11 are both 3355; each replica takes the next port, so begin further apart`,
  ]);
  assert.deepEqual(clusterProblems(`${gate}    replicas: 2\n  logic:\n    nodePort: 3356\n    admin: { port: 9500 }\n`), [
    `${FIRST_LINE + 1}: spec.logic.nodePort of replica 0 and spec.gate.listeners[0].port of replica 1 are both 3356; each replica takes the next port, so begin further apart`,
  ]);
  assert.equal(
    cluster(`${gate}    replicas: 2\n  logic:\n    nodePort: 3356\n    nodeHost: 10.0.0.1\n    admin: { port: none }\n`).notes.length,
    0,
  );
  assert.equal(cluster('  gate: { replicas: 100, nodePort: 0, admin: { port: 0 }, listeners: [{ port: 0 }] }\n').notes.length, 0);
});

test('ports above the highest are refused', () => {
  assert.deepEqual(clusterProblems(`${gate}    replicas: 3\n    nodePort: 65534\n`), [
    `${after + 1}: spec.gate.nodePort of replica 2 would be 65536, above 65535; begin lower or run fewer replicas`,
  ]);
});

test('the JSON schema describes what may be written, with every limit', () => {
  const schema = JSON.stringify(clusterJsonSchema());
  for (const word of ['"replicas"', '"maxFrame"', '"requestTimeoutMs"', '"additionalProperties":false', '"const":"KimCluster"']) {
    assert.ok(schema.includes(word), word);
  }
});
