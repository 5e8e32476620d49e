// A connection that another worker served until now.

import type { Luggage } from '../cluster/gate-sessions.ts';
import type { Connection } from '../net/connection.ts';
import type { GreetedState } from './greeter.ts';

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
  luggage: Luggage | undefined;
  greeted: GreetedState | undefined;
}

/** Goes on counting where the other worker stopped. */
export function restoreCounts(connection: Connection, arrival: Arrival): void {
  connection.openedAt -= arrival.ageMs;
  connection.requests = arrival.requests;
  connection.bytesIn = arrival.bytesIn;
  connection.bytesOut = arrival.bytesOut;
}
