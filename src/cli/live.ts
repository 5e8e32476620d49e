// A picture that is drawn again and again until the user has seen enough.

import type { Look, NodeRates } from './rates.ts';
import { ratesOf } from './rates.ts';
import type { Screen } from './screen.ts';

export interface LiveOptions {
  screen: Screen;
  /** The look that was taken before the screen was. */
  first: Look;
  look(): Promise<Look>;
  picture(look: Look, rates: NodeRates, problem: string | undefined): string[];
  intervalMs: number;
}

/** Resolves when the user ends it; the screen is given back in any case. A node that does not answer is waited for. */
export async function drawUntilEnded({ screen, first, look, picture, intervalMs }: LiveOptions): Promise<void> {
  let now = first;
  let rates = ratesOf(first);
  let problem: string | undefined;
  let isOver = false;
  let wake: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const draw = () => screen.draw(picture(now, rates, problem));
  screen.open({
    end() {
      isOver = true;
      wake();
    },
    resized: draw,
  });
  try {
    while (!isOver) {
      draw();
      await Promise.race([ended, pause(intervalMs, ended)]);
      if (isOver) return;
      const next = await Promise.race([ended, look().catch((error: unknown) => error as Error)]);
      if (next === undefined) return;
      problem = next instanceof Error ? next.message : undefined;
      if (next instanceof Error) continue;
      rates = ratesOf(next, now);
      now = next;
    }
  } finally {
    screen.close();
  }
}

/** Waits, but not longer than until `ended`, and leaves no timer behind. */
async function pause(ms: number, ended: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([passed, ended]);
  clearTimeout(timer);
}
