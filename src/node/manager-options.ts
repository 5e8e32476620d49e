// What a manager is given, and what is asked of it.

import type { Change } from '../config/changes.ts';
import type { NodeConfig } from '../config/node-config.ts';
import type { Logger } from '../ops/log.ts';
import type { Left } from './pool.ts';
import type { GivenPort } from './ports.ts';

export interface ManagerOptions {
  config: NodeConfig;
  /** Folder that relative paths of modules start from. */
  folder: string;
  version: string;
  log?: Logger;
  /** Ports that are open already, in place of those of the configuration. */
  ports?: readonly GivenPort[] | undefined;
  /** Gets the resource ledger of each worker that leaves in order; whatever is held in it has leaked. */
  onLeft?: ((left: Left) => void) | undefined;
}

/** What reload() did with each key that changed. */
export interface Applied extends Change {
  /** False where only a new process can take the change. */
  done: boolean;
}

export interface DrainOptions {
  /** It ends when it is drained once more, not when nobody is left. */
  stays?: boolean;
  /** Another process has the address of this one, and takes its sessions. */
  isReplaced?: boolean;
  /** Default: drain_ms. */
  ms?: number | undefined;
  /** Connections that others can take in each second. Default: what the nodes of the same type that it knows can. */
  perSecond?: number | undefined;
}
