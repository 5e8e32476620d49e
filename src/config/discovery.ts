// What the options of discovery mean together.

import type { DirectoryName } from './cluster-options.ts';
import type { NodeConfig } from './options.ts';

/** What the originals are made of, and what is known without being told. */
const USUAL_TYPES = ['gate', 'logic'];

/** Node types that the node wants to know: those that are asked for, its own, and those of its routes. Each once. */
export function knownTypes(
  config: Pick<NodeConfig, 'watch_types' | 'node_type' | 'routes'> & {
    readonly zookeeper: Pick<NodeConfig['zookeeper'], 'watch_node_type'>;
  },
): string[] {
  const asked = [config.watch_types, config.zookeeper.watch_node_type].find((types) => types.length > 0) ?? USUAL_TYPES;
  return [...new Set([...asked, config.node_type, ...config.routes.map(({ to }) => to)])];
}

/** The directories for which there is what they need, the preferred one first. */
export function configuredDirectories(
  config: Pick<NodeConfig, 'directory_path' | 'kubernetes_selector' | 'members' | 'zookeeper'>,
): DirectoryName[] {
  const has: Readonly<Record<DirectoryName, boolean>> = {
    zookeeper: config.zookeeper.is_open,
    kubernetes: config.kubernetes_selector !== '',
    file: config.directory_path !== '',
    static: config.members.length > 0,
  };
  return (['zookeeper', 'kubernetes', 'file', 'static'] as const).filter((name) => has[name]);
}
