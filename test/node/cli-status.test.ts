// kim status and kim top against a real node.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { CONFIG, folderOf, kim, KimNode } from '../support/kim.ts';

test('kim status and kim top, against a node', async (t) => {
  const folder = folderOf(t, { 'node.json': { ...CONFIG, worker_cnt: 2 } });
  const node = await KimNode.serving(t, [join(folder, 'node.json')]);
  await kim(['call', `127.0.0.1:${node.port}`, '1001', 'x', '--count', '20']);

  await t.test('status shows state, workers and commands', async () => {
    const { code, out } = await kim(['status', node.admin]);
    assert.equal(code, 0);
    assert.match(out, /^kim-cli-test \(gate\) {2}serving, ready/);
    assert.match(out, new RegExp(`^listeners +gate 127.0.0.1:${node.port} \\(protobuf\\)$`, 'm'));
    assert.match(out, /^ +1 +\d+ {2}serving .*\n +2 +\d+ {2}serving/m);
    assert.match(out, /^1001 +20 +20 /m);
    assert.match(out, /^closed +peer 1$/m);
  });

  await t.test('status is JSON for programs, with rates where they are asked for', async () => {
    const status = JSON.parse((await kim(['status', `http://${node.admin}`, '-o', 'json'])).out) as {
      name: string;
      totals: { framesIn: number };
    };
    assert.equal(status.name, 'kim-cli-test');
    assert.equal(status.totals.framesIn, 20);
    const { rates } = JSON.parse((await kim(['status', node.admin, '--rates', '-o', 'json'])).out) as { rates: { seconds: number } };
    assert.ok(rates.seconds >= 1);
  });

  await t.test('top prints one picture of 80 columns', async () => {
    const { code, out } = await kim(['top', node.admin, '--once']);
    assert.equal(code, 0);
    assert.match(out, /^WORKER {2}STATE {5}CPU/m);
    assert.match(out, /^1001 .* 20$/m);
    assert.match(out, /rates are averages since the start\n$/);
    assert.ok(
      out.split('\n').every((line) => line.length <= 80),
      out,
    );
  });

  await t.test('top wants a terminal to be live in', async () => {
    const { code, err } = await kim(['top', node.admin]);
    assert.equal(code, 2);
    assert.match(err, /^kim: top draws on a terminal, and this is none; --once prints one picture/);
  });

  await t.test('the port of clients is not that of the admin server', async () => {
    const { code, err } = await kim(['status', `127.0.0.1:${node.port}`]);
    assert.equal(code, 1);
    assert.match(err, new RegExp(`^kim: cannot ask the admin server at 127.0.0.1:${node.port}: .*the admin port, not that of clients`));
  });
});

test('a node that is not there is told with the next step', async () => {
  for (const command of ['status', 'top']) {
    const { code, err } = await kim([command, '127.0.0.1:1', ...(command === 'top' ? ['--once'] : [])]);
    assert.equal(code, 1);
    assert.match(err, /^kim: cannot ask the admin server at 127.0.0.1:1: nothing listens there; start a node \("kim up"\).*\n$/);
  }
});
