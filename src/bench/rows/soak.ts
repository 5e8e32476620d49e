// The row of endurance: what the worker holds after a tenth, half and all of many requests.

import { MEMORY_COMMAND } from '../commands.ts';
import type { Bench } from '../contest.ts';
import { ask } from '../control.ts';
import { exchanges } from '../frames.ts';
import type { SoakRow } from '../results.ts';
import { startNode } from '../servers.ts';

const DEPTH = 100;
const SHARES = [0.1, 0.5, 1];

export async function soakRow(bench: Bench): Promise<SoakRow | undefined> {
  const { settings, loads, say } = bench;
  if (!settings.rows.includes('soak')) return undefined;
  const node = await startNode();
  try {
    const points = [];
    const rates = [];
    let requests = 0;
    await loads.connect(node.port, exchanges.test, DEPTH, settings.connections);
    for (const share of SHARES) {
      say(`soak: ${requests} of ${settings.soak} requests`);
      const run = await loads.run({ replies: settings.soak * share - requests });
      requests += run.replies;
      rates.push(run.rate);
      const rssBytes = node.rss();
      const { heapUsed } = JSON.parse((await ask(node.port, MEMORY_COMMAND)).toString()) as NodeJS.MemoryUsage;
      points.push({ requests, rssBytes, heapBytes: heapUsed });
    }
    await loads.close();
    return { points, rate: rates.at(-1)! };
  } finally {
    await node.end();
  }
}
