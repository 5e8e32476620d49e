// ZooKeeper as a directory, with a real server: what all directories promise. What is its own is in test/cluster/zookeeper*.test.ts.

import { ZookeeperDirectory } from '../../src/cluster/directories/zookeeper.ts';
import { rawClient, tree } from '../support/zookeeper-cluster.ts';
import { noZookeeper, startZookeeper } from '../support/zookeeper.ts';
import { directoryContract } from './directory.ts';
import test from 'node:test';

const ROOT = '/kim-contract';

if (noZookeeper !== false) test('zookeeper: the contract of directories', { skip: noZookeeper });
else {
  directoryContract('zookeeper', {
    isWritable: true,
    async place(t) {
      const server = await startZookeeper(t);
      return {
        directory: () => new ZookeeperDirectory({ servers: server.address, root: ROOT, types: ['gate', 'logic'], sessionTimeoutMs: 2000 }),
        async wipe() {
          const raw = await rawClient(t, server.address);
          for (const path of Object.keys(await tree(raw, ROOT))) if (path.split('/').length === 3) await raw.remove(`${ROOT}/${path}`);
        },
        stop: () => server.stop(),
        start: ({ empty }) => server.start({ isEmpty: empty }),
      };
    },
  });
}
