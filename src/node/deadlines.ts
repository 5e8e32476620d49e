// Deadlines of connections, looked at by one clock for all of them: a timer for each would cost more than the connection.

import type { CloseReason } from '../errors.ts';
import type { Connection } from '../net/connection.ts';
import type { Limits, LimitKey } from './limits.ts';

export interface Overdue {
  reason: CloseReason & ('first_byte' | 'slow_sender' | 'slow_reader' | 'idle');
  limit: LimitKey;
  /** True where the peer would not read a last word anyway. */
  destroy: boolean;
}

/** The deadline that a connection has passed, if any. Links between nodes have none here: limits meant for clients never apply to them. */
export function overdue(connection: Connection, limits: Limits, now: number): Overdue | undefined {
  if (connection.state !== 'open' || connection.isLink) return undefined;
  const { firstByteMs, frameMs, outgoingDeadlineMs, keepAliveMs } = limits;
  if (passed(connection.slowSince, outgoingDeadlineMs, now)) return { reason: 'slow_reader', limit: 'outgoing_deadline_ms', destroy: true };
  // while we do not read, it is not the peer who is slow
  if (!connection.paused && passed(connection.unfinishedSince, frameMs, now))
    return { reason: 'slow_sender', limit: 'frame_ms', destroy: false };
  if (connection.bytesIn === 0 && firstByteMs > 0 && now - connection.openedAt > firstByteMs) {
    return { reason: 'first_byte', limit: 'first_byte_ms', destroy: false };
  }
  if (connection.isQuiet && passed(connection.lastActive, keepAliveMs, now)) return { reason: 'idle', limit: 'keep_alive', destroy: false };
  return undefined;
}

function passed(since: number, deadlineMs: number, now: number): boolean {
  return deadlineMs > 0 && since > 0 && now - since > deadlineMs;
}

/** How often to look: four times within the shortest deadline, at most once a second as the original. */
export function sweepMs(limits: Limits): number {
  const { firstByteMs, frameMs, outgoingDeadlineMs, keepAliveMs } = limits;
  const shortest = Math.min(...[firstByteMs, frameMs, outgoingDeadlineMs, keepAliveMs].filter((ms) => ms > 0));
  return Math.max(20, Math.min(1000, shortest / 4));
}
