// Options that protect a node: every limit and deadline, with a default that suits honest clients and keeps out the others.
// 0 turns off what its doc says it turns off. All of them count at once in running workers.

import type { Field, Option } from './field.ts';
import { bytes, duration, whole } from './kinds.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const MANY = 1_000_000_000;

/** `max_frame` becomes `maxFrame`, in types. */
export type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/** `max_frame` becomes `maxFrame`. */
export function camel<S extends string>(key: S): Camel<S> {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) as Camel<S>;
}

type Limit = Omit<Field<number>, 'default'> & { default: number; section: string; historic?: boolean };

/** Every limit is live and stands under `limits` in a tier. */
function limits<K extends string>(table: Readonly<Record<K, Limit>>): { readonly [P in K]: Option<number> } {
  const entries = Object.entries<Limit>(table).map(
    ([key, limit]) => [key, { ...limit, apply: 'live', path: `limits.${camel(key)}` }] as const,
  );
  return Object.fromEntries(entries) as { [P in K]: Option<number> };
}

const connections = 'Connections';
const requests = 'Requests';
const memory = 'Frames and memory';
const workers = 'Workers that fail';

export const limitOptions = limits({
  max_clients: {
    kind: whole(1, 10_000_000),
    default: 16_000,
    unit: 'connections',
    section: connections,
    historic: true,
    doc: 'Client connections of one worker. One more is closed as soon as it is accepted.',
  },
  max_clients_per_address: {
    kind: whole(0, 10_000_000, { off: true }),
    default: 16_000,
    unit: 'connections',
    section: connections,
    doc: 'Client connections of one worker from the same source address. Lower it where clients do not share addresses; 0 turns it off.',
  },
  accept_rate: {
    kind: whole(0, MANY, { off: true }),
    default: 5000,
    unit: 'per second',
    section: connections,
    doc: 'New client connections that the node takes in each second once accept_burst is used up; the others wait in the queue. 0 turns it off.',
  },
  accept_burst: {
    kind: whole(1, MANY),
    default: 20_000,
    unit: 'connections',
    section: connections,
    doc: 'New client connections taken at once before accept_rate counts, so that all clients can come back after a restart.',
  },
  accept_queue: {
    kind: whole(0, 1_000_000),
    default: 1024,
    unit: 'connections',
    section: connections,
    doc: 'Accepted connections that may wait for accept_rate or for memory. One more is closed; with 0 nobody waits.',
  },
  first_byte_ms: {
    kind: duration(0, undefined, { off: true }),
    default: 30_000,
    unit: 'ms',
    section: connections,
    doc: 'Time in which a new client must send its first byte, or it is closed. 0 turns it off, then keep_alive closes it.',
  },
  request_rate: {
    kind: whole(0, MANY, { off: true }),
    default: 100_000,
    unit: 'per second',
    section: requests,
    doc: 'Requests each second of one connection once request_burst is used up. Above it reading pauses; nothing is lost or closed. 0 turns it off.',
  },
  request_burst: {
    kind: whole(1, MANY),
    default: 200_000,
    unit: 'requests',
    section: requests,
    doc: 'Requests of one connection that are taken at once before request_rate counts.',
  },
  max_in_flight: {
    kind: whole(1, 1_000_000),
    default: 1024,
    unit: 'requests',
    section: requests,
    doc: 'Requests of one connection that are being handled at the same time. Above it reading pauses until some are answered.',
  },
  request_timeout_ms: {
    kind: duration(0, undefined, { off: true }),
    default: 30_000,
    unit: 'ms',
    section: requests,
    doc: 'Time an asynchronous handler has before its request is answered with code 18, unless its module says otherwise. 0 turns it off.',
  },
  max_frame: {
    kind: bytes(64, GIB),
    default: 8 * MIB,
    unit: 'bytes',
    section: memory,
    doc: 'Largest body of a frame. A head that announces more closes the connection before any byte of the body is kept.',
  },
  frame_ms: {
    kind: duration(0, undefined, { off: true }),
    default: 30_000,
    unit: 'ms',
    section: memory,
    doc: 'Time in which a frame must be whole after its first byte, or the connection is closed: for senders of a byte a second. 0 turns it off.',
  },
  outgoing_limit: {
    kind: bytes(1, GIB),
    default: 256 * KIB,
    unit: 'bytes',
    section: memory,
    doc: 'Unsent bytes of one connection above which reading from it pauses: who does not read replies cannot ask for more.',
  },
  outgoing_burst: {
    kind: bytes(64, 4 * GIB),
    default: 32 * MIB,
    unit: 'bytes',
    section: memory,
    doc: 'Unsent bytes of one connection at which it is closed.',
  },
  outgoing_deadline_ms: {
    kind: duration(0, undefined, { off: true }),
    default: 30_000,
    unit: 'ms',
    section: memory,
    doc: 'Time a connection may stay above outgoing_limit before it is closed. 0 turns it off.',
  },
  worker_memory: {
    kind: bytes(KIB, 64 * GIB),
    default: 256 * MIB,
    unit: 'bytes',
    section: memory,
    doc: 'Unfinished frames and unsent bytes of one worker together. Above it the connections that hold most are closed and accepting pauses.',
  },
  hang_ms: {
    kind: duration(0, undefined, { off: true }),
    default: 10_000,
    unit: 'ms',
    section: workers,
    doc: 'Time a worker may give no sign of life, as in an endless loop, before it is replaced. 0 turns it off.',
  },
  restart_min_ms: {
    kind: duration(0),
    default: 100,
    unit: 'ms',
    section: workers,
    doc: 'Wait before a dead worker is started again; it doubles with each death in a row.',
  },
  restart_max_ms: {
    kind: duration(0),
    default: 10_000,
    unit: 'ms',
    section: workers,
    doc: 'Longest wait before a dead worker is started again.',
  },
  restart_limit: {
    kind: whole(0, 1000, { off: true }),
    default: 5,
    unit: 'deaths',
    section: workers,
    doc: 'Deaths in a row, each within restart_window_ms of its start, after which a worker is held back and the node is not ready. 0 turns it off.',
  },
  restart_window_ms: {
    kind: duration(1),
    default: 10_000,
    unit: 'ms',
    section: workers,
    doc: 'A worker that lived longer than this has not failed in a row.',
  },
  held_ms: {
    kind: duration(0),
    default: 30_000,
    unit: 'ms',
    section: workers,
    doc: 'Time a worker is held back before it is tried again.',
  },
});
