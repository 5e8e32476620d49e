// What a client and its gate tell each other about the connection itself: numbers and messages (proto/client.proto).
// Spoken only with clients whose first frame was HELLO, so an original client never sees any of it. docs/protocol.md has the order of events.
//
// What a gate does with them:
// - HELLO without a token begins a session, with a token continues it, whichever gate gave it: the state of the session (user id, groups,
//   properties) comes over from the gate that has it, and from then on pushes leave only here. A token that nobody knows begins a new session
//   with `resumed` false. The token of before stays good until the client has sent something behind its WELCOME: that may have been lost.
// - WELCOME is the first frame that the gate sends; a refusal is a reply 102 with another code, or KICK, and the connection is closed.
// - HEARTBEAT is answered at once, also while requests wait for their handlers.
// - A connection that ends without LEAVE keeps its session for a while, for a HELLO with its token.
// - MOVE asks the client to go on elsewhere. The connection stays in use until LEAVE comes, or `leave_by_ms` is over and everything that was
//   read is answered.
// - LEAVE is the last frame of a client: the gate answers what came before it, then BYE (110), then closes. Without `moved` the session is over,
//   also when another gate has just taken it over for a client that was closed in the middle of a move.
// - KICK ends the session, and its token; the gate closes the connection behind it.

import { messageType } from './message.ts';

/** Requests are answered with the number + 1 and their seq; kick and move come from the gate with seq 0 and have no answer. */
export const clientCommands = { hello: 101, heartbeat: 103, kick: 105, move: 107, leave: 109 } as const;

/** True for the numbers that are set aside for this, those that have no meaning yet included. */
export function isClientControl(cmd: number): boolean {
  return cmd > 100 && cmd < 200;
}

/** Bits of `capabilities` in HELLO. */
export const capabilities = { moves: 1 } as const;

/** Longest token in bytes; a longer one is refused by either end. */
export const MAX_TOKEN = 4096;
/** Most addresses in MOVE; those behind are not used. */
export const MAX_MOVE_ADDRESSES = 64;

/** `token`: of the session that shall go on, empty for a new one. `version` is for people. */
export const hello = messageType('Hello', { version: [1, 'text'], token: [2, 'bytes'], capabilities: [3, 'uint32'] });

/** `server_time` in milliseconds since 1970; `heartbeat_ms` 0 means no heartbeats; `user_id` is empty if nobody logged in. */
export const welcome = messageType('Welcome', {
  session_id: [1, 'text'],
  token: [2, 'bytes'],
  heartbeat_ms: [3, 'uint32'],
  server_time: [4, 'double'],
  resumed: [5, 'bool'],
  user_id: [6, 'text'],
});

/** Times in milliseconds since 1970, each on the clock of the one who is named. */
export const heartbeat = messageType('Heartbeat', { client_time: [1, 'double'] });
export const heartbeatReply = messageType('HeartbeatReply', { server_time: [1, 'double'], client_time: [2, 'double'] });

/** `code` is a fault, or the application's own number. */
export const kick = messageType('Kick', { reason: [1, 'text'], code: [2, 'int32'] });

/** `addresses` as host:port or [host]:port; none means the one that was dialled. `leave_by_ms` counts from now. */
export const move = messageType('Move', { addresses: [1, 'texts'], leave_by_ms: [2, 'uint32'] });

/** `moved`: the session goes on at another gate; else it is over. The answer, BYE, has no data. */
export const leave = messageType('Leave', { moved: [1, 'bool'] });
