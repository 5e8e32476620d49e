// The examples of the README are run: the module in a real node, the shell lines as they stand, but for the port. Those with a real Kubernetes
// are in test/kube/readme.test.ts.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import test, { type TestContext } from 'node:test';
import { runProgram, startNode, temporaryFolder, type RunningNode } from './programs.ts';
import { root } from './support.ts';

const readme = readFileSync(`${root}/README.md`, 'utf8');
const MAIN = `${root}/src/cli/main.ts`;
/** Where the README's gate is; the test's is on a free port. */
const README_GATE = '127.0.0.1:3355';

interface Block {
  readonly language: string;
  /** Of the HTML comment right before the fence: `<!-- test: module -->`. */
  readonly marker: string | undefined;
  readonly text: string;
}

const blocks: readonly Block[] = [...readme.matchAll(/(?:^<!-- test: (\w+) -->\n+)?^```(\w*)\n(.*?)^```$/gms)].map(
  ([, marker, language = '', text = '']) => ({ language, marker, text }),
);

function marked(marker: string): string[] {
  const texts = blocks.filter((block) => block.marker === marker).map(({ text }) => text);
  assert.ok(texts.length > 0, `README.md has no example with <!-- test: ${marker} --> right before its fence`);
  return texts;
}

/** A node with the module `test` and that of the README. */
async function nodeWith(t: TestContext, module: string): Promise<RunningNode> {
  const folder = await temporaryFolder(t);
  const config = {
    server_name: 'readme',
    node_type: 'gate',
    gate_host: '127.0.0.1',
    gate_port: 0,
    worker_cnt: 1,
    modules: ['test', './hello.ts'],
  };
  writeFileSync(`${folder}/hello.ts`, module);
  writeFileSync(`${folder}/node.json`, JSON.stringify(config));
  return startNode(t, folder, process.execPath, MAIN, 'node', 'node.json');
}

test('every example in TypeScript, and every marker, is one that is run', () => {
  const unmarked = blocks.filter(({ language, marker }) => language === 'ts' && marker !== 'module').map(({ text }) => text);
  assert.deepEqual(unmarked, [], 'these have no <!-- test: module --> right before their fence');
  const markers = [...readme.matchAll(/<!-- test: (.*?) -->/g)].map(([, marker]) => marker);
  assert.deepEqual(
    markers,
    blocks.flatMap(({ marker }) => marker ?? []),
    'a marker stands right before its fence',
  );
  assert.deepEqual(
    markers.filter((marker) => !['module', 'call', 'kubernetes'].includes(marker ?? '')),
    [],
  );
});

test('the modules of the README run in a node, and each of their commands answers', async (t) => {
  for (const module of marked('module')) {
    const node = await nodeWith(t, module);
    const commands = [...module.matchAll(/^ +(\d{4,}): /gm)].map(([, command]) => command!);
    assert.ok(commands.length > 0, 'the module has no command');
    for (const command of commands) {
      const reply = JSON.parse(await runProgram(root, process.execPath, MAIN, 'call', node.address, command, 'world', '-o', 'json')) as {
        code: number;
      };
      assert.equal(reply.code, 0, `command ${command}: ${JSON.stringify(reply)}`);
    }
    assert.equal(await node.end(), 0);
  }
});

test('the calls of the README are answered as it says, by the command that it tells to type', async (t) => {
  const [module = ''] = marked('module');
  const node = await nodeWith(t, module);
  for (const line of marked('call')
    .flatMap((text) => text.split('\n'))
    .filter(Boolean)) {
    assert.ok(line.includes(README_GATE), `"${line}" does not call ${README_GATE}`);
    const output = await runProgram(root, 'sh', '-c', line.replace(README_GATE, node.address));
    for (const word of ['1002', 'ok', 'good job!'])
      assert.ok(output.includes(word), `"${word}" is not in the answer to ${line}:\n${output}`);
  }
});

test('the README names the two commands', () => {
  for (const command of ['npm run up', 'npm test']) assert.ok(readme.includes(command), command);
});

test('every file that a document points to exists, with the heading that it names', () => {
  const pages = ['README.md', 'CHANGELOG.md', 'charts/kimserver/README.md', ...globSync('docs/*.md', { cwd: root })];
  for (const page of pages) {
    const text = readFileSync(`${root}/${page}`, 'utf8').replace(/^```[^]*?^```$/gm, '');
    for (const [, file = '', heading] of text.matchAll(/\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const place = posix.join(posix.dirname(page), file);
      const target = file === '' ? text : existsSync(`${root}/${place}`) ? readFileSync(`${root}/${place}`, 'utf8') : undefined;
      assert.ok(target !== undefined, `${page} points to ${file}`);
      if (heading !== undefined) assert.ok(anchorsOf(target).includes(heading), `${page} points to ${file}#${heading}`);
    }
  }
});

/** As GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
}
