// What the data path is given, and what it takes over from another worker.

import type { Connection } from '../net/connection.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Logger } from '../ops/log.ts';
import type { Stats } from '../ops/stats.ts';
import type { Router } from '../route/router.ts';
import type { Reply } from '../wire/codec.ts';
import type { Frame } from '../wire/frame.ts';
import type { Limits } from './limits.ts';

export interface ServeOptions {
  router: Router;
  limits: Limits;
  stats: Stats;
  ledger: Ledger;
  log: Logger;
  /** Milliseconds that never go back. */
  now(): number;
  /** Makes the id of a new connection. */
  nextId(): string;
  /** Answers system commands, which only links may send. Undefined for a command that it does not know. */
  system(connection: Connection, frame: Frame): Reply | undefined;
  /** Connections have come (1) or gone (-1). */
  counted?(change: 1 | -1): void;
}

/** What was known of a connection in the worker that it comes from. */
export interface Arrival {
  id: string;
  remote: string;
  /** How long ago it was accepted, and what has happened on it since. */
  ageMs: number;
  requests: number;
  bytesIn: number;
  bytesOut: number;
  rest: Buffer;
  session: Uint8Array | undefined;
}
