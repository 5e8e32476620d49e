// The system commands that a worker answers on a link: who I am, and still here. seeds 1.2, "System commands".

import { Fault, faults } from '../errors.ts';
import type { Reply } from '../wire/codec.ts';
import { commands } from '../wire/commands.ts';
import { systemType, type ProtoType } from '../wire/protobuf.ts';

/** What a node tells about itself in reply to TELL_WORKER: the inner port, not the gate's (the original's mistake). */
export interface Self {
  nodeType: string;
  host: string;
  port: number;
  workerIndex: number;
}

let targetNode: ProtoType | undefined;

/** The reply to CONNECT_TO_WORKER. */
export const connected: Reply = { code: 0, msg: 'ok', data: '' };

/**
 * The reply to a system command on a link, or undefined if it is none that a worker knows. `ends` says that the link is closed behind it.
 * `read` gives the data of the request, or throws when the body does not parse.
 */
export function answerSystem(cmd: number, read: () => Buffer, self: Self): (Reply & { ends?: true }) | undefined {
  if (cmd === commands.heartbeat) return answerHeartbeat(read);
  if (cmd !== commands.tellWorker) return undefined;
  // loaded on first use: a gate without links needs no protobufjs
  targetNode ??= systemType('nodes', 'target_node');
  try {
    targetNode.decode(read());
  } catch {
    return { code: faults.invalidMessage.code, msg: 'parse request failed!', data: '', ends: true };
  }
  const us = { node_type: self.nodeType, ip: self.host, port: self.port, worker_index: self.workerIndex };
  return { code: 0, msg: 'ok', data: targetNode.encode(us) };
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
