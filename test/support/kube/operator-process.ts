// An operator in a process of its own, which reaches the API server as one in a pod does: by the files of a service account. Started with a folder
// and the folder of those files; it tells its parent its ports, and ends when it is told to or its parent is gone.

import { findKube } from '../../../src/kube/config.ts';
import { Operator } from '../../../src/operator/run/operator.ts';
import { createLogger } from '../../../src/ops/log.ts';

const [account, host, port] = process.argv.slice(2) as [string, string, string];
const env = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port };
const operator = await Operator.start({
  access: await findKube({ env, account }),
  log: createLogger({ name: 'operator', level: 'warn' }),
  namespace: 'default',
  namespaces: [],
  leaseName: 'kimserver-operator',
  keySecret: 'kimserver-operator-key',
  facts: { version: '0.1.0', podLabels: {}, image: 'localhost/kimserver:0.1.0', zookeeperImage: 'zookeeper:3.9', imageVolumes: false },
  healthPort: 0,
  metricsPort: 0,
});
process.send?.({ ports: operator.ports });
process.on('disconnect', () => void operator.stop().then(() => process.exit()));
