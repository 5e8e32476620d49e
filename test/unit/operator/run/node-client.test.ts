// What the operator believes of a pod that answers on its admin port, and what it tells one: the pod may run anything, and belong to anybody.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { NodeClient, NodeRefusal, type NodeAddress } from '../../../../src/operator/run/node-client.ts';
import { exampleStatus } from '../../../../src/ops/admin-docs.ts';
import { tokenProblem } from '../../../../src/ops/admin-token.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const NOW = 1_800_000_000_000;
const CONFIG = { worker_cnt: 2, max_clients: 100 };
type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A pod that answers whatever it is asked with this. */
async function pod(t: TestContext, answer: Answer): Promise<{ node: NodeAddress; client: NodeClient }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { node: { name: exampleStatus.name, host: '127.0.0.1', port }, client: new NodeClient(privateKey, () => NOW) };
}

const json =
  (status: unknown, config: unknown = CONFIG): Answer =>
  ({ url }, response) =>
    void response.end(JSON.stringify(url === '/config' ? config : status));

test('a node is seen with its clients apart from its links, its failures and what became of those that left', async (t) => {
  const totals = {
    ...exampleStatus.totals,
    connections: 12,
    accepted: 40,
    closed: { drain: 9, reset: 2, worker: 1, peer: 5 },
    limits: { drain_ms: 3 },
    commands: { 1001: { codes: { 0: 90, 18: 7, 2: 3 }, buckets: [], sumSeconds: 1 } },
    routes: {},
    cluster: {
      ...exampleStatus.totals.cluster,
      links: { ...exampleStatus.totals.cluster.links, incoming: 4 },
      greetings: { ...exampleStatus.totals.cluster.greetings, asked: 20 },
    },
  };
  const cluster = { ...exampleStatus.cluster, directories: [{ name: 'zookeeper', state: 'down', detail: 'no route' }] };
  // two serve, and one of them has a predecessor that leaves; a third leaves for good
  const leaving = [1, 3].map((index) => ({ ...exampleStatus.workers[0], index, state: 'leaving' }));
  const workers = [...exampleStatus.workers, ...leaving];
  const { node, client } = await pod(t, json({ ...exampleStatus, totals, cluster, workers }));
  assert.deepEqual(await client.look(node), {
    state: 'serving',
    connections: 12,
    links: 4,
    workers: 2,
    version: '0.1.0',
    config: CONFIG,
    configDigest: exampleStatus.configDigest,
    replies: 100,
    failures: 7,
    accepted: 40,
    broken: 3,
    left: { moved: 17, closed: 6, forced: 3 },
    lostDirectories: ['zookeeper'],
  });
});

test('its options are asked for again when it says that they are others, and each time from a node that does not say it', async (t) => {
  let status: object = exampleStatus;
  let config: object = CONFIG;
  const asked: string[] = [];
  const { node, client } = await pod(t, (request, response) => {
    asked.push(request.url!);
    json(status, config)(request, response);
  });
  const askedFor = () => asked.splice(0).join(' ');
  const first = await client.look(node);
  assert.deepEqual([first?.config, askedFor()], [CONFIG, '/status /config']);
  const second = await client.look(node, { before: first });
  assert.deepEqual([second, askedFor()], [first, '/status']);

  config = { worker_cnt: 3 };
  status = { ...exampleStatus, configDigest: 'other' };
  const third = await client.look(node, { before: second });
  assert.deepEqual([third?.config, askedFor()], [config, '/status /config']);

  const { configDigest: _, ...silent } = exampleStatus;
  status = silent;
  for (const before of [third, await client.look(node)]) {
    askedFor();
    const seen = await client.look(node, { before });
    assert.deepEqual([seen?.config, askedFor()], [config, '/status /config']);
  }
});

test('another node at the address of a pod is not taken for it', async (t) => {
  const { node, client } = await pod(t, json({ ...exampleStatus, name: 'somebody-else' }));
  assert.equal(await client.look(node), undefined);
});

const deep = JSON.parse(`${'[1,'.repeat(1000)}1${']'.repeat(1000)}`) as unknown;
const { totals } = exampleStatus;
const nonsense: Readonly<Record<string, Answer>> = {
  'no JSON': (_, response) => void response.end('<html>'),
  'nothing of a status': json({}),
  'a status that is a list': json([exampleStatus]),
  'counts that are texts': json({ ...exampleStatus, totals: { ...totals, connections: 'many' } }),
  'counts below zero': json({ ...exampleStatus, totals: { ...totals, connections: -5 } }),
  'counts that are no whole numbers': json({ ...exampleStatus, totals: { ...totals, accepted: 0.5 } }),
  'a state that there is not': json({ ...exampleStatus, state: 'happy' }),
  'a version as long as a book': json({ ...exampleStatus, version: 'x'.repeat(100_000) }),
  'options that are no object': json(exampleStatus, null),
  'options that are a text': json(exampleStatus, 'worker_cnt'),
  'options without a bottom': json(exampleStatus, { max_clients: deep }),
  'more bytes of options than there are': json(exampleStatus, { a: 'x'.repeat(300 << 10) }),
  'bytes without an end': (_, response) => {
    const more = () => response.write('x'.repeat(1 << 16), () => setImmediate(more));
    more();
  },
  'a way elsewhere': ({ url }, response) => {
    if (url === '/elsewhere') response.end(JSON.stringify({ ...CONFIG, ...exampleStatus }));
    else response.writeHead(302, { location: '/elsewhere' }).end();
  },
  'an error': (_, response) => void response.writeHead(500).end(JSON.stringify(exampleStatus)),
};

for (const [what, answer] of Object.entries(nonsense)) {
  test(`a pod that answers ${what} does not answer`, async (t) => {
    const { node, client } = await pod(t, answer);
    assert.equal(await client.look(node), undefined);
  });
}

test('a pod that says nothing is given up when the caller does', async (t) => {
  const asked = Promise.withResolvers<void>();
  const { node, client } = await pod(t, () => asked.resolve());
  const over = new AbortController();
  const look = client.look(node, { signal: over.signal });
  await asked.promise;
  over.abort();
  assert.equal(await look, undefined);
});

test('what a pod is told is signed for it alone: its name, its address, the route and the body', async (t) => {
  const seen: { path: string; token: string; body: string }[] = [];
  const { node, client } = await pod(t, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ path: request.url!, token: request.headers.authorization!.replace('Bearer ', ''), body });
      response.end('{}');
    });
  });
  await client.tell(node, '/workers', { count: 4, generation: 7 });
  const [{ path, token, body }] = seen as [(typeof seen)[0]];
  assert.deepEqual([path, body], ['/workers', '{"count":4,"generation":7}']);
  const purpose = { node: node.name, host: '127.0.0.1', path, body };
  assert.equal(tokenProblem(publicKey, token, purpose, NOW / 1000), undefined);
  assert.match(tokenProblem(publicKey, token, { ...purpose, host: '10.0.0.9' }, NOW / 1000) ?? '', /for the node at 127\.0\.0\.1/);
});

test('a refusal says what the node said, and no more than a sentence of it', async (t) => {
  const { node, client } = await pod(t, (_, response) => void response.writeHead(409).end(JSON.stringify({ error: 'x'.repeat(5000) })));
  const error = await client.tell(node, '/drain', {}).then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof NodeRefusal);
  assert.equal(error.status, 409);
  assert.ok(error.message.length < 600, `${error.message.length}`);
});
