// What kim status and kim top draw of a node.

import assert from 'node:assert/strict';
import test from 'node:test';
import { ratesOf } from '../../../src/cli/rates.ts';
import { clip } from '../../../src/cli/screen.ts';
import { statusLines } from '../../../src/cli/status-text.ts';
import { painter } from '../../../src/cli/terminal.ts';
import { bar, frameLines } from '../../../src/cli/top-frame.ts';
import type { NodeStatus } from '../../../src/ops/snapshot.ts';
import { command, look, nodeStatus, STARTED, worker } from './status.ts';

const plain = painter(false, {});
const busy = nodeStatus({
  connections: 1200,
  framesIn: 12_345_678,
  bytesIn: 1e9,
  limits: { max_frame: 3 },
  closed: { peer: 12 },
  commands: { 1001: command({ 0: 1_000_000 }), 1003: command({ 0: 5, 18: 2 }, 14) },
});

function frame(status: NodeStatus, rows = 24): string[] {
  const now = look(100, status);
  return frameLines({ look: now, rates: ratesOf(now), columns: 80, rows, paint: plain, hint: 'q ends; ' });
}

test('status shows workers, commands by code, and which limits were hit', () => {
  const text = statusLines(busy, STARTED + 125_000, plain).join('\n');
  assert.match(text, /^demo-gate-0 \(gate\) {2}serving, ready {2}up 2 min {2}version 0\.1\.0 {2}process 999$/m);
  assert.match(text, /^connections 1,200 open/m);
  assert.match(text, /^ +1 +1001 {2}serving +1,200 /m);
  assert.match(text, /^1001 +1,000,000 +1,000,000 +250 us +495 us$/m);
  assert.match(text, /^1003 +7 +5 +>10 s +>10 s {2}18: 2$/m);
  assert.match(text, /^limits hit {2}max_frame 3$/m);
  assert.match(text, /^closed {6}peer 12$/m);
  assert.doesNotMatch(text, /refused|\/s/);
});

test('status shows why a node is not ready, and how a worker died', () => {
  const held = worker(1, {}, { state: 'held', pid: 0, restarts: 5, lastExit: 'exit code 1' });
  const text = statusLines(nodeStatus({}, { ready: false, reasons: ['worker 1 is held back'], workers: [held] }), STARTED, plain).join(
    '\n',
  );
  assert.match(text, /not ready/);
  assert.match(text, /worker 1 is held back/);
  assert.match(text, /^ +1 +- {2}held/m);
  assert.match(text, /^worker 1 +last exit: exit code 1$/m);
  assert.match(text, /no command was answered yet/);
});

test('status with rates has them beside what they are of', () => {
  const now = look(100, busy);
  assert.match(statusLines(busy, now.at, plain, ratesOf(now)).join('\n'), /12,345,678 frames in \(123,457\/s\)/);
});

test('top fits into 80 columns and 24 rows, however much there is to show', () => {
  const many = nodeStatus(
    { ...busy.totals, commands: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [1001 + i, command({ 0: 1e9 + i })])) },
    { workers: Array.from({ length: 64 }, (_, i) => worker(i + 1, { cpuSeconds: 100, framesIn: 1e8, connections: 1e5 })) },
  );
  const lines = frame(many);
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  );
  assert.match(lines.join('\n'), /^\.\.\. 6\d more$/m);
  assert.match(lines.join('\n'), /^\.\.\. 5\d more$/m);
  assert.match(lines.at(-1)!, /^q ends; rates are averages since the start$/);
});

test('top shows few of everything in full', () => {
  const text = frame(busy).join('\n');
  assert.match(text, /^open +1,200 {2}req\/s +123,457 /m);
  assert.match(text, /^ +1 {2}serving {3}\[ {12}\] {3}0 % +1,200 +123,457 /m);
  assert.match(text, /^ +- {2}manager {3}\[/m);
  assert.match(text, /^1001 +10,000 +0 +250 us +495 us +1,000,000$/m);
  assert.match(text, /^limits hit: max_frame 3 \(<0\.1\/s\)$/m);
  assert.doesNotMatch(text, /more/);
});

test('in top, commands that are about as busy as each other stand in the order of their numbers', () => {
  const commands = { 1005: command({ 0: 12_100 }), 1001: command({ 0: 12_000 }), 1009: command({ 0: 500_000 }) };
  const shown = frame(nodeStatus({ ...busy.totals, commands })).flatMap((line) => /^10\d\d/.exec(line) ?? []);
  assert.deepEqual(shown, ['1009', '1001', '1005']);
});

test('top says why what it shows is old', () => {
  const now = look(100, busy);
  const lines = frameLines({
    look: now,
    rates: ratesOf(now),
    columns: 80,
    rows: 24,
    paint: plain,
    problem: 'nothing listens there',
    hint: '',
  });
  assert.equal(lines[2], 'nothing listens there');
});

test('a bar is a share of one processor and never longer than its place', () => {
  assert.equal(bar(0.5), '[||||||      ]  50 %');
  assert.equal(bar(1.7), '[||||||||||||] 170 %');
  assert.equal(bar(0), `[${' '.repeat(12)}]   0 %`);
});

test('a line that is too long for the terminal is cut, and its colours are kept', () => {
  assert.equal(clip('serving', 4), 'serv');
  assert.equal(clip('serving', 80), 'serving');
  assert.equal(clip('\x1b[32mserving\x1b[39m, ready', 9), '\x1b[32mserving\x1b[39m, ');
  assert.equal(clip('\x1b[32mserving\x1b[39m, ready', 4), '\x1b[32mserv\x1b[39m');
});
