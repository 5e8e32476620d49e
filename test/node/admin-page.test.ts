// The admin page in a real browser, before a node with real traffic.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { noBrowser, OpenPage, startBrowser, type Look } from '../support/browser.ts';
import { closedGate } from '../support/gate.ts';
import { startNode, type TestNode } from '../support/node.ts';
import { TestCluster } from '../support/nodes.ts';
import { frame } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

/** A node with two workers and `clients` clients that ask without a pause. */
async function busyNode(t: TestContext, clients: number): Promise<TestNode> {
  const node = await startNode(t, { worker_cnt: 2, node_host: '127.0.0.1', node_port: 0 });
  for (const client of await node.connectAll(clients)) {
    const ask = () => client.write(frame(2001, 1, 'and again'));
    client.onAnswer = ask;
    ask();
  }
  return node;
}

const THREE = '1 serving,2 serving,3 serving';
const looks: Look[] = [
  { scheme: 'light', width: 1100 },
  { scheme: 'dark', width: 1100 },
  { scheme: 'light', width: 400 },
];

test('the admin page follows its node, light and dark, in wide windows and narrow ones', { skip: noBrowser }, async (t) => {
  const node = await busyNode(t, 4);
  const url = node.manager.adminUrl!;
  const browser = await startBrowser(t);
  const pages = await Promise.all(looks.map((look) => OpenPage.open(browser, url, look)));
  const all = (fits: (page: OpenPage) => Promise<boolean>, what: string) =>
    Promise.all(pages.map((page) => until(() => fits(page), `the page shows ${what}`)));

  await all(async (page) => (await page.text('#connections')) === '4', 'four connections');
  const rates = await Promise.all(pages.map((page) => page.text('#requests')));
  for (const page of pages) {
    assert.equal(await page.text('#name'), 'kim-test (gate)');
    assert.equal(await page.text('#state'), '● serving, ready');
    assert.deepEqual(await page.rows('#listeners'), [
      ['gate', `127.0.0.1:${node.port}`, 'clients', 'protobuf'],
      ['node', `127.0.0.1:${node.nodePort}`, 'other nodes', 'protobuf'],
    ]);
  }
  assert.ok(rates.map(numberOf).every((n) => n > 0));
  await all(async (page) => (await page.text('#requests')) !== rates[pages.indexOf(page)], 'another rate of requests');

  await node.connectAll(2);
  await node.manager.setWorkers(3);
  await all(async (page) => (await page.text('#connections')) === '6', 'the new connections');
  await all(async (page) => (await page.rows('#workers')).map(([index, state]) => `${index} ${state}`).join() === THREE, 'three workers');
  for (const page of pages) {
    assert.ok(numberOf(await page.text('#requests')) > 0);
    assert.equal(await page.overhang(), 0, 'the page fits its window');
    assert.ok((await page.contrast()) >= 4.5, 'every text is readable');
    assert.deepEqual(page.complaints, []);
    assert.deepEqual([...new Set(page.requests.map(({ href }) => href))], [url, `${url}status`]);
  }
});

test('the admin page shows the cluster of its node, and a node that is alone has none', { skip: noBrowser }, async (t) => {
  const cluster = await TestCluster.start(t, { gate: { worker_cnt: 1 } });
  const browser = await startBrowser(t);
  for (const client of await cluster.gate.connectAll(2)) {
    const ask = () => client.write(frame(2001, 1, 'and again'));
    client.onAnswer = ask;
    ask();
  }
  for (const look of looks) {
    const page = await OpenPage.open(browser, cluster.gate.manager.adminUrl!, look);
    await until(async () => (await page.rows('#members')).length === 2, 'the page shows the members');
    assert.deepEqual(await page.rows('#members'), [
      ['gate', 'serving', '1', '1', 'file'],
      ['logic', 'serving', '1', '1', 'file'],
    ]);
    assert.deepEqual(await page.rows('#directories'), [['file', 'up', `folder ${cluster.folder}`]]);
    assert.match(await page.text('#links'), /^1 links? up, 0 incoming, /);
    const relayed = async () => (await page.rows('#routes'))[0]!;
    assert.deepEqual((await relayed()).slice(0, 2), ['logic 1000-', 'logic']);
    await until(async () => numberOf((await relayed())[3]!) > 0, 'the page shows a rate of relayed requests');
    assert.equal(await page.overhang(), 0, 'the page fits its window');
    assert.ok((await page.contrast()) >= 4.5, 'every text is readable');
    assert.deepEqual(page.complaints, []);
  }
  const alone = await startNode(t);
  const page = await OpenPage.open(browser, alone.manager.adminUrl!, looks[0]!);
  await until(async () => (await page.text('#state')) === '● serving, ready', 'the page shows the node');
  assert.equal(await page.page.locator('#cluster').isHidden(), true);
});

test('the admin page says why its node is not ready, and that it is gone', { skip: noBrowser }, async (t) => {
  const gate = closedGate(t);
  const node = await startNode(t, { drain_ms: 60_000 });
  const [client] = await node.connectAll(1);
  client!.write(frame(2021, 1, gate.name));
  await node.statusWhen(({ totals }) => totals.inFlight === 1, 'the client waits');
  const page = await OpenPage.open(await startBrowser(t), node.manager.adminUrl!, looks[0]!);
  await until(async () => (await page.text('#state')) === '● serving, ready', 'the page shows the node');
  const drained = node.manager.drain();
  await until(async () => (await page.text('#state')) === '● draining, not ready: the node is draining', 'the page shows the drain');
  gate.open();
  await drained;
  await until(async () => (await page.text('#fresh')).startsWith('The node does not answer'), 'the page says so');
  assert.equal(await page.page.locator('#fresh').getAttribute('class'), 'bad');
});

function numberOf(text: string): number {
  return Number(text.replaceAll(',', ''));
}
