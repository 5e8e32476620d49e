// Everything that messengers do at once, with links that lose, delay and reorder what is on the way between several workers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settled, type FakeClient, type FakeWorker } from '../../support/fake-cluster.ts';
import { messengers, push } from '../../support/messengers.ts';
import { fc, forAllInTurns } from '../../support/property.ts';

type Act =
  | { kind: 'push' | 'kick' | 'group' | 'pushMany'; from: number; user: number }
  | { kind: 'login'; at: number; user: number }
  | { kind: 'leave' | 'slow'; at: number }
  | { kind: 'step' | 'lose' | 'cut'; at: number };

const nat = fc.nat({ max: 3 });
const big = fc.nat({ max: 100 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), from: nat, user: nat }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('group' as const, 'pushMany' as const), from: nat, user: nat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kick' as const), from: nat, user: nat }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('login' as const), at: big, user: nat }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'slow' as const), at: big }) },
  { weight: 16, arbitrary: fc.record({ kind: fc.constant('step' as const), at: big }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('lose' as const, 'cut' as const), at: big }) },
);

for (const policy of ['replace', 'refuse'] as const) {
  test(`whatever is sent, lost and cut: order is kept, results are true, the replaced are told, nothing is left (${policy})`, async () => {
    const seen = { delivered: 0, absent: 0, unknown: 0, replaced: 0 };
    await forAllInTurns(
      fc.tuple(fc.array(act, { minLength: 60, maxLength: 250, size: 'max' }), fc.boolean()),
      async ([acts, isLossy]) => {
        const { cluster, a, b, c, logic, end } = messengers({ policy, cacheSize: 2 });
        const gates = [a, b, c];
        const clients: { at: FakeWorker; one: FakeClient }[] = [];
        const sent: { text: string; user: string; result: Promise<string> }[] = [];
        const logins: Promise<string>[] = [];
        const others: Promise<unknown>[] = [];
        let serial = 0;
        for (const each of acts) {
          const from = 'from' in each ? cluster.workers[each.from]! : logic;
          const user = 'user' in each ? `u${each.user}` : '';
          const link = cluster.ready[('at' in each ? each.at : 0) % Math.max(1, cluster.ready.length)];
          const text = `${from.id} ${String(++serial).padStart(4, '0')}`;
          if (each.kind === 'push') sent.push({ text, user, result: push(from, user, text) });
          else if (each.kind === 'kick') others.push(from.messenger.kick(user, 'out'));
          else if (each.kind === 'group') others.push(from.messenger.group('red').push(2002, text));
          else if (each.kind === 'pushMany') others.push(from.messenger.pushMany(['u0', user], 2003, text));
          else if (each.kind === 'login') {
            const at = gates[each.at % 3]!;
            const one = at.connect(`s${++serial}`);
            clients.push({ at, one });
            const by = each.at % 2 === 0 ? at : logic;
            logins.push(by.messenger.bind(by.refOf(at, one), user));
            others.push(by.messenger.join(by.refOf(at, one), 'red'));
          } else if (each.kind === 'leave' && clients.length > 0) {
            const { at, one } = clients[each.at % clients.length]!;
            at.close(one);
          } else if (each.kind === 'slow' && clients.length > 0) clients[each.at % clients.length]!.one.isSlow = true;
          else if (each.kind === 'step' && link !== undefined) cluster.step(link);
          else if (each.kind === 'lose' && isLossy && link !== undefined) {
            cluster.lose(link);
          } else if (each.kind === 'cut' && isLossy) {
            cluster.cut(cluster.workers[each.at % 4]!, cluster.workers[(each.at + 1) % 4]!);
          }
          await settled();
        }
        await cluster.run();
        await Promise.all(others);
        const all = clients.flatMap(({ one }) => one.received);
        assert.equal(
          new Set(all.filter(({ cmd }) => cmd === 2001).map(({ data }) => data)).size,
          all.filter(({ cmd }) => cmd === 2001).length,
          'nothing comes twice',
        );
        for (const { one } of clients) {
          // of one kind: what waits for a user that is looked for does not wait for groups
          for (const worker of cluster.workers) {
            for (const kinds of [[2001, 2003], [2002]]) {
              const got = one.received
                .filter(({ cmd, data }) => kinds.includes(cmd) && data.startsWith(`${worker.id} `))
                .map(({ data }) => data);
              assert.deepEqual(got, got.toSorted(), `order from ${worker.id}`);
            }
          }
        }
        for (const { text, result } of sent) {
          const outcome = await result;
          const arrived = all.some(({ data }) => data === text);
          if (outcome === 'delivered') assert.ok(arrived, `${text} was not delivered`);
          else if (outcome === 'absent' || !isLossy) assert.ok(!arrived, `${text} is ${outcome}, and arrived`);
          seen[outcome as keyof typeof seen]++;
        }
        const results = await Promise.all(logins);
        if (!isLossy) {
          for (const user of ['u0', 'u1', 'u2', 'u3']) {
            assert.ok(gates.filter((gate) => gate.messenger.users.clientOf(user) !== undefined).length <= 1, `${user} is at one gate`);
          }
          for (const [i, { one }] of clients.entries()) {
            if (results[i] === 'refused' && policy === 'replace') assert.ok(one.ended !== undefined || !one.isOpen, 'who lost is told');
            if (one.isOpen && (results[i] === 'bound' || results[i] === 'replaced'))
              assert.notEqual(one.client.userId, '', 'who was replaced is told');
          }
          seen.replaced += results.filter((result) => result === 'replaced').length;
        }
        await end();
      },
      150,
    );
    for (const [result, times] of Object.entries(seen)) {
      if (result !== 'replaced' || policy === 'replace') assert.ok(times > 20, `${result} was seen ${times} times only`);
    }
  });
}
