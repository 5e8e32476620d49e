// Addresses and files as users name them.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import test from 'node:test';
import { parseAddress, parseAdminUrl } from '../../../src/cli/address.ts';
import { nodeEnvironment, userPath } from '../../../src/cli/paths.ts';

test('an address is host and port, and the host may be left out', () => {
  assert.deepEqual(parseAddress('gate.example:3355'), { host: 'gate.example', port: 3355 });
  assert.deepEqual(parseAddress('[::1]:3355'), { host: '::1', port: 3355 });
  for (const local of [':3355', '3355']) assert.deepEqual(parseAddress(local), { host: '127.0.0.1', port: 3355 });
});

test('what is no address is refused with how one looks', () => {
  for (const text of ['', 'host', 'host:', 'host:0', 'host:65536', 'a:b:1', '::1:3355', 'http://host:1']) {
    assert.throws(() => parseAddress(text), /is no address; write host:port with a port from 1 to 65535, as 127.0.0.1:3355$/, text);
  }
});

test('an admin server is found by address or URL, whatever page the URL names', () => {
  for (const text of ['127.0.0.1:9355', ':9355', 'http://127.0.0.1:9355', 'http://127.0.0.1:9355/status?x=1']) {
    assert.equal(parseAdminUrl(text).href, 'http://127.0.0.1:9355/', text);
  }
  assert.equal(parseAdminUrl('[::1]:9355').href, 'http://[::1]:9355/');
  for (const text of ['https://127.0.0.1:9355', 'http://', 'nowhere']) assert.throws(() => parseAdminUrl(text), /write h/, text);
});

test('files are found from where the user stands, also when npm runs the script in the folder of the package', () => {
  assert.equal(userPath('a.json', {}), resolve('a.json'));
  assert.equal(userPath('a.json', { INIT_CWD: '/home/me', npm_package_name: 'kimserver' }), '/home/me/a.json');
  assert.equal(userPath('a.json', { INIT_CWD: '/home/me', npm_package_name: 'shop' }), resolve('a.json'));
  assert.equal(userPath('/etc/a.json', { INIT_CWD: '/home/me', npm_package_name: 'kimserver' }), '/etc/a.json');
});

test('what is meant for the command line is no option of a node', () => {
  assert.deepEqual(nodeEnvironment({ KIM_DEBUG: '1', KIM_WORKER_CNT: '2' }), { KIM_WORKER_CNT: '2' });
});
