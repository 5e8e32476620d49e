// Gates and a logic worker with their messengers, joined by links that the test delivers (support/fake-cluster.ts).

import assert from 'node:assert/strict';
import type { MessengerSettings } from '../../src/cluster/messenger.ts';
import { FakeCluster, type FakeClient, type FakeWorker } from './fake-cluster.ts';

/** Three gates a, b and c, and a logic worker l. */
export function messengers(settings: Partial<MessengerSettings> = {}) {
  const cluster = new FakeCluster();
  const [a, b, c] = [cluster.add('a', 'gate', settings), cluster.add('b', 'gate', settings), cluster.add('c', 'gate', settings)];
  const logic = cluster.add('l', 'logic', settings);
  /** Runs the cluster until the promise is settled, and everything else too. */
  const done = async <T>(promise: Promise<T>): Promise<T> => {
    await cluster.run();
    return promise;
  };
  const login = async (at: FakeWorker, session: string, user: string): Promise<FakeClient> => {
    const one = at.connect(session);
    await done(at.messenger.bind({ id: session, peer: undefined }, user));
    return one;
  };
  /** Ends all connections; then nobody may remember anything. */
  const end = async () => {
    for (const worker of cluster.workers) if (worker.isAlive) for (const one of [...worker.sessions.values()]) worker.close(one);
    await cluster.run();
    for (const worker of cluster.workers) if (worker.isAlive) assert.ok(worker.isEmpty, `worker ${worker.id} remembers somebody`);
  };
  const count = (cmd: number) => cluster.asked.filter((ask) => ask.endsWith(` ${cmd}`)).length;
  return { cluster, a, b, c, logic, done, login, end, count };
}

export const push = (worker: FakeWorker, user: string, text: string) => worker.messenger.push(user, 2001, text);
