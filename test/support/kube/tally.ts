// What became of the requests and connections of a crowd of clients.

import assert from 'node:assert/strict';

export interface Tally {
  sent: number;
  /** With what was sent, once, to the request that was sent. */
  answered: number;
  /** Replies with a code, and what our client says of requests: by code or word. */
  failed: Record<string, number>;
  /** Replies to nothing that was asked. */
  doubled: number;
  /** Connections that ended without a farewell, with why. */
  resets: string[];
  /** Connections that the server ended cleanly. */
  ends: number;
  /** Requests that were on their way when the server said farewell: it did not take them, and they were sent anew. */
  crossed: number;
  /** Connections that were not accepted. */
  refused: number;
  /** Sessions taken along to another gate, and those that could not be. */
  moved: number;
  anew: number;
}

export function emptyTally(): Tally {
  return { sent: 0, answered: 0, failed: {}, doubled: 0, resets: [], ends: 0, crossed: 0, refused: 0, moved: 0, anew: 0 };
}

/** Whoever planned this promised that no client would notice. */
export function assertUnnoticed(who: string, { sent, answered, crossed, failed, doubled, resets, anew }: Tally): void {
  assert.deepEqual({ failed, doubled, resets: resets.slice(0, 5), anew }, { failed: {}, doubled: 0, resets: [], anew: 0 }, who);
  assert.equal(sent, answered + crossed, `${who}: everything that was sent has been answered`);
  assert.ok(answered > 0, `${who} were answered`);
}

/** What clients are told of requests that a node took along that was killed: that it is gone, too late, or that the connection is lost. */
const EXPLAINED = [
  '14 relay to node failed!',
  '18 relay to node failed!',
  '20 relay to node failed!',
  'closed',
  'connect',
  'late',
  'timeout',
];

/** Something was killed: every request has an answer or a reason, and none has two. */
export function assertExplained(who: string, { sent, answered, crossed, failed, doubled }: Tally): void {
  const strange = Object.keys(failed).filter((why) => !EXPLAINED.includes(why));
  assert.deepEqual({ strange, doubled }, { strange: [], doubled: 0 }, who);
  const failures = Object.values(failed).reduce((sum, n) => sum + n, 0);
  assert.equal(sent, answered + crossed + failures, `${who}: everything that was sent has its end`);
}

/** In one line, for people. */
export function tallyText({ failed, resets, ...counts }: Tally): string {
  const numbers = Object.entries({ ...counts, ...failed, resets: resets.length }).filter(([, n]) => n > 0);
  return numbers.map(([what, n]) => `${what} ${n}`).join(', ');
}
