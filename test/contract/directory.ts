// What every directory promises (src/cluster/directory.ts), whatever it is made of: one suite for all of them.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Announcement, Directory, DirectoryHealth } from '../../src/cluster/directory.ts';
import { addressOf, mergeMembers, type Member } from '../../src/cluster/member.ts';
import { until } from '../support/until.ts';

/** One place where nodes announce themselves. */
export interface Place {
  /** A further handle on it, as another process has one; not opened yet. */
  directory(): Directory;
  /** Removes every record behind the back of those who wrote them. */
  wipe?(): Promise<void>;
  /** Makes it unreachable, and reachable again; what it held is gone if `empty` says so. */
  stop?(): Promise<void>;
  start?(options: { empty: boolean }): Promise<void>;
  /** Announces a node in a process of its own, which can be killed; resolves when it is announced. */
  process?(announcement: Announcement): Promise<{ kill(): Promise<void> }>;
}

export interface Contract {
  /** False for a directory in which nobody announces anything: then only what reads is looked at. */
  isWritable: boolean;
  /** Where the nodes of the suite are; 127.0.0.1 unless given. */
  host?: string;
  place(t: TestContext): Promise<Place>;
}

export const nodeOf = anyNode;

function anyNode(n: number, values: Partial<Announcement> = {}): Announcement {
  return {
    type: n % 2 === 0 ? 'logic' : 'gate',
    host: '127.0.0.1',
    port: 3000 + n,
    workers: 1 + (n % 3),
    activeTime: 1_700_000_000.5 + n,
    name: `kim-${n}`,
    facts: { state: 'serving', version: '1.2.3', connections: n, gate: n % 2 === 0 ? '' : `127.0.0.1:${4000 + n}` },
    ...values,
  };
}

/** A directory that is open, and what it has told. */
export class Watched {
  readonly directory: Directory;
  lists: (readonly Member[])[] = [];
  healths: DirectoryHealth[] = [];

  constructor(t: TestContext, directory: Directory) {
    this.directory = directory;
    t.after(() => directory.close());
    directory.open({
      members: (list) => void this.lists.push(list),
      health: (health) => void this.healths.push(health),
    });
  }

  /** The newest record of each address, without where it was read. */
  get members(): Announcement[] {
    return mergeMembers([this.lists.at(-1) ?? []]);
  }

  async sees(wanted: readonly Announcement[], what: string): Promise<void> {
    const expected = mergeMembers([wanted.map((announcement) => ({ ...announcement, source: '' }))]);
    try {
      await until(() => JSON.stringify(order(this.members)) === JSON.stringify(order(expected)), what);
    } catch {
      assert.deepEqual(order(this.members), order(expected), what);
    }
  }
}

/** Keys in one order, whoever wrote them. */
const order = (list: readonly Announcement[]) =>
  list.map(({ type, host, port, workers, activeTime, name, facts }) => ({
    type,
    host,
    port,
    workers,
    activeTime,
    name,
    facts: facts && { ...sorted(facts) },
  }));
const sorted = (facts: object) => Object.fromEntries(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));

