// An operator in a process of its own. Its parent gives it what it needs as JSON and is told its ports; it ends when it is told to, when its parent
// is gone, and, for tests of that, right before or after a request that it makes.

import { subscribe } from 'node:diagnostics_channel';
import { findKube, type KubeConfigOptions } from '../../../src/kube/config.ts';
import { Operator, type OperatorOptions } from '../../../src/operator/run/operator.ts';
import { createLogger } from '../../../src/ops/log.ts';

/** What the parent gives. */
export interface ProcessSettings {
  readonly kube: KubeConfigOptions;
  readonly image: string;
  readonly namespace: string;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  /** A request, as "PATCH /path", of which the process dies: "before" it leaves, or "after" it has been answered. */
  readonly dies?: { readonly when: 'before' | 'after'; readonly request: string } | undefined;
}

const settings = JSON.parse(process.argv[2]!) as ProcessSettings;
const { kube, image, namespace, namespaces, dies } = settings;
if (dies !== undefined) dieOf(dies);
const options: OperatorOptions = {
  access: await findKube(kube),
  log: createLogger({ name: 'operator', level: 'warn' }),
  namespace,
  namespaces,
  leaseName: 'kimserver-operator',
  keySecret: 'kimserver-operator-key',
  facts: { version: '0.1.0', podLabels: {}, image, zookeeperImage: 'zookeeper:3.9', imageVolumes: false },
  healthPort: 0,
  metricsPort: 0,
};
const operator = await Operator.start(options);
process.send?.({ ports: operator.ports });
process.on('disconnect', () => void operator.stop().then(() => process.exit()));

/** At once, as when a machine fails: nothing is finished and the lease is not given back. */
function dieOf({ when, request: wanted }: NonNullable<ProcessSettings['dies']>): void {
  const pattern = new RegExp(wanted);
  subscribe(when === 'before' ? 'http.client.request.start' : 'http.client.response.finish', (message) => {
    const { method, path } = (message as { request: { method: string; path: string } }).request;
    if (pattern.test(`${method} ${path}`)) process.kill(process.pid, 'SIGKILL');
  });
}
