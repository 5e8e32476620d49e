// The loop of kim top: looks, pictures, keys and its end, without a terminal.

import assert from 'node:assert/strict';
import test, { mock } from 'node:test';
import { drawUntilEnded } from '../../../src/cli/live.ts';
import type { Look } from '../../../src/cli/rates.ts';
import type { Screen } from '../../../src/cli/screen.ts';
import { look, nodeStatus } from './status.ts';

/** A screen that keeps what was drawn; `drawn(n)` waits for picture number n. */
class FakeScreen implements Screen {
  readonly columns = 80;
  readonly rows = 24;
  readonly pictures: string[] = [];
  closed = 0;
  handlers: Parameters<Screen['open']>[0] | undefined;
  #waiting: (() => void)[] = [];

  open(handlers: Parameters<Screen['open']>[0]): void {
    this.handlers = handlers;
  }

  draw(lines: readonly string[]): void {
    this.pictures.push(lines.join('\n'));
    for (const wake of this.#waiting.splice(0)) wake();
  }

  close(): void {
    this.closed++;
  }

  async drawn(count: number): Promise<void> {
    while (this.pictures.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Moves the clock on until the picture is there: how many turns the look before it takes is none of our business. */
async function tickUntil(screen: FakeScreen, count: number): Promise<void> {
  const drawn = screen.drawn(count);
  let isDrawn = false;
  void drawn.then(() => (isDrawn = true));
  while (!isDrawn) {
    mock.timers.tick(1000);
    await new Promise(setImmediate);
  }
}

function start(looks: (() => Promise<Look>)[]) {
  const screen = new FakeScreen();
  const over = drawUntilEnded({
    screen,
    first: look(1, nodeStatus({ framesIn: 1 })),
    look: () => looks.shift()?.() ?? new Promise<never>(() => undefined),
    intervalMs: 1000,
    picture: ({ at }, rates, problem) => [`${new Date(at).getUTCSeconds()} s, ${rates.total.requests}/s, ${problem ?? 'well'}`],
  });
  return { screen, over };
}

test('each look is drawn with the rates since the one before', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { screen, over } = start([
    () => Promise.resolve(look(2, nodeStatus({ framesIn: 101 }))),
    () => Promise.resolve(look(4, nodeStatus({ framesIn: 501 }))),
  ]);
  await tickUntil(screen, 3);
  screen.handlers!.end();
  await over;
  assert.deepEqual(screen.pictures, ['1 s, 1/s, well', '2 s, 100/s, well', '4 s, 200/s, well']);
  assert.equal(screen.closed, 1);
});

test('a node that does not answer is shown as it was, with the reason, until it answers again', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { screen, over } = start([
    () => Promise.reject(new Error('it is gone')),
    () => Promise.resolve(look(5, nodeStatus({ framesIn: 1 }))),
  ]);
  await tickUntil(screen, 3);
  screen.handlers!.end();
  await over;
  assert.deepEqual(screen.pictures, ['1 s, 1/s, well', '1 s, 1/s, it is gone', '5 s, 0/s, well']);
});

test('it ends at once, also while it waits for an answer, and gives the screen back', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.after(() => mock.timers.reset());
  const { screen, over } = start([]);
  await screen.drawn(1);
  mock.timers.tick(1000);
  await new Promise(setImmediate);
  screen.handlers!.end();
  await over;
  assert.equal(screen.closed, 1);
});

test('a screen of another size is drawn at once', async () => {
  const { screen, over } = start([]);
  screen.handlers!.resized();
  assert.equal(screen.pictures.length, 2);
  screen.handlers!.end();
  await over;
});

test('what can not be drawn ends it, with the screen given back', async () => {
  const screen = new FakeScreen();
  const picture = () => {
    throw new Error('no picture');
  };
  const live = drawUntilEnded({
    screen,
    first: look(1, nodeStatus()),
    look: () => Promise.reject(new Error('unused')),
    intervalMs: 1,
    picture,
  });
  await assert.rejects(live, /no picture/);
  assert.equal(screen.closed, 1);
});
