// What probes and Prometheus see of an operator.

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import test from 'node:test';
import { Health, serveHealth } from '../../../../src/operator/engine/health.ts';
import { Meter } from '../../../../src/operator/engine/meter.ts';
import { FaultyKube } from '../../../support/kube-faults.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { soon } from '../../../support/turns.ts';
import { until } from '../../../support/until.ts';
import { toyController } from '../../../support/toy-controller.ts';

test('probes are answered with what is wrong, one line each', async (t) => {
  const health = new Health();
  let problem: string | undefined;
  health.live('loop', () => problem);
  health.ready('list', () => 'not there yet');
  const server = await serveHealth(health, () => 'up 1\n', { host: '127.0.0.1', port: 0 });
  t.after(() => server.close());
  const ask = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return `${answer.status} ${await answer.text()}`;
  };
  assert.equal(await ask('/livez'), '200 ok\n');
  problem = 'it stands still';
  assert.equal(await ask('/livez?verbose'), '503 loop: it stands still\n');
  assert.equal(await ask('/readyz'), '503 list: not there yet\n');
  assert.equal(await ask('/metrics'), '200 up 1\n');
  assert.equal(await ask('/'), '404 there are /livez, /readyz and /metrics\n');
  assert.equal(await ask('/livez', 'POST'), '405 only GET and HEAD are taken\n');
  await assert.rejects(
    serveHealth(health, () => '', { host: '127.0.0.1', port: server.port }),
    /cannot listen on 127\.0\.0\.1:\d+ for health and metrics: .*EADDRINUSE/,
  );
});

test('a controller is ready when everything has been listed, and alive as long as its loops go round', async (t) => {
  const kube = await FaultyKube.start(t);
  kube.faults.push({ times: 3, act: { status: 403, reason: 'Forbidden' } });
  const clock = new ManualClock();
  const { controller } = toyController(kube.access, { clock, lease: { namespace: 'ops', name: 'toy' } });
  t.after(async () => {
    const stopped = controller.stop();
    await soon(() => {
      clock.advance(1000);
      return kube.watches.size === 0;
    }, 'it has stopped');
    await stopped;
  });
  assert.equal(controller.health.readyProblems.length, 3);
  controller.start();
  await soon(() => kube.received.length >= 3, 'it has tried');
  await soon(() => controller.health.readyProblems.some((line) => line.includes('not listed yet: cannot watch')), 'it says why');
  assert.equal(controller.health.liveProblems.join(), '');
  await soon(() => {
    if (clock.nextMs !== undefined && clock.nextMs < 1000) clock.advance(clock.nextMs);
    return controller.health.readyProblems.length === 0;
  }, 'it is ready');
  await soon(() => controller.lease?.isLeader === true, 'it leads');
  // nothing was called for six minutes, though it was due: the loops stand still
  clock.freeze(360_000);
  const problems = controller.health.liveProblems;
  assert.ok(problems.includes('watch of /api/v1/configmaps: it has stood still for 360 s'), problems.join());
  assert.ok(problems.includes('lease: it has stood still for 360 s'), problems.join());
});

test('the page of metrics has the names of controller-runtime, with zeros from the start', async (t) => {
  const kube = await FaultyKube.start(t);
  const { controller } = toyController(kube.access, { lease: { namespace: 'ops', name: 'toy' } });
  const text = controller.metrics.meter.text();
  for (const line of [
    'controller_runtime_reconcile_total{controller="toy",result="success"} 0',
    'controller_runtime_reconcile_total{controller="toy",result="requeue_after"} 0',
    'controller_runtime_reconcile_errors_total{controller="toy"} 0',
    'controller_runtime_terminal_reconcile_errors_total{controller="toy"} 0',
    'controller_runtime_reconcile_panics_total{controller="toy"} 0',
    'controller_runtime_reconcile_timeouts_total{controller="toy"} 0',
    'leader_election_slowpath_total{name="toy"} 0',
    '# TYPE rest_client_rate_limiter_duration_seconds histogram',
    '# TYPE process_resident_memory_bytes gauge',
    '# TYPE process_cpu_seconds_total counter',
    'controller_runtime_max_concurrent_reconciles{controller="toy"} 4',
    'controller_runtime_active_workers{controller="toy"} 0',
    'workqueue_depth{name="toy",controller="toy"} 0',
    'workqueue_adds_total{name="toy",controller="toy"} 0',
    'workqueue_retries_total{name="toy",controller="toy"} 0',
    'leader_election_master_status{name="toy"} 0',
    '# TYPE rest_client_requests_total counter',
    '# TYPE controller_runtime_reconcile_time_seconds histogram',
  ])
    assert.ok(text.includes(`${line}\n`), line);
  await controller.stop();
});

