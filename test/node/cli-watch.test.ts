// kim node --watch: edited modules take effect.

import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CONFIG, folderOf, KimNode } from '../support/kim.ts';
import { RawClient } from '../support/raw-client.ts';

const moduleText = `
import { defineModule } from 'kimserver';
import { answer } from './answer.ts';
export default defineModule({
  name: 'hello',
  commands: {
    2001: (_data, ctx) => {
      const count = (ctx.session.get('count') ?? 0) + 1;
      ctx.session.set('count', count);
      return answer + ' ' + count;
    },
  },
});
`;
const answerText = (answer: string) => `export const answer = '${answer}';`;

test('a module that is edited takes effect, and its clients stay', async (t) => {
  const folder = folderOf(t, {
    'node.json': { ...CONFIG, worker_cnt: 2, modules: ['hello.ts'] },
    'hello.ts': moduleText,
    'answer.ts': answerText('one'),
  });
  const node = await KimNode.serving(t, [join(folder, 'node.json'), '--watch']);
  const client = await RawClient.connect(node.port);
  t.after(() => client.destroy());
  assert.equal((await client.request(2001)).data, 'one 1');

  await t.test('also through what it imports, and when an editor replaces the file', async () => {
    writeFileSync(join(folder, 'answer.tmp'), answerText('two'));
    renameSync(join(folder, 'answer.tmp'), join(folder, 'answer.ts'));
    assert.deepEqual((await node.logged('modules changed'))['files'], [join(folder, 'answer.ts')]);
    await node.logged('changed modules loaded');
    assert.equal((await client.request(2001)).data, 'two 2');
  });

  await t.test('one that does not load is refused, with the reason, and what runs goes on', async () => {
    writeFileSync(join(folder, 'hello.ts'), 'export default { name: 7 };');
    const { reason } = await node.logged('changed modules refused; the node goes on with the old ones');
    assert.match(String(reason), /hello.ts is not a module: "name" must be a short lower-case word, got 7/);
    assert.equal((await client.request(2001)).data, 'two 3');
  });

  await t.test('and the next edit is taken again', async () => {
    writeFileSync(join(folder, 'answer.ts'), answerText('three'));
    writeFileSync(join(folder, 'hello.ts'), moduleText);
    await node.logged('changed modules loaded', 2);
    assert.equal((await client.request(2001)).data, 'three 4');
  });

  assert.equal(client.ended, undefined);
});
