// What a client can be told, with defaults that suit a service, and the limits that keep it from growing without end.

import { MAX_TOKEN } from '../wire/client-control.ts';
import type { ReconnectOptions } from './backoff.ts';
import { protobufClientCodec, type ClientCodec } from './codec.ts';
import type { Transport } from './transport.ts';

export interface ClientOptions {
  host: string;
  port: number;
  codec?: ClientCodec;
  /** Time to make a connection, in milliseconds; default 5000. */
  connectTimeoutMs?: number;
  /** Time for an answer unless the request says otherwise, in milliseconds; default 10000. */
  requestTimeoutMs?: number;
  /** How a lost connection is opened again; false: only by the next request or connect(). */
  reconnect?: Partial<ReconnectOptions> | false;
  /** Requests without an answer, sent or waiting for the connection; one more is rejected. Default 10000. */
  maxInFlight?: number;
  /** Largest body of a message in either direction, in bytes; default 8 MiB. */
  maxFrame?: number;
  /** Bytes of requests that the server did not take yet; with more a request is rejected. Default 64 MiB. */
  maxUnsent?: number;
  transport?: Transport;
  /**
   * Begins each connection with HELLO, which gives sessions that go on after a lost connection, heartbeats, kicks with a reason, and moves to
   * another gate without loss. Default false: a server that does not know HELLO, as the originals, answers code 4 and closes, and the client
   * then can not connect. With `auto` it connects again without HELLO where that happens, which costs such a server one more connection each time.
   */
  hello?: boolean | 'auto';
  /** With hello: the token of a session that shall go on, from `client.session` of an earlier run. */
  sessionToken?: Uint8Array;
  /** With hello: what the client says it is, for logs; at most 256 characters. */
  version?: string;
  /** With hello: time for the answer to a heartbeat, in milliseconds; without one the connection counts as lost. Default 5000. */
  heartbeatTimeoutMs?: number;
  /** With hello: connect again, in a new session, also after a kick. Default false. */
  reconnectAfterKick?: boolean;
}

export type Settings = Required<Omit<ClientOptions, 'reconnect'>> & { reconnect: ReconnectOptions | false };

/** Also between tries to move, which are made whatever `reconnect` says. */
export const RECONNECT: ReconnectOptions = { minMs: 100, maxMs: 10_000, factor: 2, jitter: 0.5 };
const MIB = 1024 * 1024;
const MAX_VERSION = 256;
/** The longest time that timers can measure. */
export const MAX_MS = 0x7fffffff;

/** Completes options. Throws RangeError with what is out of range. */
export function settingsOf(options: ClientOptions, transport: Transport): Settings {
  const settings: Settings = {
    codec: protobufClientCodec,
    connectTimeoutMs: 5000,
    requestTimeoutMs: 10_000,
    maxInFlight: 10_000,
    maxFrame: 8 * MIB,
    maxUnsent: 64 * MIB,
    transport,
    hello: false,
    sessionToken: new Uint8Array(0),
    version: 'kimserver-ts',
    heartbeatTimeoutMs: 5000,
    reconnectAfterKick: false,
    ...given(options),
    reconnect: options.reconnect === false ? false : { ...RECONNECT, ...given(options.reconnect ?? {}) },
  };
  check(settings, 'port', 1, 65535);
  check(settings, 'connectTimeoutMs', 1, MAX_MS);
  check(settings, 'requestTimeoutMs', 1, MAX_MS);
  check(settings, 'maxInFlight', 1, 0x7fffffff);
  check(settings, 'maxFrame', 1, 0x7fffffff);
  check(settings, 'maxUnsent', 1, Number.MAX_SAFE_INTEGER);
  check(settings, 'heartbeatTimeoutMs', 1, MAX_MS);
  if (settings.sessionToken.length > MAX_TOKEN) {
    throw new RangeError(`sessionToken must have at most ${MAX_TOKEN} bytes, got ${settings.sessionToken.length}`);
  }
  if (settings.version.length > MAX_VERSION) {
    throw new RangeError(`version must have at most ${MAX_VERSION} characters, got ${settings.version.length}`);
  }
  if (settings.reconnect !== false) {
    check(settings.reconnect, 'minMs', 0, MAX_MS);
    check(settings.reconnect, 'maxMs', settings.reconnect.minMs, MAX_MS);
    check(settings.reconnect, 'factor', 1, 1000);
    check(settings.reconnect, 'jitter', 0, 1);
  }
  return settings;
}

/** Without the keys that are there and undefined: they mean the default. */
function given<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

function check<K extends string>(settings: Record<K, number>, key: K, least: number, most: number): void {
  const value: unknown = settings[key];
  if (typeof value === 'number' && value >= least && value <= most) return;
  throw new RangeError(`${key} must be a number from ${least} to ${most}, got ${String(value)}`);
}
