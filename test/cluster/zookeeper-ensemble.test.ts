// The ZooKeeper directory over an ensemble of three that loses its leader.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../support/until.ts';
import { gate, observe, rawClient } from '../support/zookeeper-cluster.ts';
import { noZookeeper, startEnsemble } from '../support/zookeeper.ts';

for (const how of ['is killed', 'hangs'] as const) {
  test(`nodes stay announced when the leader of three servers ${how}`, { skip: noZookeeper }, async (t) => {
    const ensemble = await startEnsemble(t);
    const servers = ensemble.addresses;
    const nodes = [1, 2, 3, 4, 5].map((i) => ({ node: gate({ port: 3343 + i, name: `kim-${i}` }), ...open() }));
    await Promise.all(nodes.map(({ directory, node }) => directory.announce(node)));
    await Promise.all(nodes.map(({ observed }) => observed.when((members) => members.length === 5, 'all see all')));
    const leader = await ensemble.leader();
    if (how === 'is killed') await leader.kill();
    else {
      leader.pause();
      t.after(() => leader.resume());
    }
    // each announces something else now: all have to get through
    await Promise.all(nodes.map(({ directory, node }) => directory.announce({ ...node, workers: 9 })));
    await Promise.all(
      nodes.map(({ observed }) =>
        observed.when((members) => members.length === 5 && members.every(({ workers }) => workers === 9), 'all see what is new'),
      ),
    );
    const rest = ensemble.members.filter((server) => server !== leader);
    const raw = await rawClient(t, rest[0]!.address);
    // a newer record replaces an older one in two steps, and a server that hung may hold up the second
    await until(async () => (await raw.children('/kim-test/nodes/gate')).length === 5, 'each node has one record');
    for (const { observed } of nodes) {
      for (const list of observed.lists) assert.equal(new Set(list.map(({ port }) => port)).size, list.length);
    }

    function open() {
      const observed = observe(t, { servers, sessionTimeoutMs: 4000 });
      return { observed, directory: observed.directory };
    }
  });
}
