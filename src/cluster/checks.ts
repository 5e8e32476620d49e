// What may be asked of a messenger, and what its askers are told.

import { Fault } from '../errors.ts';
import type { GroupResult, PushResult } from '../session/results.ts';
import { MAX_DATA, MAX_NAME, MAX_REASON, results, type PushFrame } from './control.ts';

/** Throws Fault invalidParams for a name that no message between workers can carry. */
export function judgeName(what: string, name: string): void {
  if (name === '') throw new Fault('invalidParams', `the ${what} is empty`);
  // no character of a text has more than three bytes for each of its units
  if (name.length * 3 <= MAX_NAME) return;
  const length = Buffer.byteLength(name);
  if (length > MAX_NAME) throw new Fault('invalidParams', `the ${what} has ${length} bytes, the limit is ${MAX_NAME}`);
}

/** Throws Fault invalidParams for a command that is no number of 32 bits, and for data that is too large. */
export function frameOf(cmd: number, data: string | Uint8Array): PushFrame {
  if (!Number.isInteger(cmd) || cmd < 0 || cmd > 0xffffffff) throw new Fault('invalidParams', `command ${cmd} is outside 0..4294967295`);
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  if (bytes.length > MAX_DATA) throw new Fault('invalidParams', `data of ${bytes.length} bytes, the limit is ${MAX_DATA}`);
  return { cmd, data: bytes };
}

/** A reason as long as it may be. */
export function reasonOf(text: string): string {
  let reason = text.slice(0, MAX_REASON);
  while (Buffer.byteLength(reason) > MAX_REASON) reason = reason.slice(0, -1);
  return reason.toWellFormed();
}

/** What modules are told of a message: they can not tell more from a worker that does not answer than from one that has not the user. */
export function publicResult(result: PushResult | 'slow' | 'failed'): PushResult {
  return result === 'slow' || result === 'failed' ? 'unknown' : result;
}

/** What a worker answered about a client; undefined stands for no answer. */
export function groupResult(reply: { result: number } | undefined): GroupResult {
  if (reply === undefined) return 'unknown';
  return reply.result === results.done ? 'done' : reply.result === results.refused ? 'refused' : 'absent';
}
