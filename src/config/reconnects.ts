// How many clients may come to one node each second: what a drain is paced by, in the node that drains and in the operator.

import type { NodeConfig } from './options.ts';

/** Clients that come back to one node in a second without harm. */
const RECONNECTS_PER_SECOND = 200;

/** The same for a node with these options: it may accept fewer. */
export function reconnectsPerSecond({ accept_rate: rate }: Pick<NodeConfig, 'accept_rate'>): number {
  return rate === 0 ? RECONNECTS_PER_SECOND : Math.min(rate, RECONNECTS_PER_SECOND);
}
