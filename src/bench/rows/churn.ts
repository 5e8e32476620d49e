// The rows of churn: clients that connect, ask once and go, with both ways in which connections come to workers.

import { figures, withUsage, type Bench, type Round } from '../contest.ts';
import { exchanges } from '../frames.ts';
import { median, type ChurnRow } from '../results.ts';
import { startFloor, startNode, type Server } from '../servers.ts';

/** Connections of one round at most: their ports stay occupied for a moment after them. */
const LIMIT = 15_000;
const CONCURRENCY = 64;
const WARM_SECONDS = 0.3;
/** Far above what is reached: the limit is asked for each connection and never holds one back. */
const UNHELD = { accept_rate: 1_000_000, accept_burst: 1_000_000 };

const CONTENDERS: readonly { who: string; start: () => Promise<Server> }[] = [
  { who: 'floor', start: startFloor },
  { who: 'kimserver, passed by the manager', start: () => startNode(UNHELD) },
  { who: 'kimserver, is_reuseport', start: () => startNode({ ...UNHELD, is_reuseport: true }) },
];

export async function churnRows(bench: Bench): Promise<ChurnRow[]> {
  if (!bench.settings.rows.includes('churn')) return [];
  const running: { who: string; server: Server; rounds: Round[] }[] = [];
  try {
    for (const { who, start } of CONTENDERS) running.push({ who, server: await start(), rounds: [] });
    for (let round = 0; round < bench.settings.rounds; round++) {
      for (const { who, server, rounds } of running) {
        bench.say(`churn, ${who}: round ${round + 1} of ${bench.settings.rounds}`);
        rounds.push(await oneRound(bench, server, round === 0));
      }
    }
    return running.map(({ who, rounds }) => row(who, rounds));
  } finally {
    for (const { server } of running) await server.end();
  }
}

async function oneRound({ loads, settings }: Bench, server: Server, warm: boolean): Promise<Round> {
  const run = (seconds: number) => loads.churn(server.port, exchanges.test, seconds, LIMIT, CONCURRENCY);
  await server.expect(exchanges.test);
  if (warm) await run(Math.min(WARM_SECONDS, settings.seconds));
  return withUsage(server, () => run(settings.seconds));
}

function row(who: string, rounds: readonly Round[]): ChurnRow {
  const { rate, p50Us, p99Us, managerUs, loadUs } = figures(rounds);
  return { who, rate, p50Us, p99Us, managerUs, workerUs: median(rounds.map(({ workerUs, replies }) => workerUs / replies)), loadUs };
}
