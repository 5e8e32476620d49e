// The directory that a configuration asks for.

import { configuredDirectories, knownTypes } from '../../config/discovery.ts';
import type { NodeConfig } from '../../config/node-config.ts';
import type { Logger } from '../../ops/log.ts';
import type { Directory } from '../directory.ts';
import { CombinedDirectory } from './combined.ts';
import { FileDirectory } from './file.ts';
import { KubernetesDirectory } from './kubernetes.ts';
import { StaticDirectory } from './static.ts';
import { ZookeeperDirectory } from './zookeeper.ts';

/** Undefined for a node that is alone. Throws one sentence for what can not be used. */
export function directoryOf(config: NodeConfig, log: Logger): Directory | undefined {
  const names = config.discovery.length > 0 ? config.discovery : configuredDirectories(config);
  const directories = names.map((name): Directory => {
    if (name === 'file') return new FileDirectory({ folder: config.directory_path });
    if (name === 'static') return new StaticDirectory(config.members);
    if (name === 'kubernetes') return kubernetes(config, log);
    const { servers, root, session_timeout_ms, auth, acl } = config.zookeeper;
    const [user, ...password] = auth.split(':');
    return new ZookeeperDirectory({
      servers,
      root,
      types: knownTypes(config),
      sessionTimeoutMs: session_timeout_ms,
      auth: auth === '' ? undefined : { user: user!, password: password.join(':') },
      acl,
      log,
    });
  });
  // also around a single one: what it knew before it was lost outlives its loss
  return directories.length === 0 ? undefined : new CombinedDirectory(directories);
}

function kubernetes({ kubernetes_selector: selector, kubernetes_namespace: wanted }: NodeConfig, log: Logger): Directory {
  return new KubernetesDirectory({
    selector,
    log,
    // loaded where it is needed only
    async connect() {
      const [{ KubeClient }, { findKube }] = await Promise.all([import('../../kube/client.ts'), import('../../kube/config.ts')]);
      const access = await findKube();
      return { client: new KubeClient({ access }), namespace: wanted === '' ? access.namespace : wanted };
    },
  });
}
