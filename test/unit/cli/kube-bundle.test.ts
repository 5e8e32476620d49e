// What kubectl kim debug lets out of a cluster: nothing secret, wherever it stands, within limits, in a file that tar reads.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { Bundle } from '../../../src/cli/kube/bundle.ts';
import { Redactor } from '../../../src/cli/kube/redact.ts';
import { tarGz } from '../../../src/cli/kube/tar.ts';

const SECRET = 'hunter2-hunter2';
const meta = (more: object = {}) => ({ name: 'demo', namespace: 'shop', ...more });
const owner = { apiVersion: 'kimserver.io/v1alpha1', kind: 'KimCluster', name: 'demo', uid: 'u', controller: true };
const text = (value: unknown): string => JSON.stringify(value);

test('secrets do not leave in an object, wherever somebody put them', () => {
  const hiding: readonly object[] = [
    { kind: 'Secret', metadata: meta(), data: { any: SECRET }, stringData: { other: SECRET } },
    { kind: 'Pod', metadata: meta({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"a":"${SECRET}"}` } }) },
    { kind: 'Pod', metadata: meta({ managedFields: [{ manager: SECRET }] }) },
    { kind: 'Pod', metadata: meta(), spec: { containers: [{ name: 'kimserver', env: [{ name: 'HARMLESS', value: SECRET }] }] } },
    { kind: 'Pod', metadata: meta(), spec: { initContainers: [{ name: 'wait', command: ['sh', '-c', SECRET], args: [SECRET] }] } },
    { kind: 'Pod', metadata: meta(), status: { containerStatuses: [{ name: 'proxy', state: { terminated: { message: SECRET } } }] } },
    { kind: 'Deployment', metadata: meta(), spec: { template: { metadata: { annotations: { mine: SECRET } }, spec: {} } } },
    { kind: 'Deployment', metadata: meta(), spec: { template: { spec: { volumes: [{ csi: { volumeAttributes: { key: SECRET } } }] } } } },
    { kind: 'KimCluster', metadata: meta(), spec: { discovery: { zookeeper: { auth: `me:${SECRET}` } } } },
    {
      kind: 'KimCluster',
      metadata: meta(),
      spec: { gate: { template: { env: [{ name: 'A', value: SECRET }], containers: [{ name: 'x', args: [SECRET] }] } } },
    },
    { kind: 'ConfigMap', metadata: meta({ ownerReferences: [owner] }), data: { KIM_ZOOKEEPER: text({ auth: `me:${SECRET}` }) } },
    {
      kind: 'ConfigMap',
      metadata: meta({ ownerReferences: [owner] }),
      data: { 'node.json': text({ redis: { a: { password: SECRET } } }) },
    },
    { kind: 'ConfigMap', metadata: meta(), data: { anything: SECRET }, binaryData: { b: SECRET } },
  ];
  for (const object of hiding) {
    const shown = text(new Redactor().object({ apiVersion: 'v1', ...object } as Parameters<Redactor['object']>[0]));
    assert.doesNotMatch(shown, new RegExp(SECRET), text(object));
    assert.match(shown, /\*\*\*|"metadata":\{"name":"demo","namespace":"shop"\}/, shown);
  }
});

test('what helps stays: options, where variables come from, our own annotations and containers', () => {
  const redactor = new Redactor();
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta({ annotations: { 'kimserver.io/draining': 'x Requested' } }),
    spec: {
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'kimserver',
          args: ['node', '/etc/kimserver/node.json'],
          env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
        },
      ],
    },
  };
  assert.deepEqual(redactor.object(pod), pod);
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: meta({ ownerReferences: [owner] }),
    data: { 'node.json': '{"worker_cnt":2}' },
  };
  assert.deepEqual(redactor.object(config), config);
});

test('a secret that was met in one place is masked in all texts, and what looks like one is, too', () => {
  const redactor = new Redactor();
  redactor.object({
    apiVersion: 'v1',
    kind: 'KimCluster',
    metadata: meta(),
    spec: { discovery: { zookeeper: { auth: 'me:pa"ss-word' } } },
  } as never);
  const safe = (line: string) => redactor.text(line);
  assert.equal(safe('login with me:pa"ss-word failed'), 'login with *** failed');
  assert.equal(safe('{"said":"pa\\"ss-word"}'), '{"said":"***"}');
  assert.equal(safe(Buffer.from('pa"ss-word').toString('base64')), '***');
  assert.equal(safe('see https://me:secret@example.org/x'), 'see https://***@example.org/x');
  assert.equal(safe('authorization: Bearer abcdefgh.ijkl'), 'authorization: Bearer ***');
  assert.equal(safe('-----BEGIN PRIVATE KEY-----\nMC4\n-----END PRIVATE KEY-----'), '***');
  assert.equal(safe('nothing to hide'), 'nothing to hide');
});

test('what a container of somebody else was started with is masked in messages about it, and names that everybody has are not', () => {
  const redactor = new Redactor();
  const proxy = { name: 'proxy', image: 'proxy:1', args: ['--key=hunter2-hunter2'], imagePullPolicy: 'IfNotPresent' };
  redactor.object({ apiVersion: 'v1', kind: 'Pod', metadata: meta(), spec: { containers: [proxy] } } as never);
  assert.equal(redactor.text('exec: "--key=hunter2-hunter2" not found; IfNotPresent'), 'exec: "***" not found; IfNotPresent');
});

test('of logs the lines of the node stay; what modules and others wrote does not leave', () => {
  const own = text({ level: 'info', time: 't', name: 'demo-gate-1', msg: 'node serves', workers: 2 });
  const module = text({ level: 'info', time: 't', name: 'demo-gate-1', module: 'shop', msg: SECRET, order: SECRET });
  const log = new Redactor().log([own, module, SECRET, `{"any":"${SECRET}"}`, 'kim: cannot read it', '{"cut', ''].join('\n'));
  assert.deepEqual(log.trimEnd().split('\n'), [
    own,
    text({ level: 'info', time: 't', name: 'demo-gate-1', module: 'shop', msg: '(of a module: left out)' }),
    "(2 lines that are not the node's own: left out)",
    'kim: cannot read it',
    "(1 line that is not the node's own: left out)",
  ]);
});

test('a bundle goes on when a file can not be had, names it, and stops at its limits', async () => {
  const said: string[] = [];
  let now = 0;
  const redactor = new Redactor();
  const bundle = new Bundle({ redactor, say: (line) => void said.push(line), deadline: 10, now: () => now });
  assert.equal(
    await bundle.add(
      'a.txt',
      () => Promise.resolve('1'),
      (one) => one,
    ),
    '1',
  );
  assert.equal(await bundle.add('b.txt', () => Promise.reject(new Error('forbidden')), String), undefined);
  bundle.put('long.txt', 'x'.repeat(3 << 20));
  now = 10;
  await bundle.add('late.txt', () => Promise.resolve(''), String);
  const { files, missing } = bundle.list;
  assert.deepEqual(missing, ['b.txt: forbidden', 'late.txt: there was no time left']);
  assert.deepEqual(files[0], ['a.txt', 1]);
  assert.ok(files[1]![1] < (2 << 20) + 100);
  assert.deepEqual(said, ['a.txt (0 files, 0 B)', 'b.txt (1 files, 1 B)']);
});

test('tar reads what was written, long names too', () => {
  const long = `kim-debug/pods/${'p'.repeat(63)}/admin/${'m'.repeat(40)}.txt`;
  const files = [
    { name: 'kim-debug/a.txt', content: Buffer.from('one') },
    { name: long, content: Buffer.from('x'.repeat(1500)) },
    { name: 'kim-debug/empty', content: Buffer.alloc(0) },
  ];
  const archive = tarGz(files, Date.UTC(2026, 0, 1));
  const list = execFileSync('tar', ['-tzvf', '-'], { input: archive, encoding: 'utf8' }).trim().split('\n');
  assert.deepEqual(
    list.map((line) => line.split(/\s+/).toSpliced(3, 2)).map(([mode, , size, name]) => [mode, size, name]),
    files.map(({ name, content }) => ['-rw-------', String(content.length), name]),
  );
  assert.equal(execFileSync('tar', ['-xzOf', '-', 'kim-debug/a.txt'], { input: archive, encoding: 'utf8' }), 'one');
  assert.throws(() => tarGz([{ name: 'y'.repeat(300), content: Buffer.alloc(0) }], 0), /too long for tar/);
});
