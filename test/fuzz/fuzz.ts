// A real node, many connections that attack it, and honest clients beside them: runs, judges, and says what was found.

import { fileURLToPath } from 'node:url';
import { parseNodeConfig } from '../../src/config/node-config.ts';
import { Manager } from '../../src/node/manager.ts';
import { createLogger } from '../../src/ops/log.ts';
import type { AccountSnapshot } from '../../src/ops/ledger.ts';
import type { NodeStatus } from '../../src/ops/snapshot.ts';
import { attack, newTally, type Tally } from './attack.ts';
import { makeLife } from './generate.ts';
import { Honest, type HonestReport } from './honest.ts';

export interface FuzzOptions {
  /** Frames to send; whole connections are lived, so a few more are. */
  frames: number;
  seed: number;
  workers: number;
  /** Attacking connections at once. */
  connections: number;
  /** How often all workers are replaced meanwhile, their connections handed over. */
  rolls: number;
  /** Called with each further tenth of the frames. */
  progress?(text: string): void;
}

export interface FuzzReport extends Omit<Tally, 'problems'> {
  seed: number;
  seconds: number;
  honest: HonestReport[];
  /** Connections by why the server closed them. */
  closed: Record<string, number>;
  /** How often each limit took effect. */
  limits: Record<string, number>;
  restarts: number;
  /** Resident memory of the largest worker, in bytes. */
  rss: { start: number; tenth: number; end: number };
  /** What workers still held when they had left: empty, or it leaks. */
  held: Record<string, AccountSnapshot>[];
  /** What is wrong; empty for a server that held. */
  problems: string[];
}

const MIB = 1024 * 1024;
const MAX_FRAME = MIB;
/** The collector lets memory grow until it has a reason to work; a leak goes on growing. */
const MAX_GROWTH = 128 * MIB;
/** The server gives peers so long to close their side, and a little more. */
const SETTLE_MS = 7000;
/** Enough to see what goes wrong. */
const MAX_PROBLEMS = 20;

/** Limits so low that attackers meet all of them, and honest clients none. */
const CONFIG = {
  server_name: 'kim-fuzz',
  node_type: 'gate',
  gate_host: '127.0.0.1',
  gate_port: 0,
  node_host: '127.0.0.1',
  node_port: 0,
  admin_port: 0,
  modules: ['test', 'echo', './module.ts'],
  log_level: 'fatal',
  max_clients: 10_000,
  max_frame: MAX_FRAME,
  max_in_flight: 16,
  request_rate: 5000,
  request_burst: 500,
  outgoing_limit: 64 * 1024,
  outgoing_deadline_ms: 500,
  first_byte_ms: 1000,
  frame_ms: 1000,
  keep_alive: 2000,
  drain_ms: 2000,
};

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, workers, rolls } = options;
  const { config } = parseNodeConfig({ ...CONFIG, worker_cnt: workers }, 'the fuzzer');
  const ledgers: Record<string, AccountSnapshot>[] = [];
  const manager = await Manager.start({
    config,
    folder: fileURLToPath(new URL('.', import.meta.url)),
    version: '0',
    log: createLogger({ name: 'kim-fuzz', level: 'fatal', write: () => undefined }),
    onLeft: ({ ledger }) => void ledgers.push(ledger),
  });
  const begin = performance.now();
  try {
    const ports = { gate: portOf(manager, 'gate'), node: portOf(manager, 'node') };
    // one for each worker: connections go to the worker with the fewest
    const honest = Array.from({ length: workers }, (_, i) => new Honest(ports.gate, seed, i));
    for (const one of honest) await one.start();
    const rss = { start: await largestRss(manager), tenth: 0, end: 0 };
    const tally = newTally();
    await attackAll(options, ports, tally, async (tenth) => {
      const now = await largestRss(manager);
      if (tenth === 1) rss.tenth = now;
      const memory = `${Math.round(now / MIB)} MiB`;
      options.progress?.(`${tenth * 10} % after ${seconds(begin)} s: ${tally.frames} frames, ${memory}, ${tally.problems.length} problems`);
      if (rolls > 0 && tenth % Math.ceil(10 / (rolls + 1)) === 0) await manager.roll();
    });
    const took = seconds(begin);
    const reports = await Promise.all(honest.map((one) => one.stop()));
    const status = await statusWithoutConnections(manager);
    rss.end = largest(status);
    await manager.drain();
    const restarts = status.workers.reduce((sum, worker) => sum + worker.restarts, 0);
    const { closed, limits, connections } = status.totals;
    if (connections !== 0) tally.problems.push(`${connections} connections were left though all clients had gone`);
    const report = { ...tally, seed, seconds: took, honest: reports, closed, limits, restarts, rss, held: ledgers.filter(isHolding) };
    return { ...report, problems: judge(report, { ledgers: ledgers.length, expected: workers, hasRolls: rolls > 0 }) };
  } finally {
    await manager.kill();
  }
}

