// Who answers a command. Built once at start from the modules; a module that does not fit is refused with what is wrong and where.

import { Fault } from '../errors.ts';
import type { CommandStats, Stats } from '../ops/stats.ts';
import type { Context } from './context.ts';
import type { Forward } from './forward.ts';
import type { AnyHandler, CommandOptions, Middleware, Module } from './module.ts';
import { reader, replyWriter } from './types.ts';

/** A command and everything needed to answer it, ready to call. */
export interface Route {
  readonly module: string;
  readonly timeoutMs: number | undefined;
  readonly concurrent: number;
  readonly stats: CommandStats;
  /** Runs middlewares, reader and handler on the data of a request; returns or promises what the handler returned. */
  call(data: Buffer, ctx: Context): unknown;
  /** Turns what the handler returned into data, where the command has a reply type. */
  readonly encode: ((value: unknown) => Uint8Array) | undefined;
  /** Set where the request is answered elsewhere; then `call` is not used. */
  readonly forward?: Forward | undefined;
}

export class Router {
  readonly #routes = new Map<number, Route>();
  readonly #forwards: { first: number; last: number; route: Route }[];
  #fallback: { route: Route; module: string } | undefined;
  readonly modules: readonly Module[];

  /** Throws an Error with one sentence for each thing that is wrong. */
  constructor(modules: readonly Module[], stats: Stats, stores: readonly string[] = [], forwards: readonly Forward[] = []) {
    this.modules = modules;
    this.#forwards = forwards.map((forward) => ({ first: forward.first, last: forward.last, route: forwardRoute(forward) }));
    const problems: string[] = [];
    for (const [i, module] of modules.entries()) {
      if (modules.findIndex(({ name }) => name === module.name) < i) {
        problems.push(`two modules are called "${module.name}"`);
        continue;
      }
      for (const store of module.stores ?? []) {
        if (!stores.includes(store)) problems.push(`module "${module.name}" needs the store "${store}", which is not configured`);
      }
      for (const [text, definition] of Object.entries(module.commands ?? {})) {
        const cmd = Number(text);
        const before = this.#routes.get(cmd);
        if (!Number.isInteger(cmd) || cmd < 0 || cmd > 0xfffffffe)
          problems.push(`module "${module.name}": ${text} is not a command number`);
        else if (before !== undefined) problems.push(`command ${cmd} is claimed by the modules "${before.module}" and "${module.name}"`);
        else this.#routes.set(cmd, makeRoute(module, definition, stats.command(text)));
      }
      if (module.fallback !== undefined) {
        if (this.#fallback !== undefined) problems.push(`the modules "${this.#fallback.module}" and "${module.name}" both have a fallback`);
        this.#fallback = { module: module.name, route: makeRoute(module, module.fallback, stats.command('fallback')) };
      }
    }
    if (problems.length > 0) throw new Error([...new Set(problems)].join('; '));
  }

  find(cmd: number): Route | undefined {
    return this.#routes.get(cmd) ?? this.#forward(cmd) ?? this.#fallback?.route;
  }

  #forward(cmd: number): Route | undefined {
    for (const { first, last, route } of this.#forwards) if (cmd >= first && cmd <= last) return route;
    return undefined;
  }

  /** Command numbers with the module that answers each, in order. */
  list(): { cmd: number; module: string }[] {
    return [...this.#routes].map(([cmd, route]) => ({ cmd, module: route.module })).sort((a, b) => a.cmd - b.cmd);
  }
}

function forwardRoute(forward: Forward): Route {
  const { stats, concurrent } = forward;
  const call = () => undefined;
  return { module: 'relay', timeoutMs: undefined, concurrent, stats, call, encode: undefined, forward };
}

/** A timer of Node.js that is set to more fires at once. */
const MAX_TIMER_MS = 2_147_483_647;

type Definition = AnyHandler | CommandOptions;

function makeRoute(module: Module, definition: Definition, stats: CommandStats): Route {
  const options: CommandOptions = typeof definition === 'function' ? { handler: definition } : definition;
  const handler = options.handler as (request: unknown, ctx: Context) => unknown;
  const read = options.request === undefined ? undefined : reader(options.request);
  const plain =
    read === undefined ? (data: Buffer, ctx: Context) => handler(data, ctx) : (data: Buffer, ctx: Context) => handler(read(data), ctx);
  return {
    module: module.name,
    timeoutMs: options.timeoutMs,
    concurrent: options.concurrent ?? 1,
    stats,
    call: wrap(module.use ?? [], plain),
    encode: options.reply === undefined ? undefined : replyWriter(options.reply),
  };
}

function wrap(use: readonly Middleware[], call: Route['call']): Route['call'] {
  return use.reduceRight<Route['call']>((inner, middleware) => (data, ctx) => middleware(ctx, () => inner(data, ctx)), call);
}

/** Throws a sentence for what `value` (the default export of a module file) lacks to be a module. */
export function checkModule(value: unknown, where: string): Module {
  const fail = (what: string) => new Error(`${where} is not a module: ${what}; see docs/modules.md`);
  if (typeof value !== 'object' || value === null) throw fail('its default export is not what defineModule returns');
  const module = value as Record<string, unknown>;
  if (typeof module['name'] !== 'string' || !/^[a-z][a-z0-9_-]{0,62}$/.test(module['name'])) {
    throw fail(`"name" must be a short lower-case word, got ${JSON.stringify(module['name'])}`);
  }
  const known = [
    'name',
    'start',
    'stop',
    'use',
    'commands',
    'connected',
    'disconnected',
    'drain',
    'export',
    'import',
    'expired',
    'fallback',
    'stores',
  ];
  const unknown = Object.keys(module).find((key) => !known.includes(key));
  if (unknown !== undefined) throw fail(`unknown key "${unknown}"; there is: ${known.join(', ')}`);
  for (const key of ['start', 'stop', 'connected', 'disconnected', 'drain', 'export', 'import', 'expired', 'fallback']) {
    if (module[key] !== undefined && typeof module[key] !== 'function') throw fail(`"${key}" must be a function`);
  }
  if (module['use'] !== undefined && !(Array.isArray(module['use']) && module['use'].every((m) => typeof m === 'function'))) {
    throw fail('"use" must be a list of functions');
  }
  if (module['stores'] !== undefined && !(Array.isArray(module['stores']) && module['stores'].every((name) => typeof name === 'string'))) {
    throw fail('"stores" must be a list of names');
  }
  const commands = module['commands'] ?? {};
  if (typeof commands !== 'object' || Array.isArray(commands) || commands instanceof Map) {
    throw fail('"commands" must be an object of handlers by command number');
  }
  for (const [cmd, definition] of Object.entries(commands)) checkCommand(cmd, definition, fail);
  return value as Module;
}

function checkCommand(cmd: string, definition: unknown, fail: (what: string) => Error): void {
  if (typeof definition === 'function') return;
  if (typeof definition !== 'object' || definition === null) throw fail(`command ${cmd} must be a handler or { handler, ... }`);
  const options = definition as Record<string, unknown>;
  const known = ['handler', 'timeoutMs', 'concurrent', 'request', 'reply'];
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw fail(`command ${cmd} has the unknown key "${unknown}"; there is: ${known.join(', ')}`);
  if (typeof options['handler'] !== 'function') throw fail(`command ${cmd} has no handler`);
  for (const key of ['timeoutMs', 'concurrent']) {
    const value = options[key];
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_TIMER_MS)) {
      throw fail(`command ${cmd}: "${key}" must be a whole number from 1 to ${MAX_TIMER_MS}, got ${JSON.stringify(value)}`);
    }
  }
  for (const key of ['request', 'reply']) {
    const type = options[key];
    if (type !== undefined && !isMessageType(type)) {
      throw fail(`command ${cmd}: "${key}" must be a schema or what proto() returns`);
    }
  }
}

/** Schemas of some libraries are functions. */
function isMessageType(type: unknown): boolean {
  const isThing = (typeof type === 'object' && type !== null) || typeof type === 'function';
  return isThing && ('~standard' in type || ('kind' in type && type.kind === 'proto'));
}

/** The error for data that a handler itself judges wrong; the same as a request type would give. */
export const invalid = (text: string): Fault => new Fault('invalidMessage', text);
