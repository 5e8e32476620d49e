// Descriptors on their way to one worker, in order. Node.js sends the next one when the other process has the one before, and goes through
// all that wait at each: so it is given few of them, and the rest wait here.

import type { Handle } from '../net/handle.ts';
import type { Channel, ToWorker } from './channel.ts';

/** One that is being sent, and one that is ready the moment it has arrived. */
const WINDOW = 2;

interface Pass {
  message: ToWorker;
  handle: Handle;
  failed(handle: Handle): void;
}

export class Passes {
  readonly #channel: Channel<ToWorker>;
  readonly #isConnected: () => boolean;
  readonly #waiting = new Set<Pass>();
  readonly #sending = new Set<Pass>();

  /** `isConnected` is false from the moment at which nothing can reach the worker any more; it ends then. */
  constructor(channel: Channel<ToWorker>, isConnected: () => boolean) {
    this.#channel = channel;
    this.#isConnected = isConnected;
  }

  get size(): number {
    return this.#waiting.size + this.#sending.size;
  }

  /** `failed` gets the descriptor back when it was not sent. */
  add(message: ToWorker, handle: Handle, failed: (handle: Handle) => void): void {
    this.#waiting.add({ message, handle, failed });
    this.#pump();
  }

  /** Gives back what has not been handed to the channel. */
  takeBack(): void {
    this.#giveBack(this.#waiting);
  }

  /** Gives back everything: the process has ended, and the channel calls back for nothing that it still had. */
  end(): void {
    this.#giveBack(this.#sending);
    this.#giveBack(this.#waiting);
  }

  #giveBack(passes: Set<Pass>): void {
    for (const pass of passes) {
      passes.delete(pass);
      pass.failed(pass.handle);
    }
  }

  #pump(): void {
    for (const pass of this.#waiting) {
      if (this.#sending.size >= WINDOW || !this.#isConnected()) return;
      this.#waiting.delete(pass);
      this.#sending.add(pass);
      this.#channel.send(pass.message, pass.handle, (error) => this.#sent(pass, error));
    }
  }

  #sent(pass: Pass, error: Error | null): void {
    // it is given back when the process has ended: told now, its owner would find this same process again
    if (error instanceof Error && !this.#isConnected()) return;
    if (!this.#sending.delete(pass)) return;
    if (error instanceof Error) pass.failed(pass.handle);
    else pass.handle.close();
    this.#pump();
  }
}
