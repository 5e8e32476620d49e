// Counting on the hot path: plain numbers in plain objects. prom-client sees them only at scrape (ops/metrics.ts),
// because one of its counters costs 128 ns and one of its histograms 307 ns each time.

import type { CloseReason } from '../errors.ts';
import { emptyCluster, type ClusterStats } from './cluster-stats.ts';

/** Upper bounds of the latency histogram, in seconds; one more bucket holds what is slower. */
export const LATENCY_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
/** Codes counted by number for each command; what a module makes up beyond that counts as -1 ("other"). */
const MAX_CODES = 32;

/** One command as counted: replies by code, and how long they took from the bytes read to the reply handed to the socket. */
export interface CommandSnapshot {
  codes: Record<number, number>;
  buckets: number[];
  sumSeconds: number;
}

/** What one worker has counted since it started; it sends this to its manager each second and when asked. */
export interface StatsSnapshot {
  // gauges
  connections: number;
  inFlight: number;
  /** Bytes written to sockets that the kernel has not taken yet. */
  outgoingBytes: number;
  /** Bytes of frames that are not finished or not yet handled. */
  heldBytes: number;
  rssBytes: number;
  /** Longest delay of the event loop in the last second. */
  loopLagSeconds: number;
  paused: number;
  // counters
  cpuSeconds: number;
  accepted: number;
  adopted: number;
  handedOver: number;
  closed: Partial<Record<CloseReason, number>>;
  refused: Partial<Record<CloseReason, number>>;
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** How often each limit took effect, by its configuration key. */
  limits: Record<string, number>;
  /** Answered here, by command number; `unknown` for commands that nobody answers. */
  commands: Record<string, CommandSnapshot>;
  /** Answered by other nodes, by the name of the route. */
  routes: Record<string, CommandSnapshot>;
  cluster: ClusterStats;
}

/** Counts of one command. `done` is the hot path. */
export class CommandStats {
  #ok = 0;
  readonly #codes = new Map<number, number>();
  readonly #buckets = new Array<number>(LATENCY_BOUNDS.length + 1).fill(0);
  #sumSeconds = 0;

  /** Counts `n` replies of one code that took `seconds` each. */
  done(code: number, seconds: number, n = 1): void {
    if (code === 0) this.#ok += n;
    else {
      const key = this.#codes.has(code) || this.#codes.size < MAX_CODES ? code : -1;
      this.#codes.set(key, (this.#codes.get(key) ?? 0) + n);
    }
    this.#sumSeconds += seconds * n;
    let i = 0;
    while (i < LATENCY_BOUNDS.length && seconds > LATENCY_BOUNDS[i]!) i++;
    this.#buckets[i]! += n;
  }

  snapshot(): CommandSnapshot {
    const codes: Record<number, number> = Object.fromEntries(this.#codes);
    if (this.#ok > 0) codes[0] = this.#ok;
    return { codes, buckets: [...this.#buckets], sumSeconds: this.#sumSeconds };
  }
}

/** Counts equal outcomes of one turn of the event loop together: one look at the clock for all of them instead of one for each. */
export class Tally {
  #stats: CommandStats | undefined;
  #code = 0;
  #n = 0;
  readonly #seconds: () => number;

  /** `seconds` tells how long the turn has lasted. */
  constructor(seconds: () => number) {
    this.#seconds = seconds;
  }

  count(stats: CommandStats, code: number): void {
    if (stats !== this.#stats || code !== this.#code) {
      this.end();
      this.#stats = stats;
      this.#code = code;
    }
    this.#n++;
  }

  /** Writes down what was counted; at the latest when the turn ends. */
  end(): void {
    if (this.#n > 0) this.#stats!.done(this.#code, this.#seconds(), this.#n);
    this.#n = 0;
  }
}

/** Counts equal outcomes that took equally long together: answers of another node come in runs. */
export class Streak {
  #stats: CommandStats | undefined;
  #code = 0;
  #ms = 0;
  #n = 0;

  count(stats: CommandStats, code: number, ms: number): void {
    if (stats !== this.#stats || code !== this.#code || ms !== this.#ms) {
      this.#end();
      this.#stats = stats;
      this.#code = code;
      this.#ms = ms;
    }
    if (this.#n++ === 0) setImmediate(this.#end);
  }

  /** Writes down what was counted; called by itself when the turn ends. */
  readonly #end = (): void => {
    if (this.#n > 0) this.#stats!.done(this.#code, this.#ms / 1000, this.#n);
    this.#n = 0;
  };
}

/** The counters of one worker. */
export class Stats {
  connections = 0;
  inFlight = 0;
  outgoingBytes = 0;
  heldBytes = 0;
  paused = 0;
  loopLagSeconds = 0;
  accepted = 0;
  adopted = 0;
  handedOver = 0;
  framesIn = 0;
  framesOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly closed: Partial<Record<CloseReason, number>> = {};
  readonly refused: Partial<Record<CloseReason, number>> = {};
  readonly limits: Record<string, number> = {};
  /** What the parts of the cluster have counted, asked at each snapshot. */
  cluster: () => ClusterStats = emptyCluster;
  readonly #commands = new Map<string, CommandStats>();
  readonly #routes = new Map<string, CommandStats>();

  /** The counts of a command, made on first use; ask once and keep it. */
  command(label: string): CommandStats {
    return statsOf(this.#commands, label);
  }

  /** The counts of a route to other nodes, likewise. */
  route(label: string): CommandStats {
    return statsOf(this.#routes, label);
  }

  countClosed(reason: CloseReason): void {
    this.closed[reason] = (this.closed[reason] ?? 0) + 1;
  }

  countRefused(reason: CloseReason): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }

  /** A limit of the configuration took effect; `key` is its name there. */
  countLimit(key: string): void {
    this.limits[key] = (this.limits[key] ?? 0) + 1;
  }

  snapshot(): StatsSnapshot {
    const cpu = process.cpuUsage();
    return {
      connections: this.connections,
      inFlight: this.inFlight,
      outgoingBytes: this.outgoingBytes,
      heldBytes: this.heldBytes,
      rssBytes: process.memoryUsage.rss(),
      loopLagSeconds: this.loopLagSeconds,
      paused: this.paused,
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      accepted: this.accepted,
      adopted: this.adopted,
      handedOver: this.handedOver,
      closed: { ...this.closed },
      refused: { ...this.refused },
      framesIn: this.framesIn,
      framesOut: this.framesOut,
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      limits: { ...this.limits },
      commands: snapshots(this.#commands),
      routes: snapshots(this.#routes),
      cluster: this.cluster(),
    };
  }
}

function statsOf(map: Map<string, CommandStats>, label: string): CommandStats {
  let stats = map.get(label);
  if (stats === undefined) map.set(label, (stats = new CommandStats()));
  return stats;
}

function snapshots(map: ReadonlyMap<string, CommandStats>): Record<string, CommandSnapshot> {
  return Object.fromEntries([...map].map(([label, stats]) => [label, stats.snapshot()]));
}
