// The ports of a cluster on this machine: open for as long as the cluster wants them, whichever nodes come, go or crash meanwhile.

import type { SendHandle } from 'node:child_process';
import type { Port } from '../plan/workloads.ts';

/** A port that is bound; processes that get its handle listen on it. */
export interface BoundPort {
  readonly port: number;
  readonly handle: object;
  close(): void;
}

/** Binds a port. Throws one sentence that says who has it. */
export type Bind = (kind: Port['kind'], host: string, port: number) => Promise<BoundPort>;

/** What a node process is told of a port, beside its handle. */
export interface GivenPort {
  readonly kind: Port['kind'];
  readonly host: string;
  readonly port: number;
  readonly handle: SendHandle;
}

export class LocalPorts {
  readonly #bind: Bind;
  readonly #bound = new Map<string, BoundPort>();

  constructor(bind: Bind) {
    this.#bind = bind;
  }

  /** All of them, bound where they are not yet. Throws for the first that can not be had. */
  async take(ports: readonly Port[]): Promise<GivenPort[]> {
    const given: GivenPort[] = [];
    for (const { kind, host, port, key } of ports) {
      let bound = this.#bound.get(key);
      if (bound === undefined) {
        bound = await this.#bind(kind, host, port);
        this.#bound.set(key, bound);
      }
      given.push({ kind, host, port: bound.port, handle: bound.handle as SendHandle });
    }
    return given;
  }

  /** Gives up all but these: who connects to the others is refused once no node accepts there. */
  keep(ports: readonly Port[]): void {
    const keys = new Set(ports.map(({ key }) => key));
    for (const [key, bound] of this.#bound) {
      if (keys.has(key)) continue;
      this.#bound.delete(key);
      bound.close();
    }
  }
}
