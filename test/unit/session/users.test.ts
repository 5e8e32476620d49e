// Which user is which client, and who of two logins stays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Users, type Begun, type Login, type UserClient } from '../../../src/session/users.ts';
import { fc, forAll } from '../../support/property.ts';

const client = (id: string): UserClient => ({ id, userId: '', origin: Buffer.from(id) });

function begun<C>(result: Begun<C>): { login: Login<C>; replaced: C | undefined } {
  if (result.state !== 'begun') assert.fail(`the login is ${result.state}`);
  return result;
}

test('a client is the user that it logged in as, until it is forgotten', () => {
  const users = new Users();
  const ann = client('s1');
  const { login, replaced } = begun(users.begin(ann, 'ann', 'replace', 100));
  assert.deepEqual([replaced, ann.userId, ann.origin, users.clientOf('ann'), users.size], [undefined, 'ann', undefined, ann, 1]);
  assert.equal(users.complete(login), true);
  assert.equal(users.begin(ann, 'ann', 'replace', 101).state, 'same');
  assert.equal(users.forget(ann), 'ann');
  assert.deepEqual([ann.userId, users.clientOf('ann'), users.size], ['', undefined, 0]);
  assert.equal(users.forget(ann), '');
});

test('a client that logs in as somebody else is the one before no more', () => {
  for (const policy of ['replace', 'refuse'] as const) {
    const users = new Users();
    const one = client('s1');
    users.complete(begun(users.begin(one, 'ann', policy, 100)).login);
    users.complete(begun(users.begin(one, 'bob', policy, 101)).login);
    assert.deepEqual([one.userId, users.clientOf('ann'), users.clientOf('bob'), users.size], ['bob', undefined, one, 1]);
  }
});

test('a second login replaces the first, or is refused, as the policy says', () => {
  const users = new Users();
  const [first, second] = [client('s1'), client('s2')];
  const { login } = begun(users.begin(first, 'ann', 'replace', 100));
  assert.equal(users.begin(second, 'ann', 'refuse', 101).state, 'refused');
  assert.equal(users.clientOf('ann'), first);
  assert.equal(begun(users.begin(second, 'ann', 'replace', 101)).replaced, first);
  assert.deepEqual([first.userId, second.userId, users.clientOf('ann')], ['', 'ann', second]);
  assert.equal(users.complete(login), false);
  users.drop(login);
  assert.equal(users.clientOf('ann'), second, 'the end of an old login does not end the new one');
  users.forget(first);
  assert.equal(users.clientOf('ann'), second);
});

test('a login that may be refused takes nothing before it is complete', () => {
  const users = new Users();
  const one = client('s1');
  const { login } = begun(users.begin(one, 'ann', 'refuse', 100));
  assert.deepEqual([one.userId, users.clientOf('ann'), users.loginOf('ann')], ['', undefined, login]);
  assert.equal(users.begin(one, 'ann', 'refuse', 100).state, 'refused');
  assert.equal(users.complete(login), true);
  assert.deepEqual([one.userId, users.clientOf('ann')], ['ann', one]);
});

test('of logins at two workers the later stays: by time, then by session', () => {
  for (const [mine, other, state] of [
    [{ session: 's5', time: 100 }, { session: 's1', time: 101 }, 'replaced'],
    [{ session: 's5', time: 100 }, { session: 's9', time: 100 }, 'replaced'],
    [{ session: 's5', time: 100 }, { session: 's1', time: 100 }, 'later'],
    [{ session: 's5', time: 100 }, { session: 's9', time: 99 }, 'later'],
  ] as const) {
    const users = new Users();
    const one = client(mine.session);
    begun(users.begin(one, 'ann', 'replace', mine.time));
    const claimed = users.claim({ user: 'ann', ...other }, 'replace');
    assert.equal(claimed.state, state);
    assert.equal(users.clientOf('ann'), state === 'later' ? one : undefined);
  }
});

test('a login that is there refuses others; one that is still asking gives way to a later one', () => {
  const users = new Users();
  const one = client('s5');
  const { login } = begun(users.begin(one, 'ann', 'refuse', 100));
  assert.equal(users.claim({ user: 'ann', session: 's9', time: 99 }, 'refuse').state, 'taken');
  assert.equal(users.claim({ user: 'ann', session: 's9', time: 101 }, 'refuse').state, 'free');
  assert.equal(users.complete(login), false);
  const again = begun(users.begin(one, 'ann', 'refuse', 102)).login;
  assert.equal(users.complete(again), true);
  assert.deepEqual(users.claim({ user: 'ann', session: 's9', time: 200 }, 'refuse'), { state: 'taken', time: again.time });
});

test('a session that has moved to another worker is forgotten here without an end', () => {
  for (const policy of ['replace', 'refuse'] as const) {
    const users = new Users();
    const one = client('s5');
    const { login } = begun(users.begin(one, 'ann', policy, 100));
    users.complete(login);
    assert.deepEqual(users.claim({ user: 'ann', session: 's5', time: login.time }, policy), { state: 'free' });
    assert.equal(users.size, 0);
  }
});

test('a login comes after all that were seen, whatever the clock says', () => {
  const users = new Users();
  users.claim({ user: 'ann', session: 's1', time: 5000 }, 'replace');
  const { login } = begun(users.begin(client('s0'), 'ann', 'replace', 100));
  assert.ok(login.time > 5000, `${login.time}`);
  const time = login.time;
  users.renew(login, 100);
  assert.ok(login.time > time);
});

test('a client that comes from another worker keeps its login, unless there was a later one', () => {
  const users = new Users();
  const [moved, later] = [client('s1'), client('s2')];
  assert.equal(users.restore(moved, 'ann', 100), true);
  assert.equal(users.clientOf('ann'), moved);
  users.forget(moved);
  begun(users.begin(later, 'ann', 'replace', 200));
  assert.equal(users.restore(moved, 'ann', 100), false);
  assert.deepEqual([users.clientOf('ann'), moved.userId], [later, '']);
});

const step = fc.record({
  kind: fc.constantFrom('begin', 'complete', 'drop', 'claim', 'forget', 'restore'),
  client: fc.nat({ max: 3 }),
  user: fc.constantFrom('a', 'b', 'c'),
  policy: fc.constantFrom('replace' as const, 'refuse' as const),
  time: fc.nat({ max: 20 }),
});

test('whatever happens, a client and its user name each other, and nothing is left when all are gone', () => {
  forAll(fc.array(step, { maxLength: 60 }), (steps) => {
    const users = new Users();
    const clients = [0, 1, 2, 3].map((n) => client(`s${n}`));
    const logins: Login<UserClient>[] = [];
    for (const { kind, client: n, user, policy, time } of steps) {
      const one = clients[n]!;
      if (kind === 'begin') {
        const result = users.begin(one, user, policy, time);
        if (result.state === 'begun') logins.push(result.login);
      } else if (kind === 'complete') logins.splice(0, 1).forEach((login) => users.complete(login));
      else if (kind === 'drop') logins.splice(0, 1).forEach((login) => users.drop(login));
      else if (kind === 'claim') users.claim({ user, session: `s${n + 4}`, time }, policy);
      else if (kind === 'forget') users.forget(one);
      else users.restore(one, user, time);
      for (const each of clients) if (each.userId !== '') assert.equal(users.clientOf(each.userId), each);
      for (const name of ['a', 'b', 'c']) assert.equal(users.clientOf(name)?.userId ?? name, name);
    }
    for (const login of logins) users.drop(login);
    for (const each of clients) users.forget(each);
    assert.equal(users.size, 0);
  });
});
