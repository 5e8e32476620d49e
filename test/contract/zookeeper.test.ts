// A real ZooKeeper as a directory: what all directories promise. What only it has to promise stands in test/cluster/zookeeper*.test.ts.

import { before, suite } from 'node:test';
import { ZookeeperDirectory } from '../../src/cluster/directories/zookeeper.ts';
import type { ZookeeperConnection } from '../../src/cluster/directories/zookeeper-client.ts';
import { silentLogger } from '../../src/ops/log.ts';
import { endOfSuite, rawClient } from '../support/zookeeper-cluster.ts';
import { noZookeeper, startZookeeper, type ZookeeperServer } from '../support/zookeeper.ts';
import { directoryContract } from './directory.ts';

suite('zookeeper', { skip: noZookeeper }, () => {
  let server: ZookeeperServer;
  let raw: ZookeeperConnection;
  let places = 0;
  const end = endOfSuite();

  before(async () => {
    server = await startZookeeper(end);
    raw = await rawClient(end, server.address);
  });

  directoryContract('zookeeper', {
    isWritable: true,
    place: (t) => {
      const root = `/contract-${++places}`;
      t.after(async () => {
        if ((await server.mode()) === undefined) await server.start();
      });
      return Promise.resolve({
        directory: () =>
          new ZookeeperDirectory({ servers: server.address, root, types: ['gate', 'logic'], sessionTimeoutMs: 2000, log: silentLogger() }),
        wipe: async () => {
          for (const type of ['gate', 'logic']) {
            for (const folder of [`${root}/nodes/${type}`, `${root}/kim/${type}`]) {
              for (const leaf of await raw.children(folder)) await raw.remove(`${folder}/${leaf}`).catch(() => undefined);
            }
          }
        },
        stop: () => server.stop(),
        start: ({ empty }) => server.start({ isEmpty: empty }),
      });
    },
  });
});
