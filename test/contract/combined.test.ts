// Several directories as one: their lists are one list, and losing one is no outage.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { CombinedDirectory } from '../../src/cluster/directories/combined.ts';
import { FileDirectory } from '../../src/cluster/directories/file.ts';
import type { Announcement, Directory, DirectoryEvents, DirectoryHealth } from '../../src/cluster/directory.ts';
import type { Member } from '../../src/cluster/member.ts';
import { blockFolder, folderNames, removeFolder } from '../support/folders.ts';
import { until } from '../support/until.ts';
import { directoryContract, nodeOf, Watched } from './directory.ts';

const newFolder = folderNames('kim-combined');
let handles = 0;
directoryContract('combined', {
  isWritable: true,
  place: () => {
    const folders = [newFolder(), newFolder()];
    return Promise.resolve({
      directory: () => {
        const writer = `${++handles}`;
        return new CombinedDirectory(folders.map((folder) => new FileDirectory({ folder, pollMs: 50, writer })));
      },
      wipe: () => Promise.resolve(folders.forEach(removeFolder)),
      stop: () => Promise.resolve(folders.forEach(blockFolder)),
      start: () => Promise.resolve(folders.forEach((folder) => rmSync(folder))),
    });
  },
});

/** A directory that says what the test says. */
class Said implements Directory {
  readonly name: string;
  health: DirectoryHealth = { state: 'connecting', detail: 'connecting' };
  announced: Announcement[] = [];
  #events: DirectoryEvents | undefined;

  constructor(name: string) {
    this.name = name;
  }

  open(events: DirectoryEvents): void {
    this.#events = events;
  }

  say(...nodes: Announcement[]): void {
    this.#events!.members(nodes.map((node): Member => ({ ...node, source: this.name })));
  }

  become(state: DirectoryHealth['state'], detail = `it is ${state}`): void {
    this.health = { state, detail };
    this.#events!.health(this.health);
  }

  announce(self: Announcement): Promise<void> {
    this.announced.push(self);
    return this.health.state === 'up' ? Promise.resolve() : new Promise(() => undefined);
  }

