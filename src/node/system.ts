// The system commands that a worker answers on a link: who I am, and still here. seeds 1.2, "System commands".

import { Fault, faults } from '../errors.ts';
import type { Reply } from '../wire/codec.ts';
import { commands } from '../wire/commands.ts';
import { CAPABLE, decodeGreeting, encodeGreeting, type Greeting } from '../wire/handshake.ts';

/** What a worker tells about itself in reply to TELL_WORKER: the inner port, not the gate's (the original's mistake). */
export type Self = Omit<Greeting, 'capabilities'>;

/** The reply to CONNECT_TO_WORKER. */
export const connected: Reply = { code: 0, msg: 'ok', data: '' };

export interface SystemReply extends Reply {
  /** The link is closed behind it. */
  ends?: true;
  /** The other end has said who it is. */
  greeting?: Greeting;
}

/**
 * The reply to a system command on a link, or undefined if it is none that a worker knows. `read` gives the data of the request, or throws
 * when the body does not parse.
 */
export function answerSystem(cmd: number, read: () => Buffer, self: Self): SystemReply | undefined {
  if (cmd === commands.heartbeat) return answerHeartbeat(read);
  if (cmd !== commands.tellWorker) return undefined;
  try {
    const greeting = decodeGreeting(read());
    // an original is told what an original tells
    const us = greeting.capabilities === 0 ? { ...self, capabilities: 0, version: '' } : { ...self, capabilities: CAPABLE };
    return { code: 0, msg: 'ok', data: encodeGreeting(us), greeting };
  } catch {
    return { code: faults.invalidMessage.code, msg: 'parse request failed!', data: '', ends: true };
  }
}

/** Whatever the other end says: that it came is the message. */
function answerHeartbeat(read: () => Buffer): Reply {
  try {
    read();
    return { code: 0, msg: '', data: '' };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { code: faults.decodeFailed.code, msg: error.message, data: '' };
  }
}
