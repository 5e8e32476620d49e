// Groups of clients: membership from both sides, limits, and members that leave while somebody counts them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Groups, type GroupLimits } from '../../../src/session/groups.ts';
import { fc, forAll } from '../../support/property.ts';

const limits: GroupLimits = { perClient: 3, members: 4, groups: 5 };

test('members get in and out, and a group is as long as it has members', () => {
  const groups = new Groups<{ id: number }>(limits);
  const [a, b] = [{ id: 1 }, { id: 2 }];
  assert.equal(groups.join(a, 'red'), true);
  assert.equal(groups.join(a, 'red'), true);
  assert.equal(groups.join(b, 'red'), true);
  assert.equal(groups.join(a, 'blue'), true);
  assert.deepEqual([...groups.members('red')], [a, b]);
  assert.deepEqual(groups.groupsOf(a), ['red', 'blue']);
  assert.equal(groups.leave(a, 'red'), true);
  assert.equal(groups.leave(a, 'red'), false);
  assert.equal(groups.leave(b, 'green'), false);
  assert.deepEqual([...groups.members('red')], [b]);
  groups.forget(a);
  groups.forget(a);
  assert.deepEqual([groups.size, groups.clients, groups.members('blue').size], [1, 1, 0]);
  groups.forget(b);
  assert.deepEqual([groups.size, groups.clients], [0, 0]);
});

test('limits hold for groups of a client, members of a group and all groups, and leave nothing half done', () => {
  const groups = new Groups<object>(limits);
  const clients = Array.from({ length: 6 }, () => ({}));
  for (const name of ['a', 'b', 'c']) assert.equal(groups.join(clients[0]!, name), true);
  assert.equal(groups.join(clients[0]!, 'd'), false);
  for (const client of clients.slice(1, 4)) assert.equal(groups.join(client, 'a'), true);
  assert.equal(groups.join(clients[4]!, 'a'), false);
  assert.equal(groups.join(clients[0]!, 'a'), true, 'who is a member already may join a full group');
  assert.equal(groups.join(clients[4]!, 'd'), true);
  assert.equal(groups.join(clients[4]!, 'e'), true);
  assert.equal(groups.join(clients[5]!, 'f'), false);
  assert.deepEqual([groups.size, groups.clients, groups.groupsOf(clients[5]!)], [5, 5, []]);
});

test('members that leave while they are walked through are not met any more', () => {
  const groups = new Groups<{ id: number }>({ ...limits, members: 100 });
  const clients = Array.from({ length: 10 }, (_, id) => ({ id }));
  for (const client of clients) groups.join(client, 'red');
  const met: number[] = [];
  for (const { id } of groups.members('red')) {
    met.push(id);
    if (id === 3) for (const client of clients) if (client.id % 2 === 0) groups.forget(client);
    if (id === 5) groups.leave(clients[5]!, 'red');
  }
  assert.deepEqual(met, [0, 1, 2, 3, 5, 7, 9]);
  assert.equal(groups.members('red').size, 4);
});

const step = fc.record({
  kind: fc.constantFrom('join', 'leave', 'forget'),
  client: fc.nat({ max: 5 }),
  group: fc.constantFrom('a', 'b', 'c'),
});

test('groups of a client and members of a group always agree with a plain list of pairs', () => {
  forAll(fc.array(step, { maxLength: 80 }), (steps) => {
    const groups = new Groups<{ id: number }>({ perClient: 9, members: 9, groups: 9 });
    const clients = Array.from({ length: 6 }, (_, id) => ({ id }));
    const pairs = new Set<string>();
    for (const { kind, client, group } of steps) {
      const one = clients[client]!;
      const pair = `${client} ${group}`;
      if (kind === 'join') {
        groups.join(one, group);
        pairs.add(pair);
      } else if (kind === 'leave') assert.equal(groups.leave(one, group), pairs.delete(pair));
      else {
        groups.forget(one);
        for (const each of pairs) if (each.startsWith(`${client} `)) pairs.delete(each);
      }
      const fromClients = clients.flatMap((each) => groups.groupsOf(each).map((name) => `${each.id} ${name}`));
      const fromGroups = ['a', 'b', 'c'].flatMap((name) => [...groups.members(name)].map(({ id }) => `${id} ${name}`));
      assert.deepEqual(fromClients.toSorted(), [...pairs].toSorted());
      assert.deepEqual(fromGroups.toSorted(), [...pairs].toSorted());
    }
    for (const client of clients) groups.forget(client);
    assert.deepEqual([groups.size, groups.clients], [0, 0]);
  });
});
