// The part of a configuration that the data path looks at, in the words of the data path. All of it changes live.

import type { NodeConfig } from '../config/node-config.ts';

export interface Limits {
  maxClients: number;
  maxClientsPerAddress: number;
  maxFrame: number;
  requestRate: number;
  requestBurst: number;
  maxInFlight: number;
  outgoingLimit: number;
  outgoingBurst: number;
  outgoingDeadlineMs: number;
  workerMemory: number;
  firstByteMs: number;
  frameMs: number;
  keepAliveMs: number;
  requestTimeoutMs: number;
  linkMaxFrame: number;
  linkInFlight: number;
  linkQueue: number;
  maxRemoteSessions: number;
  remoteSessionIdleMs: number;
  clientHeartbeatMs: number;
  resumeMs: number;
  maxLostSessions: number;
}

export function limitsOf(config: NodeConfig): Limits {
  return {
    maxClients: config.max_clients,
    maxClientsPerAddress: config.max_clients_per_address,
    maxFrame: config.max_frame,
    requestRate: config.request_rate,
    requestBurst: config.request_burst,
    maxInFlight: config.max_in_flight,
    outgoingLimit: config.outgoing_limit,
    outgoingBurst: config.outgoing_burst,
    outgoingDeadlineMs: config.outgoing_deadline_ms,
    workerMemory: config.worker_memory,
    firstByteMs: config.first_byte_ms,
    frameMs: config.frame_ms,
    keepAliveMs: config.keep_alive,
    requestTimeoutMs: config.request_timeout_ms,
    linkMaxFrame: config.link_max_frame,
    linkInFlight: config.link_in_flight,
    linkQueue: config.link_queue,
    maxRemoteSessions: config.max_remote_sessions,
    remoteSessionIdleMs: config.remote_session_idle_ms,
    clientHeartbeatMs: config.client_heartbeat_ms,
    resumeMs: config.resume_ms,
    maxLostSessions: config.max_lost_sessions,
  };
}

/** The keys of a configuration whose taking effect is counted; metrics show each of them from the start. */
export const LIMIT_KEYS = [
  'max_clients',
  'max_clients_per_address',
  'accept_rate',
  'accept_queue',
  'max_frame',
  'request_rate',
  'max_in_flight',
  'outgoing_limit',
  'outgoing_burst',
  'outgoing_deadline_ms',
  'worker_memory',
  'first_byte_ms',
  'frame_ms',
  'keep_alive',
  'request_timeout_ms',
  'drain_ms',
] as const satisfies readonly (keyof NodeConfig)[];

export type LimitKey = (typeof LIMIT_KEYS)[number];
