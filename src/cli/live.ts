// A picture that is drawn again and again until the user has seen enough.

import type { Look, NodeRates } from './rates.ts';
import { ratesOf } from './rates.ts';
import type { Screen } from './screen.ts';

export interface LiveOptions<L> {
  screen: Screen;
  /** The look that was taken before the screen was. */
  first: L;
  look(): Promise<L>;
  /** `before` is the look before this one; `problem` is why there is none newer. */
  picture(look: L, before: L | undefined, problem: string | undefined): string[];
  intervalMs: number;
}

/** Of a node, with what happened since the look before. */
export interface NodeLiveOptions extends Omit<LiveOptions<Look>, 'picture'> {
  picture(look: Look, rates: NodeRates, problem: string | undefined): string[];
}

/** Resolves when the user ends it; the screen is given back in any case. A node that does not answer is waited for. */
export function drawUntilEnded({ picture, ...options }: NodeLiveOptions): Promise<void> {
  return drawLive({ ...options, picture: (look, before, problem) => picture(look, ratesOf(look, before), problem) });
}

/** Resolves when the user ends it; the screen is given back in any case. While a look fails the last one stays. */
export async function drawLive<L>({ screen, first, look, picture, intervalMs }: LiveOptions<L>): Promise<void> {
  let now = first;
  let before: L | undefined;
  let problem: string | undefined;
  let isOver = false;
  let wake: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const draw = () => screen.draw(picture(now, before, problem));
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
      before = now;
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