export function directoryContract(name: string, { isWritable, place, host = '127.0.0.1' }: Contract): void {
  const nodeOf = (n: number, values: Partial<Announcement> = {}) => anyNode(n, { host, ...values });

  test(`${name}: is up, says so in a sentence, and tells who there is without being asked`, async (t) => {
    const { directory } = await place(t);
    const watched = new Watched(t, directory());
    await until(() => watched.directory.health.state === 'up', 'it is up');
    await until(() => watched.lists.length > 0, 'it has told a list, be it empty');
    assert.match(watched.directory.health.detail, /\S/);
  });

  test(`${name}: closing it ends it, also before it was up and more than once, and nothing is told afterwards`, async (t) => {
    const { directory } = await place(t);
    const early = new Watched(t, directory());
    await early.directory.close();
    const told = early.lists.length;
    await early.directory.close();
    assert.equal(early.lists.length, told);
  });

  if (!isWritable) return;

  test(`${name}: an announcement is there when it says so, for others and for itself`, async (t) => {
    const { directory } = await place(t);
    const [a, b] = [new Watched(t, directory()), new Watched(t, directory())];
    await a.directory.announce(nodeOf(1));
    await Promise.all([a, b].map((each) => each.sees([nodeOf(1)], 'the node is seen')));
    const late = new Watched(t, directory());
    await late.sees([nodeOf(1)], 'the node is seen by who comes later');
  });

  test(`${name}: what is told is always the whole list`, async (t) => {
    const { directory } = await place(t);
    const nodes = [1, 2, 3, 4].map((n) => nodeOf(n));
    const all = nodes.map(() => new Watched(t, directory()));
    await Promise.all(all.map(({ directory: own }, i) => own.announce(nodes[i]!)));
    await Promise.all(all.map((each) => each.sees(nodes, 'everybody sees everybody')));
    await all[2]!.directory.close();
    const rest = nodes.filter((_, i) => i !== 2);
    await Promise.all(all.filter((_, i) => i !== 2).map((each) => each.sees(rest, 'one has gone')));
  });

  test(`${name}: what changes is seen, and the record stays one`, async (t) => {
    const { directory } = await place(t);
    const [a, b] = [new Watched(t, directory()), new Watched(t, directory())];
    await a.directory.announce(nodeOf(1));
    await b.sees([nodeOf(1)], 'the node is seen');
    const more = nodeOf(1, { workers: 7, activeTime: 1_700_000_100.25 });
    await a.directory.announce(more);
    await b.sees([more], 'its workers have changed');
    const fuller = { ...more, facts: { ...more.facts!, connections: 4711 } };
    await a.directory.announce(fuller);
    await b.sees([fuller], 'its facts have changed');
    assert.equal(new Set(b.lists.at(-1)!.map(addressOf)).size, b.lists.at(-1)!.length);
  });

  test(`${name}: a node that drains is seen draining until it is gone`, async (t) => {
    const { directory } = await place(t);
    const [a, b] = [new Watched(t, directory()), new Watched(t, directory())];
    await a.directory.announce(nodeOf(1));
    await b.sees([nodeOf(1)], 'the node is seen');
    const draining = nodeOf(1, { facts: { ...nodeOf(1).facts!, state: 'draining' } });
    await a.directory.announce(draining);
    await b.sees([draining], 'it drains');
    await a.directory.withdraw();
    await b.sees([], 'it is gone');
  });

  test(`${name}: of several announcements in a row the last counts`, async (t) => {
    const { directory } = await place(t);
    const [a, b] = [new Watched(t, directory()), new Watched(t, directory())];
    const last = nodeOf(1, { workers: 9, activeTime: 1_700_000_009.5 });
    const all = [1, 2, 3, 4].map((workers) => a.directory.announce(nodeOf(1, { workers, activeTime: 1_700_000_000.5 + workers })));
    await Promise.all([...all, a.directory.announce(last)]);
    await b.sees([last], 'the last one is seen');
  });

  test(`${name}: of two nodes that announce one address the newer counts`, async (t) => {
    const { directory } = await place(t);
    const [a, b, c] = [new Watched(t, directory()), new Watched(t, directory()), new Watched(t, directory())];
    const older = nodeOf(1, { name: 'kim-older' });
    const newer = nodeOf(1, { name: 'kim-newer', workers: 5, activeTime: 1_700_000_500.75 });
    await a.directory.announce(older);
    await c.sees([older], 'the older is seen');
    await b.directory.announce(newer);
    await c.sees([newer], 'the newer counts');
  });

  test(`${name}: a node that goes and comes ten times is there at the end, once`, async (t) => {
    const { directory } = await place(t);
    const [a, b] = [new Watched(t, directory()), new Watched(t, directory())];
    for (let i = 0; i < 10; i++) {
      await a.directory.announce(nodeOf(1, { activeTime: 1_700_000_000.5 + i }));
      await a.directory.withdraw();
    }
    const last = nodeOf(1, { activeTime: 1_700_000_099.5 });
    await a.directory.announce(last);
    await b.sees([last], 'it is there');
  });

  test(`${name}: a node whose process is killed is gone without having said so`, async (t) => {
    const there = await place(t);
    if (there.process === undefined) return;
    const watched = new Watched(t, there.directory());
    await watched.directory.announce(nodeOf(1));
    const other = await there.process(nodeOf(2));
    await watched.sees([nodeOf(1), nodeOf(2)], 'both are seen');
    await other.kill();
    await watched.sees([nodeOf(1)], 'the one that was killed is gone');
  });

  test(`${name}: a record that somebody removed is put back`, async (t) => {
    const { directory, wipe } = await place(t);
    if (wipe === undefined) return;
    const [a, b] = [new Watched(t, directory()), new Watched(t, directory())];
    await a.directory.announce(nodeOf(1));
    await b.sees([nodeOf(1)], 'the node is seen');
    await wipe();
    await until(() => b.lists.some((list, i) => i > 0 && list.length === 0) || b.members.length === 1, 'it may have been gone');
    await until(() => b.members.length === 1, 'it is back');
  });

  test(`${name}: an announcement made while it can not be reached is made when it can, and the others keep what they knew`, async (t) => {
    const { directory, stop, start } = await place(t);
    if (stop === undefined || start === undefined) return;
    const [a, b] = [new Watched(t, directory()), new Watched(t, directory())];
    await a.directory.announce(nodeOf(1));
    await b.sees([nodeOf(1)], 'the node is seen');
    await stop();
    await until(() => b.directory.health.state === 'down', 'it is down');
    const announced = b.directory.announce(nodeOf(2));
    await b.sees([nodeOf(1)], 'what was known stays known');
    await start({ empty: true });
    await announced;
    await until(() => a.members.length === 2 && b.members.length === 2, 'both are there, though it came back empty');
  });
}