  withdraw(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function two(t: TestContext, graceMs = 60_000, isLinked?: (address: string) => boolean) {
  const [first, second] = [new Said('zookeeper'), new Said('file')];
  let now = 0;
  const combined = new CombinedDirectory([first, second], { graceMs, isLinked, now: () => now });
  const watched = new Watched(t, combined);
  const pass = (ms: number) => {
    now += ms;
  };
  return { first, second, combined, watched, pass };
}

const names = ({ members }: Watched) => members.map(({ name }) => name).sort();

test('lists are merged by address, and of two records the newer counts', (t) => {
  const { first, second, watched } = two(t);
  first.become('up');
  second.become('up');
  first.say(nodeOf(1), nodeOf(2));
  second.say(nodeOf(1, { name: 'newer', activeTime: 1_800_000_000.5 }), nodeOf(3));
  assert.deepEqual(names(watched), ['kim-2', 'kim-3', 'newer']);
});

test('losing one is a detail, losing all is down, and what was known stays known', (t) => {
  const { first, second, combined, watched } = two(t);
  first.become('up');
  second.become('up');
  first.say(nodeOf(1));
  second.say(nodeOf(2));
  first.become('down', 'no server answers');
  assert.deepEqual(combined.health, { state: 'up', detail: 'file is up; zookeeper is down: no server answers' });
  assert.deepEqual(names(watched), ['kim-1', 'kim-2']);
  second.become('down', 'the disk is full');
  assert.equal(combined.health.state, 'down');
  assert.match(combined.health.detail, /no server answers.*the disk is full/);
  assert.deepEqual(names(watched), ['kim-1', 'kim-2']);
  assert.deepEqual(
    combined.parts.map(({ name, health }) => [name, health.state]),
    [
      ['zookeeper', 'down'],
      ['file', 'down'],
    ],
  );
});

test('one that is back and empty proves nothing, for a while', (t) => {
  const { first, second, watched, pass } = two(t);
  first.become('up');
  first.say(nodeOf(1), nodeOf(2));
  second.become('down');
  first.become('down');
  first.become('up');
  first.say();
  assert.deepEqual(names(watched), ['kim-1', 'kim-2']);
  first.say(nodeOf(1));
  assert.deepEqual(names(watched), ['kim-1', 'kim-2']);
  pass(60_001);
  first.say(nodeOf(1));
  assert.deepEqual(names(watched), ['kim-1'], 'the other has not come back');
});

test('what vanished is forgotten by itself when its time is over', async (t) => {
  const { first, watched, pass } = two(t, 20);
  first.become('up');
  first.say(nodeOf(1));
  first.become('down');
  first.become('up');
  first.say();
  pass(21);
  await until(() => watched.members.length === 0, 'it is forgotten');
});

test('another directory that was there all the time is believed at once', (t) => {
  const { first, second, watched } = two(t);
  first.become('up');
  second.become('up');
  first.say(nodeOf(1), nodeOf(2));
  second.say(nodeOf(1), nodeOf(2));
  first.become('down');
  second.say(nodeOf(1));
  first.become('up');
  first.say(nodeOf(1));
  assert.deepEqual(names(watched), ['kim-1']);
});

test('it is announced in all, and that is so when one of them has it', async (t) => {
  const { first, second, combined } = two(t);
  second.become('up');
  await combined.announce(nodeOf(1));
  assert.deepEqual([first.announced.length, second.announced.length], [1, 1]);
});

test('one that never knew a member has nothing to say about it', (t) => {
  const { first, second, watched } = two(t);
  first.become('up');
  second.become('up');
  // the folder of one machine beside the ZooKeeper of all
  first.say(nodeOf(1), nodeOf(2));
  second.say(nodeOf(1));
  first.become('down');
  first.become('up');
  first.say();
  assert.deepEqual(names(watched), ['kim-1', 'kim-2']);
});

test('one that took a member off while the other was lost is believed when that is back', (t) => {
  const { first, second, watched } = two(t);
  first.become('up');
  second.become('up');
  first.say(nodeOf(1), nodeOf(2));
  second.say(nodeOf(1), nodeOf(2));
  first.become('down');
  second.say(nodeOf(1));
  assert.deepEqual(names(watched), ['kim-1', 'kim-2'], 'a lost directory keeps its last list');
  first.become('up');
  first.say();
  assert.deepEqual(names(watched), ['kim-1']);
});

test('one that took a member off and has it again does not deny it', (t) => {
  const { first, second, watched } = two(t);
  first.become('up');
  second.become('up');
  first.say(nodeOf(1));
  second.say(nodeOf(1));
  second.say();
  second.say(nodeOf(1));
  first.become('down');
  first.become('up');
  first.say();
  second.become('down');
  second.become('up');
  second.say();
  assert.deepEqual(names(watched), ['kim-1'], 'both are back and empty, which proves nothing');
});

test('what is kept for a while is kept for ever when the directory is lost again meanwhile', (t) => {
  const { first, watched, pass } = two(t);
  first.become('up');
  first.say(nodeOf(1), nodeOf(2));
  first.become('down');
  first.become('up');
  first.say();
  first.become('down');
  pass(600_000);
  first.become('up');
  first.say(nodeOf(1));
  assert.deepEqual(names(watched), ['kim-1', 'kim-2'], 'it has a while anew');
  pass(60_001);
  first.say(nodeOf(1));
  assert.deepEqual(names(watched), ['kim-1']);
});

test('what is kept does not go by itself while the directory is lost again', async (t) => {
  const { first, second, watched, pass } = two(t, 20);
  first.become('up');
  second.become('up');
  first.say(nodeOf(1));
  first.become('down');
  first.become('up');
  first.say();
  first.become('down');
  pass(21);
  second.say(nodeOf(2));
  assert.deepEqual(names(watched), ['kim-1', 'kim-2']);
});

test('of records that are equally old the one of a directory that is up counts, not what a lost one knew last', (t) => {
  const { first, second, watched } = two(t);
  first.become('up');
  second.become('up');
  first.say(nodeOf(1));
  second.say(nodeOf(1));
  first.become('down');
  second.say(nodeOf(1, { facts: { ...nodeOf(1).facts!, state: 'draining' } }));
  assert.equal(watched.members[0]!.facts!.state, 'draining');
});

test('a member with links that are up is kept longer', (t) => {
  const linked = new Set(['127.0.0.1:3001']);
  const { first, watched, pass } = two(t, 60_000, (address) => linked.has(address));
  first.become('up');
  first.say(nodeOf(1), nodeOf(2));
  first.become('down');
  first.become('up');
  first.say();
  pass(60_001);
  first.say();
  assert.deepEqual(names(watched), ['kim-1']);
  linked.clear();
  pass(60_001);
  first.say();
  assert.deepEqual(names(watched), []);
});

test('nothing is told after it was closed', async (t) => {
  const { first, combined, watched } = two(t);
  first.become('up');
  await combined.close();
  const told = watched.healths.length;
  first.become('down');
  first.say(nodeOf(1));
  assert.deepEqual([watched.healths.length, watched.lists.length], [told, 0]);
});
