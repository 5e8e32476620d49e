// The public API and nothing else: what modules and applications import from 'kimserver'.

export { defineModule } from './route/module.ts';
export type { Answer, CommandDefinition, CommandOptions, Handler, Middleware, Module, ModuleHost } from './route/module.ts';
export { invalid } from './route/router.ts';
export { proto } from './route/types.ts';
export type { MessageType, Proto, StandardSchema } from './route/types.ts';
export type { Context } from './route/context.ts';
export type { Client } from './session/client.ts';
export type { Session } from './session/session.ts';
export { Fault, faults } from './errors.ts';
export type { FaultName } from './errors.ts';

export { AnswerError, ClientError, createClient } from './client/index.ts';
// modules know a Client and an Answer, too: those of the server's side
export type {
  Answer as ClientAnswer,
  Client as KimClient,
  ClientErrorCode,
  ClientOptions,
  ClientState,
  Moved,
  RequestOptions,
  ServerClock,
  Session as ClientSession,
} from './client/index.ts';
export { version } from './version.ts';
