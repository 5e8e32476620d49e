// The rows of a cluster: a request relayed from a gate to a logic node and back, beside one that the gate answers itself; messages to one user
// and to a group of thousands; and the ring.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { memberPoints, Ring } from '../../cluster/ring.ts';
import { Child } from '../child.ts';
import { JOIN_COMMAND, LOGIN_COMMAND, PUSH_COMMAND, SPREAD_COMMAND } from '../commands.ts';
import { figures, withUsage, type Bench, type Round } from '../contest.ts';
import { ask } from '../control.ts';
import { exchanges } from '../frames.ts';
import type { RelayRow, RingRow, SpreadRow } from '../results.ts';
import { startNode, type Server } from '../servers.ts';
import type { SinkQuestion } from '../sink.ts';

const DEPTHS = [1, 10, 100];
/** Few enough that nobody waits for another: what a request takes when the machine has time. */
const LIGHT = 4;
const MEMBERS = 10_000;
const GROUP = 'bench';
const USER = 'bench-user';
const DATA_BYTES = 100;
const BATCH = 10;
const JOIN_MS = 120_000;
const DELIVERED_MS = 60_000;

interface Cluster {
  gate: Server;
  logic: Server;
}

/** Does something with a gate and a logic node that know each other. */
async function withCluster<T>(work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'kim-bench-'));
  const base = { node_host: '127.0.0.1', node_port: 0, directory_path: folder };
  try {
    const logic = await startNode({ ...base, server_name: 'bench-logic', node_type: 'logic', gate_host: '' });
    try {
      const routes = [{ commands: '1000-', to: 'logic', key: 'session' }];
      const gate = await startNode({ ...base, server_name: 'bench-gate', modules: [], routes, keep_alive: 3_600_000 });
      try {
        return await work({ gate, logic });
      } finally {
        await gate.end();
      }
    } finally {
      await logic.end();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function relayRows(bench: Bench): Promise<RelayRow[]> {
  const { settings, loads, say } = bench;
  if (!settings.rows.includes('relay')) return [];
  say('starting a node that answers itself, a gate and a logic node');
  const own = await startNode();
  try {
    return await withCluster(async ({ gate, logic }) => {
      const rows: RelayRow[] = [];
      const shapes = [...DEPTHS.map((depth) => ({ depth, connections: settings.connections })), { depth: 1, connections: LIGHT }];
      for (const { depth, connections } of shapes) {
        const alone: Round[] = [];
        const relayed: Round[] = [];
        const logicUs: number[] = [];
        for (let round = 0; round < settings.rounds; round++) {
          for (const server of [own, gate]) {
            say(`relay at depth ${depth} with ${connections} connections: round ${round + 1} of ${settings.rounds}`);
            await loads.connect(server.port, exchanges.test, depth, connections);
            if (round === 0) await loads.run({ seconds: Math.min(1, settings.seconds) });
            const before = logic.usage();
            const run = await withUsage(server, () => loads.run({ seconds: settings.seconds }));
            const after = logic.usage();
            await loads.close();
            (server === own ? alone : relayed).push(run);
            if (server === gate) logicUs.push(after.workerUs + after.managerUs - before.workerUs - before.managerUs);
          }
        }
        const ratios = relayed.map((run, i) => (cost(run) + logicUs[i]! / run.replies) / cost(alone[i]!));
        const logicCpu = relayed.map((run, i) => logicUs[i]! / run.replies);
        rows.push({ depth, connections, own: figures(alone), gate: figures(relayed), logicUs: middle(logicCpu), ratios });
      }
      return rows;
    });
  } finally {
    await own.end();
  }
}

const cost = ({ managerUs, workerUs, replies }: Round): number => (managerUs + workerUs) / replies;
const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

export async function spreadRows({ settings, say }: Bench): Promise<SpreadRow[]> {
  if (!settings.rows.includes('push')) return [];
  return withCluster(async ({ gate, logic }) => {
    const sink = new Child<SinkQuestion>('sink');
    try {
      say('push: one user logs in');
      await sink.ask({ type: 'join', port: gate.port, connections: 1, cmd: LOGIN_COMMAND, data: USER }, JOIN_MS);
      const pushes = Math.max(1000, Math.round(20_000 * settings.seconds));
      say(`push: ${pushes} messages to one user`);
      const rows = [
        await measure({ gate, logic }, sink, PUSH_COMMAND, { times: pushes, user: USER, bytes: DATA_BYTES }, 'one user', pushes),
      ];
      await sink.ask({ type: 'leave' }, JOIN_MS);
      say(`push: ${MEMBERS} clients join a group`);
      await sink.ask({ type: 'join', port: gate.port, connections: MEMBERS, cmd: JOIN_COMMAND, data: GROUP }, JOIN_MS);
      for (const batch of [1, BATCH]) {
        const times = Math.max(2, Math.round(10 * settings.seconds)) * batch;
        say(`push: ${times} messages to ${MEMBERS} clients, ${batch} at a time`);
        const what = { times, group: GROUP, bytes: DATA_BYTES, batch };
        const title = `a group of ${MEMBERS}, ${batch === 1 ? 'one by one' : `by ${batch}`}`;
        rows.push(await measure({ gate, logic }, sink, SPREAD_COMMAND, what, title, times * MEMBERS));
      }
      return rows;
    } finally {
      await sink.end();
    }
  });
}

async function measure(
  { gate, logic }: Cluster,
  sink: Child<SinkQuestion>,
  cmd: number,
  what: object,
  title: string,
  expected: number,
): Promise<SpreadRow> {
  const before = { gate: gate.usage(), logic: logic.usage(), frames: await sink.ask<number>({ type: 'count' }, JOIN_MS) };
  const start = performance.now();
  await ask(gate.port, cmd, JSON.stringify(what));
  const deadline = start + DELIVERED_MS;
  let delivered = 0;
  while (delivered < expected) {
    delivered = (await sink.ask<number>({ type: 'count' }, JOIN_MS)) - before.frames;
    if (performance.now() > deadline) throw new Error(`${delivered} of ${expected} messages came within ${DELIVERED_MS} ms`);
    if (delivered < expected) await wait(5);
  }
  const seconds = (performance.now() - start) / 1000;
  const after = { gate: gate.usage(), logic: logic.usage() };
  const gateUs = after.gate.workerUs - before.gate.workerUs;
  const logicUs = after.logic.workerUs - before.logic.workerUs;
  return { what: title, deliveries: delivered, rate: delivered / seconds, gateUs: gateUs / delivered, logicUs: logicUs / delivered };
}

const RING_NODES = 200;
const RING_WORKERS = 8;
const LOOKUPS = 1_000_000;

/** In this process: nothing here needs another. */
export function ringRow({ settings, say }: Bench): RingRow | undefined {
  if (!settings.rows.includes('ring')) return undefined;
  say('ring');
  const address = (i: number) => `10.0.${Math.floor(i / 250)}.${i % 250}:3344`;
  const cold = timed(() => Array.from({ length: RING_NODES }, (_, i) => memberPoints(address(i), RING_WORKERS)));
  const members = cold.value;
  const whole = timed(() => Ring.of(members));
  const changed = [...members.slice(1), memberPoints(address(RING_NODES), RING_WORKERS)];
  // the best of some: the first runs are those of an engine that has not compiled it yet
  const changes = Array.from({ length: 20 }, () => timed(() => whole.value.changed(changed)).ms);
  const keys = Array.from({ length: 1024 }, (_, i) => `session-${i}`);
  const ring = whole.value;
  const lookups = timed(() => {
    for (let i = 0; i < LOOKUPS; i++) ring.find(keys[i & 1023]!);
  });
  return {
    points: ring.size,
    coldMs: cold.ms + whole.ms,
    changeMs: middle(changes),
    lookupNs: (lookups.ms * 1e6) / LOOKUPS,
  };
}

function timed<T>(work: () => T): { value: T; ms: number } {
  const start = performance.now();
  const value = work();
  return { value, ms: performance.now() - start };
}
