// What a worker knows of a client of a gate: who it is, its session, and its turn.

import type { Connection } from '../net/connection.ts';
import type { Route } from '../route/router.ts';
import type { Client } from '../session/client.ts';
import { readBody } from '../wire/body.ts';
import { Frame } from '../wire/frame.ts';
import { traceOf } from '../wire/relay-context.ts';

/** A request that waits for its session, or is being answered. */
export interface Task {
  readonly connection: Connection;
  readonly frame: RelayedFrame;
  readonly route: Route;
}

/** The body without the context, and the number that the request has in its session. */
export class RelayedFrame extends Frame {
  number = 0;
  session = '';
}

export const tracer = {
  traceId(frame: Frame): string {
    const given = readBody(frame.bytes, frame.start, frame.end).traceId;
    return given !== '' || !(frame instanceof RelayedFrame) ? given : traceOf(frame.session, frame.number);
  },
};

/** What is known here of a client of a gate. */
export class Seat {
  /** Id of the session. */
  readonly id: string;
  readonly remote: string;
  user = '';
  /** Undefined while it has said nothing for a long time: then modules have been told that it left, and its session is forgotten. */
  client: Client | undefined;
  /** The link that its requests come on. */
  connection: Connection | undefined;
  /** Node id of the worker that has its connection. */
  gate = '';
  /** Handlers at work: how many each of them allows at once. */
  readonly running: number[] = [];
  queue: Task[] | undefined;
  lastUsed = 0;

  constructor(id: string, remote: string) {
    this.id = id;
    this.remote = remote;
  }
}

/** One request of a session at a time, unless its module allows more. */
export function mayStart(seat: Seat, route: Route): boolean {
  if (seat.running.length === 0) return true;
  return seat.running.length < route.concurrent && seat.running.every((concurrent) => concurrent > seat.running.length);
}
