// The admin server over real HTTP: every route, every error and every rule about who may ask.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { adminExamples, exampleStatus } from '../../../src/ops/admin-docs.ts';
import { AdminError } from '../../../src/ops/admin-guard.ts';
import { adminRoutes, type AdminSource } from '../../../src/ops/admin-routes.ts';
import { connectionsSchema, errorSchema, nodeStatusSchema, readinessSchema } from '../../../src/ops/admin-schema.ts';
import { startAdmin, type Admin, type AdminOptions } from '../../../src/ops/admin.ts';
import { createLogger, silentLogger } from '../../../src/ops/log.ts';

/** A node that remembers what it was asked to do. */
function fakeSource(changes: Partial<AdminSource> = {}): AdminSource & { asked: unknown[] } {
  const asked: unknown[] = [];
  return {
    asked,
    limits: ['max_frame'],
    readiness: () => ({ ready: true, state: 'serving', reasons: [], details: [] }),
    members: async () => ({ version: 3, members: [] }),
    links: async () => [],
    routes: async () => [],
    session: async (user) => {
      asked.push(['session', user]);
      return user === 'nobody' ? undefined : { user, node: '127.0.0.1:3350.1', isHere: false };
    },
    status: async () => exampleStatus,
    connections: async (limit) => {
      asked.push(['connections', limit]);
      return [];
    },
    config: () => ({ server_name: 'demo-gate', redis: { test: { password: '[masked]' } } }),
    setWorkers: async (count) => {
      asked.push(['workers', count]);
      return { count, was: 2 };
    },
    setSettings: async (config, generation) => {
      asked.push(['settings', config, generation]);
      return { changes: [] };
    },
    drain: async () => {
      asked.push(['drain']);
      return { state: 'draining', connections: 6, drainMs: 60_000 };
    },
    setLogLevel: async (level) => {
      asked.push(['loglevel', level]);
      return { level, was: 'info' };
    },
    ...changes,
  };
}

async function start(t: TestContext, options: Partial<AdminOptions> = {}): Promise<Admin & { source: ReturnType<typeof fakeSource> }> {
  const source = fakeSource(options.source);
  const admin = await startAdmin({ port: 0, log: silentLogger(), ...options, source });
  t.after(() => admin.close());
  return { ...admin, source };
}

interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  json: () => unknown;
}

async function ask(
  admin: Admin,
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string } = {},
) {
  const outgoing = request({ host: '127.0.0.1', port: admin.port, method, path, headers, agent: false });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { status: incoming.statusCode!, headers: incoming.headers, text, json: () => JSON.parse(text) as unknown } satisfies Reply;
}

function post(admin: Admin, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(admin, 'POST', path, { headers: { 'content-type': 'application/json', ...headers }, body: text });
}

function assertError(reply: Reply, status: number, message: RegExp): void {
  assert.deepEqual([reply.status, reply.headers['content-type']], [status, 'application/json; charset=utf-8']);
  const { error } = errorSchema.parse(reply.json());
  assert.match(error, message);
  assert.ok(!error.endsWith('.') && !error.includes('\n'), error);
}

