// kim operator: keeps KimClusters in Kubernetes as their specs say, until it is told to end.

import { findKube } from '../../kube/config.ts';
import { createLogger } from '../../ops/log.ts';
import { parseLevel } from '../../ops/levels.ts';
import { exitCodes } from '../../node/exit-codes.ts';
import { Operator } from '../../operator/run/operator.ts';
import { version } from '../../version.ts';
import { Failure, UsageError } from '../problem.ts';

interface OperatorCommandOptions {
  namespaces: string | undefined;
  leaseName: string | undefined;
  leaseNamespace: string | undefined;
  metricsPort: number;
  healthPort: number;
  logLevel: string | undefined;
  kubeconfig: string | undefined;
  imageVolumes: boolean;
}

const DEFAULT_LEASE = 'kimserver-operator';
const DEFAULT_ZOOKEEPER = 'zookeeper:3.9';

/** Resolves with the exit code when it has ended. */
export async function runOperator(options: OperatorCommandOptions): Promise<number> {
  const level = parseLevel(options.logLevel ?? 'info');
  if (level === undefined) throw new UsageError(`--log-level "${options.logLevel}" is no level; take debug, info, warn or error`);
  const log = createLogger({ name: 'kimserver-operator', level });
  const { env } = process;
  const access = await findKube({ ...(options.kubeconfig !== undefined && { kubeconfig: options.kubeconfig }) }).catch((error: unknown) => {
    throw new Failure((error as Error).message, { exitCode: exitCodes.failed, cause: error });
  });
  const leaseName = options.leaseName ?? DEFAULT_LEASE;
  let operator: Operator;
  try {
    operator = await Operator.start({
      access,
      log,
      namespace: options.leaseNamespace ?? env['POD_NAMESPACE'] ?? access.namespace,
      namespaces: (options.namespaces ?? '').split(',').filter((name) => name !== ''),
      leaseName,
      keySecret: env['KIMSERVER_KEY_SECRET'] ?? `${leaseName}-key`,
      facts: {
        version,
        podLabels: labelsOf(env['KIMSERVER_POD_LABELS'] ?? ''),
        image: env['KIMSERVER_NODE_IMAGE'] ?? `kimserver:${version}`,
        zookeeperImage: env['KIMSERVER_ZOOKEEPER_IMAGE'] ?? DEFAULT_ZOOKEEPER,
        imageVolumes: options.imageVolumes,
      },
      healthPort: options.healthPort,
      metricsPort: options.metricsPort,
    });
  } catch (error) {
    throw new Failure((error as Error).message, { exitCode: exitCodes.failed, cause: error });
  }
  log.info('operator started', { version, server: access.server.href, namespaces: options.namespaces ?? 'all', ports: operator.ports });
  const told = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const reason = await Promise.race([told, operator.ended]);
  log.info('operator ends', { reason });
  await operator.stop();
  log.flush();
  // who lost its lease is started anew
  return reason.startsWith('SIG') ? exitCodes.ok : exitCodes.failed;
}

/** "a=b,c=d", as a selector is written. */
function labelsOf(text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
