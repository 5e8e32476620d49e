// kim top: a running node, live.

import { fetchStatus } from '../admin-client.ts';
import { parseAdminUrl } from '../address.ts';
import { drawUntilEnded } from '../live.ts';
import { UsageError } from '../problem.ts';
import { ratesOf, type Look } from '../rates.ts';
import { TerminalScreen } from '../screen.ts';
import { painter } from '../terminal.ts';
import { frameLines } from '../top-frame.ts';
import { DEFAULT_ADDRESS } from './status.ts';

interface TopOptions {
  interval: number;
  once: boolean;
}

export async function runTop([address = DEFAULT_ADDRESS]: readonly string[], { interval, once }: TopOptions): Promise<number> {
  const url = parseAdminUrl(address);
  if (!once && !process.stdout.isTTY) {
    throw new UsageError('top draws on a terminal, and this is none; --once prints one picture, and "kim status -o json" is for programs');
  }
  const look = async (): Promise<Look> => {
    const status = await fetchStatus(url);
    return { at: Date.now(), status };
  };
  const first = await look();
  const paint = painter(process.stdout.isTTY);
  const screen = new TerminalScreen();
  if (once) {
    const lines = frameLines({ look: first, rates: ratesOf(first), columns: screen.columns, rows: Infinity, paint, hint: '' });
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  }
  await drawUntilEnded({
    screen,
    first,
    look,
    intervalMs: interval,
    picture: (shown, rates, problem) =>
      frameLines({ look: shown, rates, columns: screen.columns, rows: screen.rows, paint, problem, hint: 'q ends; ' }),
  });
  return 0;
}
