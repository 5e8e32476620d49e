// How fast clients may leave a node: as fast as the others can take them in.

import { addressOf, type Member } from '../cluster/member.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { reconnectsPerSecond } from '../config/reconnects.ts';

/** Clients that the others of the node's type can take in each second, which have the same options; undefined where none is known. */
export function paceOf(
  members: readonly Member[],
  { node_type: type, node_host: host, ...options }: Pick<NodeConfig, 'node_type' | 'node_host' | 'accept_rate'>,
  port: number | undefined,
): number | undefined {
  const self = addressOf({ host, port: port ?? 0 });
  const others = members.filter((one) => one.type === type && one.facts?.state !== 'draining' && addressOf(one) !== self).length;
  if (others === 0) return undefined;
  return others * reconnectsPerSecond(options);
}
