// Log files: rotation by size, several writers, files moved by others, and descriptors that do not take anything.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, readSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createLogger } from '../../../src/ops/log.ts';
import { LineWriter, LogFile, type LogFileOptions } from '../../../src/ops/log-file.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'kim-log-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function open(t: TestContext, path: string, options: LogFileOptions = {}): LogFile {
  const file = new LogFile(path, options);
  t.after(() => file.close());
  return file;
}

/** All lines of FILE.n .. FILE.1 and FILE, oldest first. */
function allLines(path: string, keep: number): string[] {
  const names = [...Array.from({ length: keep }, (_, i) => `${path}.${keep - i}`), path];
  return names.filter((name) => existsSync(name)).flatMap((name) => readFileSync(name, 'utf8').trim().split('\n').filter(Boolean));
}

test('rotates by size, keeps the wanted number of files and loses no line among them', (t) => {
  const path = join(folder(t), 'logs', 'node.log');
  const file = open(t, path, { maxBytes: 100, keep: 3 });
  const written = Array.from({ length: 39 }, (_, i) => `line ${String(i).padStart(4, '0')}`);
  for (const line of written) file.write(`${line}\n`);

  assert.deepEqual(readdirSync(join(path, '..')).toSorted(), ['node.log', 'node.log.1', 'node.log.2', 'node.log.3']);
  for (const name of [path, `${path}.1`, `${path}.3`]) assert.ok(readFileSync(name).length <= 100, name);
  const kept = allLines(path, 3);
  assert.ok(kept.length >= 30);
  assert.deepEqual(kept, written.slice(-kept.length));
});

test('a line longer than the largest file is written whole', (t) => {
  const path = join(folder(t), 'node.log');
  const file = open(t, path, { maxBytes: 10 });
  file.write(`${'x'.repeat(50)}\n`);
  file.write('y\n');
  assert.equal(readFileSync(`${path}.1`, 'utf8').length, 51);
  assert.equal(readFileSync(path, 'utf8'), 'y\n');
});

test('several writers append to one file; one rotates, tells the others, and no line is lost', (t) => {
  const path = join(folder(t), 'node.log');
  const worker = open(t, path, { rotate: false });
  let rotations = 0;
  const onRotated = () => {
    rotations++;
    worker.reopen();
  };
  const manager = open(t, path, { maxBytes: 200, keep: 9, onRotated });
  const written: string[] = [];
  for (let i = 0; i < 60; i++) {
    const line = `${i % 2 ? 'worker' : 'manager'} ${i}`;
    (i % 2 ? worker : manager).write(`${line}\n`);
    written.push(line);
    manager.check();
  }
  assert.ok(rotations >= 2);
  assert.deepEqual(allLines(path, 9), written);
});

test('the one who rotates finds that others made the file too large without writing itself', (t) => {
  const path = join(folder(t), 'node.log');
  const manager = open(t, path, { maxBytes: 100 });
  const worker = open(t, path, { rotate: false });
  worker.write(`${'x'.repeat(150)}\n`);
  assert.ok(!existsSync(`${path}.1`), 'a writer that does not rotate leaves the file alone');
  manager.check();
  assert.ok(existsSync(`${path}.1`));
  assert.equal(readFileSync(path, 'utf8'), '');
});

test('notices within a second that somebody moved the file, and looks no more often than that', (t) => {
  const path = join(folder(t), 'node.log');
  let ms = 0;
  const file = open(t, path, { rotate: false, now: () => ms });
  file.write('one\n');
  renameSync(path, `${path}.old`);
  ms = 999;
  file.write('two\n');
  assert.ok(!existsSync(path));
  ms = 1000;
  file.write('three\n');
  assert.equal(readFileSync(`${path}.old`, 'utf8'), 'one\ntwo\n');
  assert.equal(readFileSync(path, 'utf8'), 'three\n');
});

test('keeps writing to the file it has when it cannot open a new one', (t) => {
  const path = join(folder(t), 'sub', 'node.log');
  let ms = 0;
  const file = open(t, path, { now: () => ms, maxBytes: 8 });
  file.write('one\n');
  renameSync(join(path, '..'), `${join(path, '..')}-gone`);
  ms = 5000;
  file.write('two\n');
  file.write('three, beyond the size\n');
  file.reopen();
  assert.equal(readFileSync(join(`${join(path, '..')}-gone`, 'node.log'), 'utf8'), 'one\ntwo\nthree, beyond the size\n');
});

test('a path that cannot be opened is refused with a sentence that names the key', (t) => {
  const dir = folder(t);
  assert.throws(() => createLogger({ name: 'n', level: 'info', path: dir }), {
    message: `cannot open the log file "${dir}" (EISDIR); set log_path to a file that this user may write`,
  });
});

test('a logger with a path writes JSON there, and into a new file after a reopen', (t) => {
  const path = join(folder(t), 'node.log');
  const log = createLogger({ name: 'gate', level: 'info', path });
  t.after(() => log.close());
  log.info('up', { workers: 2 });
  log.flush();
  renameSync(path, `${path}.1`);
  log.reopen();
  log.info('again');
  assert.equal((JSON.parse(readFileSync(`${path}.1`, 'utf8')) as { workers: number }).workers, 2);
  assert.equal((JSON.parse(readFileSync(path, 'utf8')) as { msg: string }).msg, 'again');
});

test('lines that a full pipe does not take are given up, counted, and reported once it takes lines again', (t) => {
  const path = join(folder(t), 'pipe');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(fd));
  const out = new LineWriter(fd);
  const filler = `${'x'.repeat(9000)}\n`;
  for (let i = 0; i < 12; i++) out.write(filler);
  const buffer = Buffer.alloc(1 << 20);
  const taken = readSync(fd, buffer);
  const whole = Math.floor(taken / filler.length);
  assert.ok(whole < 12);

  out.write('{"msg":"next"}\n');
  const [torn, report, next] = buffer.toString('utf8', 0, readSync(fd, buffer)).split('\n');
  assert.equal(torn, '', 'the line that was cut off is ended first');
  assert.deepEqual([(JSON.parse(report!) as { lost: number }).lost, next], [12 - whole, '{"msg":"next"}']);
});

test('a descriptor that is gone hurts nobody', () => {
  const out = new LineWriter(-1);
  out.write('lost\n');
  out.flush();
});
