// The row of idle connections: each has asked once and is silent then, as most of a fleet of devices.

import { setTimeout as wait } from 'node:timers/promises';
import { MEMORY_COMMAND } from '../commands.ts';
import type { Bench } from '../contest.ts';
import { ask } from '../control.ts';
import { exchanges } from '../frames.ts';
import type { IdleRow } from '../results.ts';
import { startFloor, startNode, type Server } from '../servers.ts';

/** Connections made and closed before the measurement, so that code and pools are not counted. */
const WARM = 200;
/** Idle clients must stay longer than the row takes. */
const KEEP_ALIVE_MS = 3_600_000;
const SETTLE_MS = 500;
const MIN_CPU_SECONDS = 2;

export async function idleRows(bench: Bench): Promise<IdleRow[]> {
  if (!bench.settings.rows.includes('idle')) return [];
  const rows = [];
  for (const who of ['floor', 'kimserver'] as const) {
    const server = await (who === 'floor' ? startFloor() : startNode({ keep_alive: KEEP_ALIVE_MS }));
    try {
      rows.push(await measure(bench, server, who));
    } finally {
      await server.end();
    }
  }
  return rows;
}

async function measure({ loads, settings, say }: Bench, server: Server, who: IdleRow['who']): Promise<IdleRow> {
  const connections = settings.idle;
  const collected = async () => {
    if (who !== 'floor') await ask(server.port, MEMORY_COMMAND);
    return server.rss();
  };
  const hold = (count: number) => loads.connect(server.port, exchanges.test, 1, count);
  say(`idle: ${connections} connections to ${who}`);
  await server.expect(exchanges.test);
  await hold(Math.min(WARM, connections));
  await loads.close();
  const empty = await collected();
  await hold(connections);
  await wait(SETTLE_MS);
  const full = server.rss();
  const seconds = Math.max(MIN_CPU_SECONDS, settings.seconds);
  const before = server.usage();
  const start = performance.now();
  await wait(seconds * 1000);
  const after = server.usage();
  const elapsedUs = (performance.now() - start) * 1000;
  const lean = await collected();
  await loads.close();
  return {
    who,
    connections,
    rssBytes: (full - empty) / connections,
    collectedBytes: who === 'floor' ? undefined : (lean - empty) / connections,
    workerCpu: (after.workerUs - before.workerUs) / elapsedUs,
    managerCpu: (after.managerUs - before.managerUs) / elapsedUs,
  };
}
