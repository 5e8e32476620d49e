// The worker at the other end of a link, whichever end opened it, as push, locator and relay see it.

import type { Fault } from '../errors.ts';

/** Called exactly once, with the fault or the data of the reply. `data` is a view that is good only during the call. */
export type Answered = (fault: Fault | undefined, data: Buffer) => void;

export interface Peer {
  /** Its node id, as in 10.0.0.7:3344.2. */
  readonly id: string;
  /** Its node type. */
  readonly type: string;
  /** True for workers of ours: only they know control commands (61 to 99) and the relay context. */
  readonly isOurs: boolean;
  /** Sends a control command and calls back with the reply, or with a fault when there is none in time or the link is lost. */
  ask(cmd: number, data: Uint8Array, answered: Answered, timeoutMs?: number): void;
  /** Sends a control command that has no reply. What is told to one peer arrives in the order in which it was told, if the link stays. */
  tell(cmd: number, data: Uint8Array): void;
}

/** All workers of the cluster that this one can reach, its own node's other workers included; itself is not among them. */
export interface Peers {
  /** The worker of that node id; the link to it is opened when it is first used. Undefined if no member has it. */
  get(id: string): Peer | undefined;
  /** The workers of every member of a type, draining ones included. */
  ofType(type: string): readonly Peer[];
  /** Called with what came from a peer; `reply` sends the answer to ask() and does nothing for tell(). */
  onControl(handler: (peer: Peer, cmd: number, data: Buffer, reply: (code: number, data: Uint8Array) => void) => void): void;
  /** Called when the last link to or from a peer is lost. */
  onLost(handler: (peer: Peer) => void): void;
}
