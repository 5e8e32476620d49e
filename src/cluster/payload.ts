// What a node served since its last report, as the originals write it into ZooKeeper each second: protobuf's JSON with zero fields printed. Pure.

export interface PayloadNode {
  /** Path of the node's record in ZooKeeper. */
  readonly zkPath: string;
  readonly type: string;
  readonly host: string;
  readonly port: number;
  /** Empty and 0 for a node that serves no clients. */
  readonly gateHost: string;
  readonly gatePort: number;
  readonly workers: number;
}

/** Of one process. The first two are as of now, the others since it was started. */
export interface PayloadCounters {
  readonly connections: number;
  readonly inFlight: number;
  readonly framesIn: number;
  readonly bytesIn: number;
  readonly framesOut: number;
  readonly bytesOut: number;
}

/** As it stands in the document. */
interface Payload {
  worker_index: number;
  conn_cnt: number;
  cmd_cnt: number;
  read_cnt: number;
  read_bytes: number;
  write_cnt: number;
  write_bytes: number;
  create_time: number;
}

const MANAGER = 0;
/** All are uint32 there, and a reader refuses more. */
const MAX = 2 ** 32 - 1;
const SUMMED = ['conn_cnt', 'cmd_cnt', 'read_cnt', 'read_bytes', 'write_cnt', 'write_bytes'] as const;

/** Remembers what was reported, since each report tells what came since the one before. */
export class PayloadReports {
  #before = new Map<number, PayloadCounters>();

  /** The next report, at a time in seconds since 1970. The line of the manager holds its own counters and those of all workers. */
  next(node: PayloadNode, manager: PayloadCounters, workers: ReadonlyMap<number, PayloadCounters>, seconds: number): string {
    const before = this.#before;
    this.#before = new Map([...workers, [MANAGER, manager]]);
    const line = (index: number, counters: PayloadCounters) => payloadOf(index, counters, before.get(index), seconds);
    const lines = [...workers].sort(([a], [b]) => a - b).map(([index, counters]) => line(index, counters));
    const all = line(MANAGER, manager);
    for (const key of SUMMED) all[key] = fit(lines.reduce((sum, one) => sum + one[key], all[key]));
    return JSON.stringify({
      node: {
        zk_path: node.zkPath,
        node_type: node.type,
        node_host: node.host,
        node_port: node.port,
        gate_host: node.gateHost,
        gate_port: node.gatePort,
        worker_cnt: node.workers,
      },
      manager: all,
      workers: lines,
    });
  }
}

function payloadOf(index: number, now: PayloadCounters, before: PayloadCounters | undefined, seconds: number): Payload {
  // a process that was started anew counts from 0: then all of it is new
  const since = (key: 'framesIn' | 'bytesIn' | 'framesOut' | 'bytesOut') => {
    const last = before?.[key] ?? 0;
    return fit(now[key] >= last ? now[key] - last : now[key]);
  };
  return {
    worker_index: index,
    conn_cnt: fit(now.connections),
    cmd_cnt: fit(now.inFlight),
    read_cnt: since('framesIn'),
    read_bytes: since('bytesIn'),
    write_cnt: since('framesOut'),
    write_bytes: since('bytesOut'),
    create_time: seconds,
  };
}

const fit = (n: number): number => Math.min(Math.max(Math.round(n), 0), MAX);
