// The rows under load: a node beside the floor, at one depth and with one kind of request each.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROFILE_COMMAND, PROFILED_COMMAND } from '../commands.ts';
import { contest, figures, ratios, type Bench } from '../contest.ts';
import { ask } from '../control.ts';
import { exchanges, type ExchangeName } from '../frames.ts';
import { topFunctions, type CpuProfile } from '../profile.ts';
import type { LoadRow, ProfileRow } from '../results.ts';
import { startFloor, startNode, type Server } from '../servers.ts';
import type { RowName } from '../settings.ts';

const ROWS: Partial<Record<RowName, { depth: number; exchange: ExchangeName }>> = {
  depth1: { depth: 1, exchange: 'test' },
  depth10: { depth: 10, exchange: 'test' },
  depth100: { depth: 100, exchange: 'test' },
  echo: { depth: 100, exchange: 'echo' },
  json: { depth: 100, exchange: 'json' },
};
const TOP = 15;

/** All rows under load that were asked for, on one pair of servers: what they compiled and allocated for one row is there in the next. */
export async function loadRows(bench: Bench): Promise<{ load: LoadRow[]; profiles: ProfileRow[] }> {
  const wanted = bench.settings.rows.flatMap((name) => (ROWS[name] === undefined ? [] : [{ name, ...ROWS[name] }]));
  const load: LoadRow[] = [];
  const profiles: ProfileRow[] = [];
  if (wanted.length === 0) return { load, profiles };
  bench.say('starting the floor and a node with one worker');
  const floor = await startFloor();
  try {
    const node = await startNode();
    try {
      for (const { name, depth, exchange } of wanted) {
        const shape = { exchange: exchanges[exchange], depth };
        const [bare, ours] = (await contest(bench, [floor, node], shape, name)) as [never, never];
        load.push({ name, what: shape.exchange.what, depth, floor: figures(bare), ours: figures(ours), ratios: ratios(ours, bare) });
        if (bench.settings.profile !== undefined) profiles.push(await profile(bench, node, name, shape, bench.settings.profile));
      }
    } finally {
      await node.end();
    }
  } finally {
    await floor.end();
  }
  return { load, profiles };
}

async function profile(
  { loads, settings, say }: Bench,
  node: Server,
  name: RowName,
  { exchange, depth }: { exchange: (typeof exchanges)[ExchangeName]; depth: number },
  folder: string,
): Promise<ProfileRow> {
  say(`${name}: CPU profile`);
  await loads.connect(node.port, exchange, depth, settings.connections);
  await ask(node.port, PROFILE_COMMAND);
  await loads.run({ seconds: settings.seconds });
  const text = (await ask(node.port, PROFILED_COMMAND)).toString();
  await loads.close();
  const file = join(folder, `worker-${name}.cpuprofile`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, text);
  return { name, file, top: topFunctions(JSON.parse(text) as CpuProfile, TOP) };
}
