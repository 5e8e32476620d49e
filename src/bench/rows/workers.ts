// The row of two workers: what a reply costs when its node has two of them.

import { contest, figures, ratios, type Bench } from '../contest.ts';
import { exchanges } from '../frames.ts';
import type { WorkersRow } from '../results.ts';
import { startNode } from '../servers.ts';

const DEPTHS = [10, 100];

export async function workersRows(bench: Bench): Promise<WorkersRow[]> {
  if (!bench.settings.rows.includes('workers')) return [];
  const rows: WorkersRow[] = [];
  bench.say('starting nodes with one and with two workers');
  const one = await startNode();
  try {
    const two = await startNode({ worker_cnt: 2 });
    try {
      for (const depth of DEPTHS) {
        const [alone, both] = (await contest(bench, [one, two], { exchange: exchanges.test, depth }, `workers at depth ${depth}`)) as [
          never,
          never,
        ];
        rows.push({ depth, one: figures(alone), two: figures(both), ratios: ratios(both, alone) });
      }
    } finally {
      await two.end();
    }
  } finally {
    await one.end();
  }
  return rows;
}
