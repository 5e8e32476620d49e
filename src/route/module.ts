// What a module is: business code as a declared object, never by inheritance.

import type { Reply } from '../wire/codec.ts';
import type { Client } from '../session/client.ts';
import type { PushCounts, PushResult, SpreadResult } from '../session/results.ts';
import type { Context } from './context.ts';
import type { MessageType } from './types.ts';

/** What a handler may return when the command has no `reply` type: nothing, data, or a whole reply. */
export type Answer = void | string | Uint8Array | Partial<Reply>;

/** A handler whose types have been forgotten: what the router holds. */
export type AnyHandler = (request: never, ctx: Context) => unknown;

type Request<T> = T extends MessageType<infer In> ? In : Buffer;
type Result<T> = T extends MessageType<infer Out> ? Out : Answer;

/** From a request to its reply. Throw a Fault to answer with its code; a value instead of a promise costs no promise. */
export type Handler<In = Buffer, Out = Answer> = (request: In, ctx: Context) => Out | Promise<Out>;

/** Wraps every handler of a module: call next() for the result, or answer without it. */
export type Middleware = (ctx: Context, next: () => unknown) => unknown;

export interface CommandOptions<In = unknown, Out = unknown> {
  handler: AnyHandler;
  /** Deadline of a handler that returns a promise; then the client gets code 18. Default: request_timeout_ms of the node. */
  timeoutMs?: number;
  /** How many requests of one connection may be in this handler at once; replies still leave in the order of the requests. Default 1. */
  concurrent?: number;
  /** How the data of the request is read; a request that does not fit is answered with code 2 and the name of the field. */
  request?: MessageType<In>;
  /** How the returned value becomes the data of the reply. */
  reply?: MessageType<Out>;
}

/** The handler as `defineModule` infers it from `request` and `reply`. */
export type CommandDefinition<R, S> =
  | Handler
  | {
      handler: Handler<Request<R>, Result<S>>;
      timeoutMs?: number;
      concurrent?: number;
      request?: R;
      reply?: S;
    };

/** What a module gets when it starts: the node it runs in. Timers end by themselves when the module stops. */
export interface ModuleHost {
  readonly node: { name: string; type: string; worker: number };
  readonly log: {
    debug(message: string, fields?: object): void;
    info(message: string, fields?: object): void;
    warn(message: string, fields?: object): void;
    error(message: string, fields?: object): void;
  };
  /** Runs `task` once after `ms` milliseconds; returns how to cancel it. */
  after(ms: number, task: () => unknown): () => void;
  /** Runs `task` every `ms` milliseconds; returns how to end it. */
  every(ms: number, task: () => unknown): () => void;
  /** The clients whose connections this worker has. */
  clients(): Iterable<Client>;
  /**
   * Sends a message to a user, at whichever gate of the cluster. Messages to one user arrive in the order of the calls. Throws Fault
   * invalidParams for a name or data that is too large; the promise is never rejected and need not be awaited.
   */
  push(user: string, cmd: number, data: string | Uint8Array): Promise<PushResult>;
  /** Sends one message to many users, each of them once. Users that have too much unread are left out. */
  pushMany(users: Iterable<string>, cmd: number, data: string | Uint8Array): Promise<PushCounts>;
  /** A group of clients: they join with `client.join(name)`. Members that have too much unread are left out. */
  group(name: string): { push(cmd: number, data: string | Uint8Array): Promise<SpreadResult> };
  /** Sends a message to every client of every gate. */
  broadcast(cmd: number, data: string | Uint8Array): Promise<SpreadResult>;
  /** Ends the session of a user, behind everything that was sent to it before. */
  kick(user: string, reason: string, code?: number): Promise<PushResult>;
}

export interface Module {
  readonly name: string;
  /** Called in each worker before it serves, in the order of the configuration. An error keeps the worker from starting. */
  readonly start?: (host: ModuleHost) => unknown;
  /** Called in reverse order when the worker has nothing left to serve. */
  readonly stop?: () => unknown;
  readonly use?: readonly Middleware[];
  readonly commands?: Readonly<Record<number, AnyHandler | CommandOptions>>;
  /** A client has connected. Not called again when its connection moves to another worker. */
  readonly connected?: (client: Client) => unknown;
  readonly disconnected?: (client: Client, reason: string) => unknown;
  /** The worker leaves: it is drained, or another takes its place. Nothing new comes; sessions of clients of gates go on elsewhere. */
  readonly drain?: () => unknown;
  /**
   * What the module remembers of a client of a gate beside its session, for the worker that has the client from now on: plain data, as structuredClone
   * takes it. Properties of the session travel by themselves.
   */
  readonly export?: (client: Client) => unknown;
  /** Takes what `export` of this module gave in the worker that had the client before. */
  readonly import?: (client: Client, value: unknown) => unknown;
  /** A property of a session reached the end of its ttlMs. */
  readonly expired?: (client: Client, key: string, value: unknown) => unknown;
  /** Gets every command that nobody claimed; one module of a node may have it. */
  readonly fallback?: Handler;
  /** Names of stores that the module needs, for example "redis.main"; a node without them refuses the module at start. */
  readonly stores?: readonly string[];
}

type Definitions<R, S> = {
  [K in keyof R | keyof S]: CommandDefinition<K extends keyof R ? R[K] : undefined, K extends keyof S ? S[K] : undefined>;
};

/**
 * Declares a module. The types of `request` and `reply` flow into the handlers:
 *
 *     export default defineModule({
 *       name: 'hello',
 *       commands: { 1001: () => 'good job!' },
 *     });
 */
export function defineModule<R extends Record<number, unknown>, S extends Record<number, unknown>>(
  module: Omit<Module, 'commands'> & { commands?: Definitions<R, S> },
): Module {
  return module as Module;
}
