// Fifty KimClusters at once: what the operator costs, and that it writes nothing while nothing changes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { defineClusters } from '../support/cluster-definition.ts';
import type { ControlPlane } from '../support/kube/control-plane.ts';
import { controlPlaneOfFile } from '../support/kube/hooks.ts';
import { noControlPlane } from '../support/kube/needs.ts';
import { type KimClusterSeen } from '../support/kube/operated.ts';
import { PretendedPods } from '../support/kube/pretended.ts';
import { asInPod, compiledOperator, SeparateOperator, type Looked } from '../support/kube/separate-operator.ts';
import { until } from '../support/until.ts';

const skip = noControlPlane;
const plane = controlPlaneOfFile();
const COUNT = 50;
/** As often as a Prometheus scrapes. */
const LOOK_EVERY_MS = 15_000;
/** Looks at each KimCluster while nothing changes: one every 30 s. */
const ROUNDS = 4;
const WRITES = /^(POST|PUT|PATCH|DELETE)$/;
const OURS = new Set('kimclusters deployments configmaps services serviceaccounts poddisruptionbudgets networkpolicies roles'.split(' '));

test('fifty KimClusters become ready, and nothing is written while nothing changes', { skip, timeout: 400_000 }, async (t) => {
  const { kube } = plane();
  await defineClusters(kube);
  const program = await compiledOperator(t);
  const pods = await PretendedPods.begin(t, plane());
  const settings = { image: 'localhost/kimserver:0.1.0', namespace: 'default', namespaces: [] };
  const operator = await SeparateOperator.start(t, { kube: asInPod(plane()), ...settings }, program);
  /** To be asked is work, too, and not what is measured. */
  const when = (isSo: (now: Looked) => boolean, what: string, maxMs: number) =>
    until(
      async () => {
        await pause(LOOK_EVERY_MS);
        const now = await operator.look();
        return isSo(now) && now;
      },
      what,
      maxMs,
    );
  const spec = {
    gate: { replicas: 2, listeners: [{ name: 'client', port: 3355 }] },
    logic: { replicas: 2, modules: ['test'] },
    discovery: { kubernetes: {} },
  };
  const names = Array.from({ length: COUNT }, (_, i) => `many-${i}`);
  const begun = Date.now();
  await kube.apply(names.map((name) => ({ apiVersion: 'kimserver.io/v1alpha1', kind: 'KimCluster', metadata: { name }, spec })));
  await until(async () => (await pods.readyAll()) === 4 * COUNT, 'all pods count as ready', 120_000);
  const isReady = ({ status }: KimClusterSeen) => status?.conditions?.some((is) => is.type === 'Ready' && is.status === 'True') === true;
  await kube.waitFor<KimClusterSeen>('/apis/kimserver.io/v1alpha1/kimclusters', (all) => all.filter(isReady).length === COUNT, 'all ready');
  const made = await operator.look();
  t.diagnostic(`all ready after ${Date.now() - begun} ms, ${made.cpuSeconds} s of processor, ${made.rssMib} MiB`);
  t.diagnostic(`until then ${made.reconciles} reconciles and ${text(made.requests)}`);

  // what is under way comes to its end: a round without a write
  const quiet = await until(
    async () => {
      const before = await operator.look();
      const after = await when(({ reconciles }) => reconciles >= before.reconciles + COUNT, 'a round', 90_000);
      return (after.requests['PATCH'] ?? 0) === (before.requests['PATCH'] ?? 0) && after;
    },
    'a round without a write',
    120_000,
  );
  const [written, at] = [await writesOf(plane()), Date.now()];
  const isOver = ({ reconciles }: Looked) => reconciles >= quiet.reconciles + ROUNDS * COUNT;
  const last = await when(isOver, `${ROUNDS} more looks at each`, ROUNDS * 60_000);
  const seconds = (Date.now() - at) / 1000;
  const share = (100 * (last.cpuSeconds - quiet.cpuSeconds)) / seconds;
  const more = Object.fromEntries(Object.entries(last.requests).map(([method, n]) => [method, n - (quiet.requests[method] ?? 0)]));
  t.diagnostic(
    `then ${seconds.toFixed(0)} s: ${last.reconciles - quiet.reconciles} reconciles, ${text(more)} (the lease and watches begun anew)`,
  );
  t.diagnostic(`${share.toFixed(2)} % of a processor, ${last.rssMib} MiB`);
  assert.deepEqual(await writesOf(plane()), written);
  const { PUT: _renewals, GET: watches = 0, ...others } = more;
  assert.ok(
    Object.values(others).every((n) => n === 0),
    text(others),
  );
  assert.ok(watches < COUNT, `${watches} requests are more than watches that were begun anew`);
  assert.equal(last.errors, 0);
});

function text(requests: Readonly<Record<string, number>>): string {
  return Object.entries(requests)
    .filter(([, n]) => n > 0)
    .map(([method, n]) => `${method} ${n}`)
    .join(', ');
}

/** Writes of kinds that are ours, whoever made them, as the API server counted them. */
async function writesOf({ kube }: ControlPlane): Promise<Record<string, number>> {
  const page = await kube.kubectl('get', '--raw', '/metrics');
  const found: Record<string, number> = {};
  for (const [, labels = '', n] of page.matchAll(/^apiserver_request_total\{([^}]*)\} (\d+)/gm)) {
    const [verb, resource] = ['verb', 'resource'].map((name) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '');
    const isWrite = WRITES.test(verb!) || verb === 'APPLY';
    if (isWrite && OURS.has(resource!)) found[`${verb} ${resource}`] = (found[`${verb} ${resource}`] ?? 0) + Number(n);
  }
  return found;
}
