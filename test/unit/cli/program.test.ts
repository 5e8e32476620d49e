// The commands, flags and help of kim, and of kubectl kim.

import assert from 'node:assert/strict';
import test from 'node:test';
import type { AnyCommand } from '../../../src/cli/command.ts';
import { commands } from '../../../src/cli/commands.ts';
import { faceOf } from '../../../src/cli/faces.ts';
import { exitCodeOf, UsageError } from '../../../src/cli/problem.ts';
import { runProgram } from '../../../src/cli/program.ts';

interface Ran {
  code: number;
  out: string;
  command: AnyCommand | undefined;
  args: readonly string[];
  options: Record<string, unknown>;
}

/** Finds the command of these words, without running it. */
function run(...words: string[]): Promise<Ran> {
  return runAs('kim', ...words);
}

async function runAs(program: string, ...words: string[]): Promise<Ran> {
  const ran: Ran = { code: 0, out: '', command: undefined, args: [], options: {} };
  const write = (text: string) => void (ran.out += text);
  ran.code = await runProgram(words, {
    ...faceOf(program),
    version: '1.2.3',
    write,
    writeError: write,
    execute: (command, args, options) => {
      Object.assign(ran, { command, args, options });
      return Promise.resolve(7);
    },
  });
  return ran;
}

/** The sentence with which these words are refused. */
async function refusal(...words: string[]): Promise<string> {
  try {
    await run(...words);
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    assert.equal(exitCodeOf(error), 2);
    assert.doesNotMatch(error.message, /\n|\.$/, 'one sentence, without full stop');
    return error.message;
  }
  assert.fail('nothing was refused');
}

/** The words of a line as a shell makes them. */
function wordsOf(line: string): string[] {
  const [plain = ''] = line.split(' > ');
  return [...plain.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((found) => found[1] ?? found[2] ?? found[3]!);
}

for (const program of ['kim', 'kubectl-kim']) {
  test(`every command of ${program} explains itself, with examples that it understands`, async () => {
    const { name: typed, commands: all } = faceOf(program);
    for (const command of all.filter(({ passThrough }) => passThrough !== true)) {
      const { out, code } = await runAs(program, ...command.name.split(' '), '--help');
      assert.equal(code, 0);
      assert.ok(out.includes(command.summary.slice(0, 40)), out);
      const examples = out.slice(out.indexOf('Examples:')).split('\n').slice(1).filter(Boolean);
      assert.ok(examples.length > 0, `${command.name} shows no example`);
      for (const example of examples) {
        assert.ok(example.trim().startsWith(`${typed} `), example);
        const words = wordsOf(example.trim().slice(typed.length));
        assert.equal((await runAs(program, ...words)).command?.name, command.name, example);
      }
    }
  });
}

test('flags of kubectl may stand before the command', async () => {
  const { order } = faceOf('kubectl-kim');
  assert.deepEqual(order(['-n', 'shop', '--context=x', '-A', 'status', 'demo']), ['status', '-n', 'shop', '--context=x', '-A', 'demo']);
  assert.deepEqual(order(['--help']), ['--help']);
  const { command, options } = await runAs('kubectl-kim', ...order(['-n', 'shop', 'status', '-A']));
  assert.equal(command?.name, 'status');
  assert.deepEqual([options['namespace'], options['allNamespaces']], ['shop', true]);
});

test('kubectl finds the program by its name, however it was installed', () => {
  for (const path of ['/usr/local/bin/kubectl-kim', 'node_modules/.bin/kubectl-kim', '/app/dist/cli/kubectl-kim.js'])
    assert.equal(faceOf(path).name, 'kubectl kim', path);
  for (const path of ['/usr/local/bin/kim', '/app/dist/cli/main.js', '/kubectl-kim/main.js', ''])
    assert.equal(faceOf(path).name, 'kim', path);
});

test('the help of all names every command, and the version is told', async () => {
  const { out } = await run('--help');
  for (const { name } of commands) assert.ok(out.includes(name.split(' ')[0]!), name);
  assert.equal((await run('--version')).out, '1.2.3\n');
});

test('the code of a command is the code of the program', async () => {
  assert.equal((await run('status')).code, 7);
});

test('options have their defaults and their types', async () => {
  const { args, options } = await run('call', 'host:1', '1001', 'data', '--timeout', '1m', '--count', '3', '--hex');
  assert.deepEqual(args, ['host:1', '1001', 'data']);
  assert.deepEqual(options, { timeout: 60_000, count: 3, hex: true, output: 'text' });
  assert.deepEqual((await run('node', 'a.json', '--set', 'a=1', '--set', 'b=2')).options, {
    set: ['a=1', 'b=2'],
    watch: false,
    strict: false,
  });
  assert.equal((await run('up', '--no-watch')).options['watch'], false);
  assert.equal((await run('up')).options['watch'], true);
});

test('bench gets all words as they are', async () => {
  assert.deepEqual((await run('bench', '--quick', '-o', 'json', '--help')).args, ['--quick', '-o', 'json', '--help']);
});

test('a wrong word is refused with the nearest one that there is', async () => {
  assert.equal(await refusal('stauts'), 'unknown command "stauts"; did you mean status');
  assert.equal(await refusal('config', 'chek', 'x'), 'unknown command "chek"; did you mean check');
  assert.equal(await refusal('node', 'x.json', '--wacth'), 'unknown option "--wacth"; did you mean --watch');
  assert.equal(
    await refusal('frobnicate'),
    'unknown command "frobnicate"; there is: up, node, call, status, top, cluster, plan, operator, bench, config, modules',
  );
});

test('what is missing, or too much, or of the wrong kind is named', async () => {
  assert.equal(await refusal('node'), 'missing required argument "config"; --help shows what there is');
  assert.equal(
    await refusal('node', 'a', 'b'),
    'too many arguments for "node": expected 1 argument but got 2: a, b; --help shows what there is',
  );
  assert.equal(await refusal('call', 'h:1', '1', '--count'), 'option "--count <n>" argument missing; --help shows what there is');
  assert.equal(await refusal('call', 'h:1', '1', '--count', '0'), '--count takes a whole number from 1 to 1000000, got "0"');
  assert.equal(await refusal('call', 'h:1', '1', '--timeout', '5'), '--timeout takes a time such as 5s or 500ms, up to 1h, got "5"');
  assert.equal(await refusal('status', '-o', 'xml'), '--output takes text or json, got "xml"');
});

test('no command at all shows the help and is a mistake', async () => {
  for (const words of [[], ['config']]) {
    const { code, out } = await run(...words);
    assert.equal(code, 2);
    assert.match(out, /Usage: kim/);
  }
});
