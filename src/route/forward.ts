// A route that is answered elsewhere: what the data path and whoever forwards (cluster/relay.ts) know of each other.

import type { Connection, Slot } from '../net/connection.ts';
import type { CommandStats } from '../ops/stats.ts';
import type { Client } from '../session/client.ts';
import type { Frame } from '../wire/frame.ts';

/** A request that was sent on, in its place among the replies of its connection. */
export interface Forwarded extends Slot {
  readonly connection: Connection;
  readonly frame: Frame;
  /** The answer as it came; undefined when there is none. */
  readonly relayed: Frame | undefined;
  /** Code of the reply, and its text when there is no answer. */
  readonly code: number;
  readonly errorText: string;
  /** Counts its reply, which is known since `at`. */
  count(at: number): void;
  /** Sends it; called once, after it has taken its place. */
  begin(): void;
}

export interface ForwardHost {
  /** The reply of a request is known, or nobody wants it any more; called once for each. `at` is when that was. */
  settled(request: Forwarded, at: number): void;
}

export interface Forward {
  readonly stats: CommandStats;
  /** Requests of one connection that may be on their way at once. */
  readonly concurrent: number;
  /** Commands that it takes, both ends included. */
  readonly first: number;
  readonly last: number;
  /** `at` is when it came. */
  request(connection: Connection, frame: Frame, client: Client, host: ForwardHost, at: number): Forwarded;
}