test('every route answers what its schema says', async (t) => {
  const admin = await start(t);
  for (const { method, path, reply: schema, request: takes } of adminRoutes) {
    const reply = takes ? await post(admin, path, adminExamples[path]?.request) : await ask(admin, method, path);
    assert.ok(reply.status === 200 || reply.status === 202, `${path} ${reply.status} ${reply.text}`);
    assert.equal(reply.headers['cache-control'], 'no-store');
    assert.equal(reply.headers['x-content-type-options'], 'nosniff');
    if (schema) assert.ok(schema.safeParse(reply.json()).success, path);
    else assert.match(reply.headers['content-type']!, /^text\//);
  }
});

test('/livez and /readyz need nothing of the workers; /readyz is 503 with reasons', async (t) => {
  const never = () => new Promise<never>(() => {});
  const readiness = {
    ready: false,
    state: 'starting' as const,
    reasons: ['worker 2 is held back'],
    details: ['directory zookeeper is lost: it is gone'],
  };
  const admin = await start(t, { source: fakeSource({ status: never, connections: never, readiness: () => readiness }) });
  assert.deepEqual((await ask(admin, 'GET', '/livez')).json(), { live: true });
  const reply = await ask(admin, 'GET', '/readyz');
  assert.equal(reply.status, 503);
  assert.deepEqual(readinessSchema.parse(reply.json()), readiness);
});

test('/status is the node, /metrics the same numbers for Prometheus, /config what the node masked', async (t) => {
  const admin = await start(t);
  assert.deepEqual(nodeStatusSchema.parse((await ask(admin, 'GET', '/status')).json()), exampleStatus);
  const metrics = await ask(admin, 'GET', '/metrics?collect[]=x');
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(metrics.text, /^kim_node_connections 6$/m);
  assert.match(metrics.text, /^kim_node_limit_hits_total\{limit="max_frame"\} 0$/m);
  assert.match((await ask(admin, 'GET', '/config')).text, /"password": "\[masked\]"/);
});

test('/connections lists up to the limit, 100 without one, and refuses limits out of range', async (t) => {
  const admin = await start(t);
  assert.deepEqual(connectionsSchema.parse((await ask(admin, 'GET', '/connections')).json()), { connections: [] });
  await ask(admin, 'GET', '/connections?limit=10000');
  assert.deepEqual(admin.source.asked, [
    ['connections', 100],
    ['connections', 10_000],
  ]);
  for (const limit of ['0', '10001', '-1', '1.5', 'all', ''])
    assertError(
      await ask(admin, 'GET', `/connections?limit=${limit}`),
      400,
      new RegExp(`^limit "${limit}" is not a whole number from 1 to 10000$`),
    );
});

test('changes reach the node', async (t) => {
  const admin = await start(t);
  assert.deepEqual((await post(admin, '/workers', { count: 4 })).json(), { count: 4, was: 2 });
  assert.equal((await post(admin, '/drain', {})).status, 202);
  assert.equal((await post(admin, '/drain', '')).status, 202, 'no body is an empty one');
  assert.deepEqual((await post(admin, '/loglevel', { level: 'WARNING' })).json(), { level: 'warn', was: 'info' });
  assert.deepEqual(admin.source.asked, [['workers', 4], ['drain'], ['drain'], ['loglevel', 'warn']]);
});

test('a body that does not fit is refused with the field and the reason, and changes nothing', async (t) => {
  const admin = await start(t);
  assertError(await post(admin, '/workers', '{"count":'), 400, /^the body is not JSON: /);
  assertError(await post(admin, '/workers', {}), 400, /^"count" does not fit: expected number, received undefined$/);
  assertError(await post(admin, '/workers', { count: '4' }), 400, /^"count" does not fit: expected number, received string$/);
  assertError(await post(admin, '/workers', { count: 0 }), 400, /^"count" does not fit: too small: .*>=1$/);
  assertError(await post(admin, '/workers', { count: 2.5 }), 400, /^"count" does not fit: expected int/);
  assertError(await post(admin, '/workers', { count: 2, now: true }), 400, /^the body does not fit: unrecognized key: "now"$/);
  assertError(await post(admin, '/workers', '[]'), 400, /^the body does not fit: expected object, received array$/);
  assertError(await post(admin, '/loglevel', { level: 'loud' }), 400, /^log level "loud" is not one of trace, debug, .*emerg$/);
  assertError(
    await post(admin, '/workers', { count: 2 }, { 'content-type': 'text/plain' }),
    415,
    /"text\/plain" is not taken; send application\/json$/,
  );
  assertError(await ask(admin, 'POST', '/drain'), 415, /send application\/json$/);
  const long = JSON.stringify({ count: 4, filler: 'x'.repeat(1 << 20) });
  assertError(await post(admin, '/workers', long), 413, /^the body has \d+ bytes; at most 65536 are taken$/);
  assert.deepEqual(admin.source.asked, []);
});

test('an unknown path lists what there is, a wrong method says what is allowed', async (t) => {
  const admin = await start(t);
  const missing = await ask(admin, 'GET', '/nothing?x=1');
  assertError(missing, 404, /^there is no \/nothing here; see routes$/);
  assert.deepEqual(
    (missing.json() as { routes: string[] }).routes,
    adminRoutes.map(({ method, path }) => `${method} ${path}`),
  );

  const get = await ask(admin, 'GET', '/workers');
  assertError(get, 405, /^\/workers takes POST, not GET$/);
  assert.equal(get.headers.allow, 'POST');
  const put = await ask(admin, 'PUT', '/status');
  assertError(put, 405, /^\/status takes GET, HEAD, not PUT$/);
  assert.equal(put.headers.allow, 'GET, HEAD');
});

test('HEAD answers as GET without a body', async (t) => {
  const admin = await start(t);
  const reply = await ask(admin, 'HEAD', '/livez');
  assert.deepEqual([reply.status, reply.text, reply.headers['content-length']], [200, '', '19']);
});

test('a name that was made to lead here is not answered, nor is a page of somebody else', async (t) => {
  const admin = await start(t);
  for (const host of ['evil.example', `evil.example:${admin.port}`, '10.0.0.1', 'localhost.evil.example']) {
    assertError(await ask(admin, 'GET', '/status', { headers: { host } }), 403, /is not answered here; ask for localhost/);
  }
  for (const host of ['localhost', `LOCALHOST:${admin.port}`, '127.0.0.1:1', '[::1]:9', '127.8.8.8']) {
    assert.equal((await ask(admin, 'GET', '/status', { headers: { host } })).status, 200, host);
  }
  for (const origin of ['http://evil.example', 'null', 'http://localhost:1', `https://127.0.0.1:${admin.port}`]) {
    assertError(await post(admin, '/workers', { count: 1 }, { origin }), 403, /^origin ".*" is not answered here/);
    assertError(await ask(admin, 'GET', '/status', { headers: { origin } }), 403, /^origin/);
  }
  assert.equal((await post(admin, '/workers', { count: 1 }, { origin: `http://127.0.0.1:${admin.port}` })).status, 200);
});

test('bound to all addresses, GET is answered under any address and under the name it was given', async (t) => {
  const admin = await start(t, { host: '0.0.0.0' });
  assert.equal((await ask(admin, 'GET', '/readyz', { headers: { host: '10.1.2.3:9100' } })).status, 200);
  assertError(await ask(admin, 'GET', '/readyz', { headers: { host: 'evil.example' } }), 403, /^host/);
  assertError(await post(admin, '/drain', {}, { host: '10.1.2.3:9100' }), 403, /^host/);
});

test('a refusal of the node is told with its status, any other error only in the log', async (t) => {
  const lines: string[] = [];
  const log = createLogger({ name: 'n', level: 'info', write: (line) => lines.push(line) });
  const source = fakeSource({
    setWorkers: async () => {
      throw new AdminError(409, 'the node is draining; its workers stay as they are');
    },
    status: async () => {
      throw new Error('secret detail');
    },
  });
  const admin = await start(t, { source, log });
  assertError(await post(admin, '/workers', { count: 3 }), 409, /^the node is draining/);
  assert.deepEqual(lines, []);
  for (const path of ['/status', '/metrics']) {
    const reply = await ask(admin, 'GET', path);
    assertError(reply, 500, /^the request failed; the log of the node says why$/);
  }
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /secret detail/);
});

