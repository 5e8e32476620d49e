// What manager and workers tell each other. JSON over Node.js' own channel; descriptors travel with the message that names them.
//
//   manager --init--> worker --ready--> manager     then clients, links and connections of other workers, each with its descriptor
//   manager --leave--> worker --handover (one for each connection)--> manager --adopt--> another worker;   worker --left--> manager

import type { Luggage } from '../cluster/gate-sessions.ts';
import type { Member } from '../cluster/member.ts';
import type { NodeConfig } from '../config/node-config.ts';
import type { Handle } from '../net/handle.ts';
import type { ConnectionView, LinkView } from '../ops/admin-schema.ts';
import type { AccountSnapshot } from '../ops/ledger.ts';
import type { StatsSnapshot } from '../ops/stats.ts';
import type { ShippedPoints } from './ring-points.ts';
import type { GreetedState } from './greeter.ts';

export interface WorkerInit {
  config: NodeConfig;
  /** Folder that relative module paths start from. */
  folder: string;
  /** Where other nodes really connect: the configuration may have left the choice to the system. */
  nodePort: number;
  /** Numbered from 1; 0 is the manager. */
  index: number;
  incarnation: number;
  /** Random text of this manager process: makes connection ids unique. */
  instance: string;
}

/** A connection on its way from worker to worker. Bytes are base64, since they are few: nearly all connections move between two requests. */
export interface Transfer {
  codec: string;
  id: string;
  remote: string;
  ageMs: number;
  requests: number;
  bytesIn: number;
  bytesOut: number;
  rest: string;
  /** What belongs to its session, where there is a cluster. */
  luggage?: (Omit<Luggage, 'properties'> & { readonly properties: string | undefined }) | undefined;
  /** For a client that began with HELLO. */
  greeted?: GreetedState | undefined;
}

/** The session of a user whose client is at the worker that says so, or the node id of the worker of another node that has it. */
export type FoundUser = { readonly session: string; readonly remote: string; readonly since: string } | { readonly node: string };

export type ToWorker =
  | ({ type: 'init' } & WorkerInit)
  | { type: 'client' }
  /** Several, where the node has several ports for clients. */
  | { type: 'listen'; isLast: boolean }
  /** Of members that come with the next list; those of the others are known. */
  | { type: 'points'; points: readonly ShippedPoints[] }
  /** Everybody in the cluster, whole. */
  | { type: 'members'; members: readonly Member[] }
  | { type: 'link'; cmd: number; seq: number; rest: string }
  | ({ type: 'adopt' } & Transfer)
  | { type: 'config'; config: NodeConfig }
  /** `workers` is how many there are from now on; one that is replaced under its number gives its sessions to the one that takes its place. */
  | { type: 'leave'; drainMs: number; workers: number; isReplaced: boolean }
  /** `isReplaced`: a worker of the same number in another process has the address of this one. Without `perSecond` at any pace. */
  | { type: 'drain'; drainMs: number; perSecond?: number; isReplaced: boolean }
  /** Answered by a report when the worker does not listen any more. */
  | { type: 'unlisten'; ask: number }
  | { type: 'report'; ask: number }
  | { type: 'connections'; ask: number; limit: number }
  | { type: 'links'; ask: number }
  /** Of the rings of these node types. */
  | { type: 'shares'; ask: number; types: readonly string[] }
  /** `everywhere`: the workers of other nodes are asked, too. */
  | { type: 'find'; ask: number; user: string; everywhere: boolean }
  | { type: 'ledger' };

export type FromWorker =
  | { type: 'ready' }
  | { type: 'failed'; message: string }
  /** Connections that began without the manager, and that ended, since the last message. */
  | { type: 'counted'; opened: number; closed: number }
  | { type: 'report'; ask: number; stats: StatsSnapshot; isFull: boolean }
  | { type: 'connections'; ask: number; connections: Omit<ConnectionView, 'worker'>[] }
  | { type: 'links'; ask: number; links: Omit<LinkView, 'worker'>[]; leftAlone: string[] }
  | { type: 'shares'; ask: number; shares: Record<string, Record<string, number>> }
  | { type: 'find'; ask: number; found: FoundUser | undefined }
  | ({ type: 'handover' } & Transfer)
  /** Asks to be replaced: it was told to end by somebody else than the manager. */
  | { type: 'replace' }
  | { type: 'left'; ledger: Record<string, AccountSnapshot> };

/** One end of a channel between two processes. */
export interface Channel<Out> {
  /** Calls back when the message has left this process; only then may a handle that went along be closed. */
  send(message: Out, handle?: Handle, done?: (error: Error | null) => void): void;
}

interface Sender {
  readonly connected: boolean;
  send?(message: unknown, handle: unknown, options: unknown, done: (error: Error | null) => void): boolean;
}

/** A channel over a child process or, in the child, over `process`. A channel that is closed reports so and never throws. */
export function channelOf<Out>(sender: Sender): Channel<Out> {
  return {
    send(message, handle, done) {
      if (!sender.connected || sender.send === undefined) return void done?.(new Error('the channel is closed'));
      sender.send(message, handle, undefined, (error) => done?.(error));
    },
  };
}
