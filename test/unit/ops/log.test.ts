// The log: levels and their historic names, what a line looks like, and what never stands in one.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { createLogger, levelNames, parseLevel, silentLogger, type Level, type LoggerOptions } from '../../../src/ops/log.ts';

function memoryLogger(options: Partial<LoggerOptions> = {}) {
  const text: string[] = [];
  const log = createLogger({ name: 'gate', level: 'info', write: (line) => text.push(line), ...options });
  const lines = () => text.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, text, lines, last: () => lines().at(-1)! };
}

test('takes every level name that the originals take, in any case', () => {
  const expected: Record<string, Level> = {
    trace: 'trace',
    debug: 'debug',
    info: 'info',
    notice: 'info',
    warn: 'warn',
    warning: 'warn',
    err: 'error',
    error: 'error',
    alert: 'fatal',
    crit: 'fatal',
    emerg: 'fatal',
    fatal: 'fatal',
  };
  for (const [name, level] of Object.entries(expected)) {
    assert.equal(parseLevel(name), level);
    assert.equal(parseLevel(name.toUpperCase()), level);
  }
  assert.deepEqual(new Set(levelNames), new Set(Object.keys(expected)));
  for (const name of ['', 'verbose', 'constructor', '3']) assert.equal(parseLevel(name), undefined, name);
});

test('writes one line of JSON per event, the message constant and values as fields', () => {
  const { log, text, last } = memoryLogger({ base: { worker: 2 } });
  log.info('link up to %s', { node: 'logic-1', ms: 12 });
  assert.match(text[0]!, /^\{.*\}\n$/);
  const { time, ...line } = last();
  assert.deepEqual(line, { level: 'info', name: 'gate', pid: process.pid, worker: 2, node: 'logic-1', ms: 12, msg: 'link up to %s' });
  assert.ok(!Number.isNaN(Date.parse(String(time))));
});

test('writes nothing below its level, which can be changed at any time for all children', () => {
  const { log, lines } = memoryLogger({ level: 'warn' });
  const child = log.child({ connection: 1 });
  log.info('hidden');
  child.debug('hidden');
  assert.equal(lines().length, 0);
  assert.ok(child.enabled('error') && !child.enabled('info'));

  child.setLevel('trace');
  assert.equal(log.level, 'trace');
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) log[level](`at ${level}`);
  assert.deepEqual(
    lines().map((line) => line.level),
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  );
});

test('a child adds its fields, and no key stands twice in a line', () => {
  const { log, text } = memoryLogger({ base: { worker: 1 } });
  log.child({ connection: 5 }).child({ command: 1001 }).info('handled', { connection: 6, level: 'x', msg: 'y', pid: 0 });
  const keys = [...text[0]!.matchAll(/"(\w+)":/g)].map(([, key]) => key);
  assert.equal(new Set(keys).size, keys.length, text[0]);
  const line = JSON.parse(text[0]!) as Record<string, unknown>;
  assert.deepEqual(
    [line.worker, line.connection, line.command, line.level, line.level_, line.msg, line.msg_, line.pid_],
    [1, 6, 1001, 'info', 'x', 'handled', 'y', 0],
  );
});

test('masks passwords, tokens, secrets and authorizations at any depth, in children too', () => {
  const { log, text, last } = memoryLogger();
  log.child({ auth: 'hunter2' }).info('configured', {
    password: 'hunter2',
    nested: { redisPassword: 'hunter2', list: [{ access_token: 'hunter2' }], Authorization: 'hunter2' },
    map: new Map([['client_secret', 'hunter2']]),
    author: 'kept',
    tokens: 3,
    token: '',
    auth_: true,
  });
  assert.ok(!text.join('').includes('hunter2'), text.join(''));
  assert.deepEqual([last().author, last().tokens, last().token], ['kept', 3, '']);
});

test('an error becomes type, message, stack and causes wherever it stands', () => {
  const { log, last } = memoryLogger();
  log.error('handler failed', { error: Object.assign(new TypeError('bad', { cause: new Error('worse') }), { code: 'E_BAD' }) });
  const error = last().error as Record<string, unknown>;
  assert.deepEqual([error.type, error.message, error.code], ['TypeError', 'bad', 'E_BAD']);
  assert.match(String(error.stack), /TypeError: bad\n/);
  assert.equal((error.cause as Record<string, unknown>).message, 'worse');
});

test('what a peer sent is cut: long texts, bytes, deep, wide and circular objects', () => {
  const { log, text, last } = memoryLogger();
  const circle: Record<string, unknown> = { big: 1n, at: new Date(0), never: new Date(Number.NaN) };
  circle.self = circle;
  const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, Array.from({ length: 500 }, () => circle)]));
  log.info('received', { text: 'x'.repeat(100_000), bytes: Buffer.alloc(1000, 7), circle, wide, small: Buffer.from('abc') });
  assert.ok(text[0]!.length < 100_000, `${text[0]!.length} characters`);
  assert.match(String(last().text), /^x+\.\.\. \(100000 characters\)$/);
  assert.match(String(last().bytes), /^(07){64}\.\.\. \(1000 bytes\)$/);
  assert.equal((last().circle as Record<string, unknown>).at, '1970-01-01T00:00:00.000Z');
});

test('a value that cannot be read does not make logging fail', () => {
  const { log, last } = memoryLogger();
  const sly = {
    get value() {
      throw new Error('not now');
    },
  };
  log.info('odd', { sly, fine: 1 });
  assert.deepEqual([last().sly, last().fine], ['[unreadable]', 1]);
});

test('lines for people are one line each, also when a value holds a line break or colours a terminal', () => {
  const { log, text } = memoryLogger({ pretty: true, base: { worker: 1 } });
  log.warn('odd client', { text: 'a\n\u001b[31mb' });
  assert.match(text[0]!, /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN \(gate\): odd client \{.*\}\n$/);
  assert.ok(!text[0]!.includes('\u001b[31mb'));
});

test('lines have left the process when it ends at once', () => {
  const program = `
    import { createLogger } from ${JSON.stringify(import.meta.resolve('../../../src/ops/log.ts'))};
    const log = createLogger({ name: 'n', level: 'info' });
    for (let i = 0; i < 3000; i++) log.info('line', { i, filler: 'x'.repeat(100) });
    process.kill(process.pid, 'SIGKILL');`;
  const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  assert.equal(signal, 'SIGKILL');
  const lines = stdout.trim().split('\n');
  assert.equal(lines.length, 3000);
  assert.equal((JSON.parse(lines.at(-1)!) as { i: number }).i, 2999);
});

test('a silent logger takes everything and writes nothing', () => {
  const log = silentLogger();
  log.fatal('nobody hears this', { a: 1 });
  log.flush();
  log.reopen();
  log.close();
});