test('the page is in the format of Prometheus', () => {
  const meter = new Meter();
  const asked = meter.counter('asked_total', 'Questions.');
  asked.add({ who: 'a "b"\n\\' }, 2);
  asked.add({ who: 'a "b"\n\\' });
  const took = meter.histogram('took_seconds', 'Time.', [0.1, 1]);
  for (const seconds of [0.05, 0.1, 0.5, 7]) took.observe({}, seconds);
  meter.look('depth', 'Now.', () => [[{}, 3]]);
  assert.equal(
    meter.text(),
    [
      '# HELP asked_total Questions.',
      '# TYPE asked_total counter',
      'asked_total{who="a \\"b\\"\\n\\\\"} 3',
      '# HELP took_seconds Time.',
      '# TYPE took_seconds histogram',
      'took_seconds_bucket{le="0.1"} 2',
      'took_seconds_bucket{le="1"} 3',
      'took_seconds_bucket{le="+Inf"} 4',
      'took_seconds_sum 7.65',
      'took_seconds_count 4',
      '# HELP depth Now.',
      '# TYPE depth gauge',
      'depth 3',
      '',
    ].join('\n'),
  );
});

test('labels that never end are not counted for ever', () => {
  const meter = new Meter();
  const counter = meter.counter('c_total', 'C.');
  for (let i = 0; i < 5000; i++) counter.add({ i: String(i) });
  assert.equal(meter.text().split('\n').length, 2003);
});

test('watches of one kind in several namespaces are one row of the page', async (t) => {
  const kube = await FaultyKube.start(t);
  const { controller } = toyController(kube.access, { namespaces: ['one', 'two', 'three'], lease: { namespace: 'ops', name: 'toy' } });
  t.after(() => controller.stop());
  controller.start();
  await until(() => controller.health.readyProblems.length === 0, 'all is listed');
  const text = controller.metrics.meter.text();
  assert.match(text, /^kimserver_watch_relists_total\{kind="v1\/ConfigMap"\} 3$/m);
  assert.match(text, /^# TYPE kimserver_watch_relists_total counter$/m);
  const samples = [...text.matchAll(/^([a-z]\w*(?:\{.*\})?) \S+$/gm)].map(([, sample]) => sample!);
  assert.deepEqual(
    samples.filter((sample, index) => samples.indexOf(sample) !== index),
    [],
    'no sample is there twice',
  );
});

test('a check that can not be made, or a page, is answered, and is not the end', async (t) => {
  const health = new Health();
  const broken = () => {
    throw new Error('the page can not be made');
  };
  const { port, close } = await serveHealth(health, broken, { host: '127.0.0.1', port: 0 });
  t.after(close);
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  assert.deepEqual([answer.status, await answer.text()], [500, 'the page can not be made\n']);
  assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
});

test('probes reach it by IPv4 and, where there is such a thing, by IPv6', async (t) => {
  const { port, close } = await serveHealth(new Health(), () => '', { port: 0 });
  t.after(close);
  const hasV6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
  for (const host of ['127.0.0.1', ...(hasV6 ? ['[::1]'] : [])])
    assert.equal((await fetch(`http://${host}:${port}/livez`)).status, 200, host);
});
