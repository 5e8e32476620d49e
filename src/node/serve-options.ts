// What the data path is given, and what it takes over from another worker.

import type { Links } from '../cluster/links.ts';
import type { Connection } from '../net/connection.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Logger } from '../ops/log.ts';
import type { Stats } from '../ops/stats.ts';
import type { Router } from '../route/router.ts';
import type { Reply } from '../wire/codec.ts';
import type { Frame } from '../wire/frame.ts';
import type { Client } from '../session/client.ts';
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
  /** A client is gone from this worker; `hasMoved` if it goes on in another one. */
  left?(client: Client, hasMoved: boolean): void;
  /** The links to other workers, where there is a cluster. */
  links?: Links | undefined;
  /** Connections have come (1) or gone (-1). */
  counted?(change: 1 | -1): void;
}
