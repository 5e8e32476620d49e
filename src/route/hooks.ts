// Tells modules what happens to clients. A hook that fails is a line in the log, never the end of a worker.

import type { Logger } from '../ops/log.ts';
import type { Client } from '../session/client.ts';
import type { Module } from './module.ts';

export class Hooks {
  readonly #modules: readonly Module[];
  readonly #log: Logger;

  constructor(modules: readonly Module[], log: Logger) {
    this.#modules = modules;
    this.#log = log;
  }

  connected(client: Client): void {
    for (const module of this.#modules) if (module.connected !== undefined) this.#guard(module, () => module.connected!(client));
  }

  disconnected(client: Client, reason: string): void {
    for (const module of this.#modules)
      if (module.disconnected !== undefined) this.#guard(module, () => module.disconnected!(client, reason));
  }

  drain(): void {
    for (const module of this.#modules) if (module.drain !== undefined) this.#guard(module, () => module.drain!());
  }

  expired(client: Client, key: string, value: unknown): void {
    for (const module of this.#modules) if (module.expired !== undefined) this.#guard(module, () => module.expired!(client, key, value));
  }

  #guard(module: Module, hook: () => unknown): void {
    const failed = (error: unknown) => this.#log.error('hook of a module failed', { module: module.name, err: error });
    try {
      const result = hook();
      if (isPromise(result)) result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

/** True for whatever can be awaited: what a handler returns is a promise or it is the answer. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
