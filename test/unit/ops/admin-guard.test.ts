// Who may ask the admin server what, without a network: peers that no test machine has.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guard, isLoopback, type Asked } from '../../../src/ops/admin-guard.ts';

const local: Asked = { method: 'POST', peer: '127.0.0.1', host: 'localhost:9100', origin: undefined, hasToken: false };

test('knows the addresses of this machine from others and from names', () => {
  for (const address of ['127.0.0.1', '127.200.0.3', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopback(address), address);
  for (const address of ['10.0.0.1', '128.0.0.1', '::', '::2', '::ffff:10.0.0.1', 'localhost', '', '127.0.0.1.evil.example']) {
    assert.ok(!isLoopback(address), address);
  }
});

test('changes are taken from this machine only, whatever the Host says', () => {
  for (const peer of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) guard({ ...local, peer }, '0.0.0.0', '0.0.0.0');
  for (const peer of ['10.0.0.7', '::ffff:10.0.0.7', '']) {
    assert.throws(() => guard({ ...local, peer }, '0.0.0.0', '0.0.0.0'), { status: 403, message: /^changes are not taken from/ });
    guard({ ...local, method: 'GET', peer }, '0.0.0.0', '0.0.0.0');
  }
});

test('a node bound to a name or address of its own answers GET under it', () => {
  const get = { ...local, method: 'GET', peer: '10.0.0.7' };
  guard({ ...get, host: 'Gate-1.internal:9100' }, '10.0.0.1', 'gate-1.internal');
  guard({ ...get, host: '[fd00::1]:9100' }, 'fd00::1', 'fd00::1');
  assert.throws(() => guard({ ...get, host: 'gate-2.internal' }, '10.0.0.1', 'gate-1.internal'), { status: 403 });
  assert.throws(() => guard({ ...get, host: undefined }, '10.0.0.1', 'gate-1.internal'), { status: 403 });
  assert.throws(() => guard({ ...get, host: '10.0.0.1' }, '127.0.0.1', '127.0.0.1'), { status: 403 });
});

test('odd hosts and origins are refused, not stumbled over', () => {
  for (const host of ['localhost]', '[localhost', 'localhost:x', '127.0.0.1:80:80', '@localhost', 'a@127.0.0.1', '::1', '[', ':80']) {
    const origin = 'http://localhost';
    assert.throws(() => guard({ ...local, host, origin }, '127.0.0.1', '127.0.0.1'), { status: 403 }, host);
  }
  for (const origin of ['', 'localhost:9100', 'http://', 'file://', 'http://localhost:9100.evil.example']) {
    assert.throws(() => guard({ ...local, origin }, '127.0.0.1', '127.0.0.1'), { status: 403 }, origin);
  }
  guard({ ...local, origin: 'http://localhost:9100' }, '127.0.0.1', '127.0.0.1');
});
