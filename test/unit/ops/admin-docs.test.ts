// The admin document and the admin page: examples that fit their schemas, and a page that runs and needs nothing from outside.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { adminExamples, exampleStatus, renderAdminDocs } from '../../../src/ops/admin-docs.ts';
import { adminPage } from '../../../src/ops/admin-page.ts';
import { adminRoutes } from '../../../src/ops/admin-routes.ts';

test('every route that speaks JSON has an example that fits its schemas', () => {
  for (const { path, request, reply } of adminRoutes) {
    const example = adminExamples[path];
    assert.equal(example !== undefined, reply !== undefined, path);
    if (reply) assert.deepEqual(reply.parse(example!.reply), example!.reply, path);
    if (request) assert.deepEqual(request.parse(example!.request), example!.request, path);
  }
});

test('the document has each route, each field and a request for each change', () => {
  const docs = renderAdminDocs();
  for (const { method, path, help } of adminRoutes) {
    assert.ok(docs.includes(`| \`${method} ${path}\` | ${help} |`), path);
    assert.ok(docs.includes(`\n## ${method} ${path}\n`), path);
  }
  for (const field of ['workers[].lastExit', 'manager.passQueue', 'totals.loopLagSeconds', 'connections[].remote', 'count', 'level']) {
    assert.ok(docs.includes(`| \`${field}\` |`), field);
  }
  assert.ok(docs.includes(`-d '{"count":4}' http://127.0.0.1:PORT/workers`));
  assert.match(docs, /"buckets": \[120, 0,/);
});

const [, style = ''] = /<style>(.*)<\/style>/s.exec(adminPage.html) ?? [];
const [, script = ''] = /<script>(.*)<\/script>/s.exec(adminPage.html) ?? [];

test('the page may run its own script and style, ask its own server, and nothing else', () => {
  const policy = adminPage.headers['content-security-policy'];
  for (const text of [style, script]) assert.ok(policy.includes(`'sha256-${createHash('sha256').update(text).digest('base64')}'`));
  assert.ok(policy.startsWith("default-src 'none'; "));
  assert.doesNotMatch(adminPage.html, /https?:|src=|@import|url\(|innerHTML/);
  assert.match(style, /color-scheme: light dark/);
  for (const [, path] of adminPage.html.matchAll(/href="(\/[^"]*)"/g))
    assert.ok(
      adminRoutes.some((route) => route.path === path),
      path,
    );
});

/** As much of a browser as the page uses. */
class Element {
  textContent = '';
  className = '';
  children: Element[] = [];

  append(...children: Element[]): void {
    this.children.push(...children);
  }

  replaceChildren(...children: Element[]): void {
    this.children = children;
  }

  get text(): string {
    return this.children.length > 0 ? this.children.map((child) => child.text).join(' | ') : this.textContent;
  }
}

async function runPage(fetch: () => Promise<unknown>): Promise<Record<string, string>> {
  const ids = [...adminPage.html.matchAll(/id="(\w+)"/g)].map(([, id]) => id!);
  const elements = new Map(ids.map((id) => [id, new Element()]));
  const drawn = Promise.withResolvers<void>();
  const document = { title: '', getElementById: (id: string) => elements.get(id), createElement: () => new Element() };
  const browser = { document, fetch, performance, Intl, AbortSignal, setTimeout: () => drawn.resolve() };
  runInContext(script, createContext(browser));
  await drawn.promise;
  return { ...Object.fromEntries([...elements].map(([id, element]) => [id, element.text])), title: document.title };
}

test('the page shows the numbers of the node', async () => {
  const page = await runPage(async () => ({ ok: true, json: async () => exampleStatus }));
  assert.equal(page.title, 'demo-gate - kimserver');
  assert.deepEqual([page.name, page.state, page.connections, page.restarts], ['demo-gate (gate)', '● serving, ready', '6', '0']);
  assert.equal(
    page.workers,
    '1 | serving | 3 | 0 | 0 % | 60 MiB | 2 ms | 0 | 4101 | 0 | 2 | serving | 3 | 0 | 0 % | 60 MiB | 2 ms | 0 | 4102 | 0',
  );
  assert.equal(page.listeners, 'client | 127.0.0.1:3355 | clients | protobuf');
  assert.match(page.fresh!, /^Numbers of /);
});

test('the page says so when the node does not answer', async () => {
  const page = await runPage(async () => ({ ok: false, json: async () => ({ error: 'no answer within 10000 ms' }) }));
  assert.equal(page.fresh, 'The node does not answer: no answer within 10000 ms');
});
