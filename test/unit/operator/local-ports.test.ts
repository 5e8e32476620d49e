// The ports that the supervisor holds: bound once, whoever wants them, and given up when nobody does.

import assert from 'node:assert/strict';
import test from 'node:test';
import { LocalPorts } from '../../../src/operator/local/local-ports.ts';
import type { Port } from '../../../src/operator/plan/workloads.ts';

const port = (key: string, number = 0): Port => ({ kind: 'gate', host: 'h', port: number, key });

function held() {
  const log: string[] = [];
  let next = 100;
  const ports = new LocalPorts(async (kind, host, wanted) => {
    await Promise.resolve();
    if (wanted === 13) throw new Error('port 13 is taken');
    const bound = wanted === 0 ? next++ : wanted;
    log.push(`bind ${kind} ${host}:${bound}`);
    return { port: bound, handle: {}, close: () => void log.push(`close ${bound}`) };
  });
  return { ports, log };
}

test('ports of one key are one port, also the next time', async () => {
  const { ports, log } = held();
  const [first, second] = await ports.take([port('a'), port('b', 7)]);
  const [again] = await ports.take([port('a')]);
  assert.deepEqual([first?.port, second?.port, again?.port], [100, 7, 100]);
  assert.equal(again?.handle, first?.handle);
  assert.deepEqual(log, ['bind gate h:100', 'bind gate h:7']);
});

test('what nobody wants any more is closed, and bound anew when somebody does', async () => {
  const { ports, log } = held();
  await ports.take([port('a', 1), port('b', 2)]);
  ports.keep([port('b', 2)]);
  ports.keep([port('b', 2)]);
  await ports.take([port('a', 1)]);
  ports.keep([]);
  assert.deepEqual(log, ['bind gate h:1', 'bind gate h:2', 'close 1', 'bind gate h:1', 'close 2', 'close 1']);
});

test('a port that can not be had is told, and those before it are not lost', async () => {
  const { ports, log } = held();
  await assert.rejects(ports.take([port('a', 1), port('b', 13)]), /port 13 is taken/);
  ports.keep([]);
  assert.deepEqual(log, ['bind gate h:1', 'close 1']);
});
