// Why connections end, in words: for documents, and so that each reason is in the metrics from the start.

import type { CloseReason } from '../errors.ts';

/** What each reason means. */
export const closeReasons: Readonly<Record<CloseReason, string>> = {
  peer: 'the other end closed',
  reset: 'the other end reset the connection, or the network failed',
  frame: 'bytes that are not a frame, or a body that does not parse',
  size: 'a frame larger than allowed',
  unknown_command: 'a command that no module answers',
  idle: 'nothing came for too long',
  first_byte: 'nothing came at all',
  slow_sender: 'a frame was not finished in time',
  slow_reader: 'replies were not read in time',
  outgoing: 'more unsent bytes than allowed',
  memory: 'the memory budget of the worker was exceeded and this one held most; as a refusal, accepting pauses meanwhile',
  drain: 'the node is draining',
  module: 'a module closed it',
  worker: 'the worker ended',
  max_clients: 'the worker has as many connections as allowed',
  max_clients_per_address: 'the address has as many connections as allowed',
  accept_queue: 'more connections arrived than workers took',
  not_ready: 'no worker was ready',
};

/** Reasons that refuse a new connection; `memory` and `drain` both close and refuse. */
export const refusals = [
  'max_clients',
  'max_clients_per_address',
  'accept_queue',
  'not_ready',
  'memory',
  'drain',
] as const satisfies CloseReason[];
/** Reasons that close a connection that was served. */
export const closings = (Object.keys(closeReasons) as CloseReason[]).filter(
  (reason) => reason === 'memory' || reason === 'drain' || !refusals.some((refusal) => refusal === reason),
);