type Ports = Parameters<typeof attack>[1];

/** Lives one life after the other on each of the connections until enough frames were sent. */
async function attackAll(options: FuzzOptions, ports: Ports, tally: Tally, onTenth: (tenth: number) => Promise<void>): Promise<void> {
  let next = 0;
  let tenth = 0;
  let reached: Promise<void> = Promise.resolve();
  const live = async () => {
    while (tally.frames < options.frames && tally.problems.length < MAX_PROBLEMS) {
      await attack(makeLife(options.seed, next++, MAX_FRAME), ports, tally);
      const tenths = Math.min(10, Math.floor((tally.frames / options.frames) * 10));
      if (tenths === tenth) continue;
      tenth = tenths;
      reached = reached.then(() => onTenth(tenths));
    }
  };
  await Promise.all(Array.from({ length: options.connections }, live));
  await reached;
}

function judge(
  report: Omit<FuzzReport, 'problems'> & { problems: string[] },
  workers: { ledgers: number; expected: number; hasRolls: boolean },
): string[] {
  const problems = [...report.problems.slice(0, MAX_PROBLEMS), ...report.honest.flatMap((one) => one.problems)];
  for (const { requests, replies } of report.honest) {
    if (replies < requests) problems.push(`an honest client got ${replies} replies to ${requests} requests`);
    if (requests === 0) problems.push('an honest client sent nothing');
  }
  if (report.restarts > 0) problems.push(`${report.restarts} workers died`);
  if (workers.ledgers < workers.expected) problems.push(`${workers.expected - workers.ledgers} workers did not leave in order`);
  for (const held of report.held) problems.push(`a worker that left still held ${JSON.stringify(held)}`);
  const { tenth, end } = report.rss;
  // new processes begin small
  if (!workers.hasRolls && end - tenth > MAX_GROWTH) {
    problems.push(`memory grew from ${Math.round(tenth / MIB)} MiB after a tenth to ${Math.round(end / MIB)} MiB`);
  }
  return problems;
}

function portOf(manager: Manager, kind: 'gate' | 'node'): number {
  const listener = manager.listeners().find((one) => one.kind === kind);
  if (listener === undefined) throw new Error(`the node under attack has no ${kind} port`);
  return listener.port;
}

const isHolding = (ledger: Record<string, AccountSnapshot>): boolean =>
  Object.values(ledger).some(({ held, bytes }) => held !== 0 || bytes !== 0);

async function statusOf(manager: Manager): Promise<NodeStatus> {
  return (await (await fetch(new URL('/status', manager.adminUrl))).json()) as NodeStatus;
}

/** The workers learn a moment later than we that the last connections have gone. */
async function statusWithoutConnections(manager: Manager): Promise<NodeStatus> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const status = await statusOf(manager);
    if (status.totals.connections === 0 || performance.now() > deadline) return status;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const largest = (status: NodeStatus): number => Math.max(...status.workers.map(({ stats }) => stats.rssBytes));
const largestRss = async (manager: Manager): Promise<number> => largest(await statusOf(manager));
const seconds = (begin: number): number => Math.round((performance.now() - begin) / 100) / 10;
