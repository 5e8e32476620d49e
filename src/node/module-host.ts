// Starts modules in the order of the configuration and stops them in reverse; gives each its log, its timers and the clients.

import type { Messenger } from '../cluster/messenger.ts';
import type { Ledger } from '../ops/ledger.ts';
import type { Logger } from '../ops/log.ts';
import type { Module, ModuleHost } from '../route/module.ts';
import type { Client } from '../session/client.ts';

/** A module that takes longer to start or to stop is given up. */
const MAX_MS = 30_000;

interface Surroundings {
  node: ModuleHost['node'];
  log: Logger;
  ledger: Ledger;
  clients(): Iterable<Client>;
  messenger: Messenger;
}

export class ModuleHosts {
  readonly #modules: readonly Module[];
  readonly #around: Surroundings;
  readonly #started: { module: Module; timers: Set<NodeJS.Timeout> }[] = [];

  constructor(modules: readonly Module[], around: Surroundings) {
    this.#modules = modules;
    this.#around = around;
  }

  /** Throws with the name of the first module that fails or takes too long; those before it are stopped again. */
  async start(): Promise<void> {
    for (const module of this.#modules) {
      const timers = new Set<NodeJS.Timeout>();
      try {
        this.#started.push({ module, timers });
        await within(MAX_MS, module.start?.(this.#hostOf(module, timers)));
      } catch (cause) {
        await this.stop();
        throw new Error(`module "${module.name}" failed to start: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }
    }
  }

  async stop(): Promise<void> {
    for (const { module, timers } of this.#started.splice(0).reverse()) {
      for (const timer of [...timers]) this.#cancel(timers, timer);
      try {
        await within(MAX_MS, module.stop?.());
      } catch (error) {
        this.#around.log.error('module failed to stop', { module: module.name, err: error });
      }
    }
  }

  #hostOf(module: Module, timers: Set<NodeJS.Timeout>): ModuleHost {
    const { node, ledger, clients, messenger } = this.#around;
    const log = this.#around.log.child({ module: module.name });
    const run = (task: () => unknown) => {
      const failed = (error: unknown) => log.error('timer of a module failed', { err: error });
      try {
        const result = task();
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
    const keep = (timer: NodeJS.Timeout) => {
      ledger.timers.take();
      timers.add(timer);
      return () => this.#cancel(timers, timer);
    };
    return {
      node,
      log,
      clients,
      push: (user, cmd, data) => messenger.push(user, cmd, data),
      pushMany: (users, cmd, data) => messenger.pushMany(users, cmd, data),
      group: (name) => messenger.group(name),
      broadcast: (cmd, data) => messenger.broadcast(cmd, data),
      kick: (user, reason, code) => messenger.kick(user, reason, code),
      after: (ms, task) => {
        const cancel = keep(
          setTimeout(() => {
            cancel();
            run(task);
          }, ms),
        );
        return cancel;
      },
      every: (ms, task) => keep(setInterval(() => run(task), ms)),
    };
  }

  #cancel(timers: Set<NodeJS.Timeout>, timer: NodeJS.Timeout): void {
    if (!timers.delete(timer)) return;
    clearTimeout(timer);
    this.#around.ledger.timers.give();
  }
}

async function within(ms: number, work: unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
