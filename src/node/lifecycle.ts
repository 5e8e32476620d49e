// What the outside world does to a node: signals, the file limit, a parent that is gone.
//
//   SIGTERM, SIGINT   drain and end; a second SIGINT ends at once       SIGHUP    read the configuration again
//   SIGUSR1           replace the workers one by one                    SIGUSR2   print the resource ledgers

import { readFileSync } from 'node:fs';
import type { NodeConfig } from '../config/node-config.ts';
import { exitCodes } from './exit-codes.ts';
import type { Manager } from './manager.ts';

/** Descriptors that a worker needs beside those of its clients (the original's number). */
const SPARE_DESCRIPTORS = 128;
const PARENT_MS = 500;

export interface LifecycleOptions {
  /** Reads the configuration again; throws a sentence when it can not be used, and what runs goes on. */
  readConfig(): NodeConfig;
  /** Last thing before the process ends. */
  exit(code: number): void;
}

/** Connects signals to the manager, for as long as the process lives. */
export function followSignals(manager: Manager, { readConfig, exit }: LifecycleOptions): void {
  const { log } = manager;
  let interrupted = false;
  const drain = () => {
    manager.drain().then(
      () => exit(exitCodes.ok),
      (error: unknown) => {
        log.fatal('drain failed', { err: error });
        exit(exitCodes.failed);
      },
    );
  };
  process.on('SIGTERM', drain);
  process.on('SIGINT', () => {
    if (!interrupted) drain();
    else void manager.kill().then(() => exit(exitCodes.ok));
    interrupted = true;
  });
  process.on('SIGHUP', () => {
    try {
      manager.reload(readConfig()).catch((error: unknown) => log.error('configuration can not be applied', { err: error }));
    } catch (error) {
      log.error('configuration refused; the node goes on with the old one', { reason: (error as Error).message });
    }
  });
  process.on('SIGUSR1', () => {
    manager.roll().catch((error: unknown) => log.error('workers can not be replaced', { err: error }));
  });
  process.on('SIGUSR2', () => manager.printLedgers());
}

/** Calls back once when the process that started this one is gone; nobody else would tell. */
export function followParent(gone: () => void): () => void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    gone();
  }, PARENT_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** A sentence if this process may open fewer files than the configuration allows clients; undefined if they suffice or nobody can tell. */
export function fileLimitProblem(config: NodeConfig, limits = readLimits()): string | undefined {
  const allowed = limits === undefined ? undefined : softLimit(limits);
  const needed = config.max_clients + SPARE_DESCRIPTORS;
  if (allowed === undefined || allowed >= needed) return undefined;
  return (
    `max_clients ${config.max_clients} needs ${needed} open files in each worker, and this process may open ${allowed}; ` +
    `raise the limit (ulimit -n ${needed}, or LimitNOFILE of the service), or lower max_clients to ${Math.max(0, allowed - SPARE_DESCRIPTORS)}`
  );
}

function readLimits(): string | undefined {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return undefined;
  }
}

/** Node.js has raised the soft limit to the hard one before we come here. */
function softLimit(limits: string): number | undefined {
  const value = /^Max open files\s+(\S+)/m.exec(limits)?.[1];
  if (value === undefined) return undefined;
  return value === 'unlimited' ? Infinity : Number(value);
}
