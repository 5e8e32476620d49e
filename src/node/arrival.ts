// A connection that another worker served until now.

import type { Connection } from '../net/connection.ts';
import type { Client } from '../session/client.ts';

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

/** Goes on where the other worker stopped. */
export function restore(connection: Connection, client: Client, arrival: Arrival): void {
  connection.openedAt -= arrival.ageMs;
  connection.requests = arrival.requests;
  connection.bytesIn = arrival.bytesIn;
  connection.bytesOut = arrival.bytesOut;
  if (arrival.session !== undefined) client.session.restore(arrival.session);
  connection.decoder.feed(arrival.rest);
}
