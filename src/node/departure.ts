// How connections leave a worker without losing anything: handed to another worker (leave), or ended at a pace (drain).
// Each goes at a moment when nothing is in flight and nothing unsent, so that its client sees no difference, or a clean end.

import type { Connection } from '../net/connection.ts';
import type { Handle } from '../net/handle.ts';
import type { Serve } from './serve.ts';

/** So many are between two workers at once: enough to be quick, few enough that each is away for a moment only. */
const MOVING = 32;

export interface Departure {
  /** Resolves when no connection is left. */
  readonly done: Promise<void>;
}

export interface DepartureOptions {
  serve: Serve;
  /** After so many milliseconds what is still busy is closed. */
  drainMs: number;
  /** Sends a connection away; calls back when the descriptor has left this process. Without it connections are ended instead. */
  handOver?: ((connection: Connection, taken: { handle: Handle; rest: Buffer }, sent: () => void) => void) | undefined;
}

/** Begins at once and can not be undone. */
export function depart({ serve, drainMs, handOver }: DepartureOptions): Departure {
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => (finish = resolve));
  let moving = 0;
  const due = new Set<Connection>();
  /** Clients in the order in which they may go: while draining, a slice of them with each tick. */
  let allowed = handOver === undefined ? 0 : Infinity;

  const check = () => {
    if (serve.connections.size > 0 || moving > 0) return;
    clearTimeout(deadline);
    clearInterval(pace);
    finish();
  };

  const next = () => {
    for (const connection of due) {
      if (moving >= MOVING || allowed <= 0) return;
      due.delete(connection);
      if (connection.state !== 'open') continue;
      if (!connection.isQuiet) continue; // it comes back through onQuiet
      go(connection);
    }
    check();
  };

  const go = (connection: Connection) => {
    if (handOver === undefined || connection.isLink) {
      allowed--;
      serve.end(connection, 'drain');
      return;
    }
    const taken = connection.detach();
    if (taken === undefined) return;
    moving++;
    handOver(connection, taken, () => {
      moving--;
      next();
    });
    serve.release(connection);
  };

  serve.onQuiet = (connection) => {
    due.add(connection);
    // not within the turn that found it quiet
    setImmediate(next);
  };

  // the paced part of a drain takes half of its time, so that those who come late still have the other half
  const ticks = Math.max(1, Math.floor(drainMs / 2 / 50));
  const slice = Math.ceil(serve.connections.size / ticks);
  const pace = setInterval(() => {
    allowed += slice;
    next();
  }, 50);
  const deadline = setTimeout(() => {
    for (const connection of [...serve.connections]) serve.end(connection, 'drain');
  }, drainMs);

  for (const connection of [...serve.connections]) {
    if (connection.isLink) serve.end(connection, 'drain');
    else serve.look(connection);
  }
  setImmediate(next);
  const closing = setInterval(check, 20);
  void done.then(() => clearInterval(closing));
  return { done };
}
