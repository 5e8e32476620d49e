// The part of a client's host that only a cluster has, for tests without one.

import type { ClientHost } from '../../src/session/client.ts';

const none = () => Promise.reject(new Error('there is no cluster'));

export const noCluster: Pick<ClientHost, 'bind' | 'unbind' | 'join' | 'leave' | 'kick'> = {
  bind: none,
  unbind: none,
  join: none,
  leave: none,
  kick: () => undefined,
};