test('an answer that takes too long is given up with a sentence', async (t) => {
  const admin = await start(t, { source: fakeSource({ status: () => new Promise(() => {}) }), deadlineMs: 20 });
  assertError(await ask(admin, 'GET', '/status'), 504, /^no answer within 20 ms/);
});

/** Sends bytes as they are and returns all that comes back until the server closes. */
async function raw(t: TestContext, admin: Admin, text: string): Promise<string> {
  const socket = connect(admin.port, '127.0.0.1');
  t.after(() => socket.destroy());
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

test('what is not HTTP, too long or never finished is answered and closed', async (t) => {
  const admin = await start(t, { deadlineMs: 50 });
  assert.match(await raw(t, admin, 'hello\r\n\r\n'), /^HTTP\/1\.1 400 .*\r\n\r\n\{"error":"this is not an HTTP request"\}\n$/s);
  assert.match(await raw(t, admin, `GET / HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(9000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await raw(t, admin, 'GET / HTTP/1.1\r\nhost: loc'), /^HTTP\/1\.1 408 .*"the request did not arrive in time"/s);
  const body = 'POST /drain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{';
  assert.match(await raw(t, admin, body), /^HTTP\/1\.1 (408|504) /);
  assert.deepEqual(admin.source.asked, []);
});

test('takes at most 64 connections at once', async (t) => {
  const admin = await start(t);
  const sockets = Array.from({ length: 64 }, () => connect(admin.port, '127.0.0.1'));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  assert.equal(await raw(t, admin, ''), '');
});

test('a port that is taken, or an address that is not ours, is named with the key to change', async (t) => {
  const { port } = await start(t);
  await assert.rejects(startAdmin({ port, source: fakeSource(), log: silentLogger() }), {
    message: `cannot listen on 127.0.0.1:${port} for the admin server: the port is taken; set admin_port to another port, or to 0 for any free one`,
  });
  await assert.rejects(startAdmin({ host: '203.0.113.1', port: 0, source: fakeSource(), log: silentLogger() }), {
    message: /^cannot listen on 203\.0\.113\.1:0 for the admin server: the address is not of this machine; set admin_host to one that is$/,
  });
});

test('close lets an answer leave, ends idle connections and frees the port', async (t) => {
  const called = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<typeof exampleStatus>();
  const status = () => {
    called.resolve();
    return answer.promise;
  };
  const source = fakeSource({ status });
  const admin = await startAdmin({ port: 0, source, log: silentLogger() });
  const reply = ask(admin, 'GET', '/status');
  await called.promise;
  const closed = admin.close();
  answer.resolve(exampleStatus);
  assert.equal((await reply).status, 200);
  await closed;
  const again = await startAdmin({ port: admin.port, source, log: silentLogger() });
  t.after(() => again.close());
  assert.equal(again.url, `http://127.0.0.1:${admin.port}/`);
});
