// Questions to workers, matched with their answers by number; who does not answer in time, or ends, is left out.

import type { FromWorker, ToWorker } from './channel.ts';
import type { WorkerProcess } from './worker-process.ts';

export class Questions {
  readonly #open = new Map<number, (message: FromWorker) => void>();
  #next = 1;

  async ask<T extends FromWorker>(
    workers: readonly WorkerProcess[],
    question: (ask: number) => ToWorker,
    deadlineMs: number,
  ): Promise<{ worker: WorkerProcess; answer: T }[]> {
    const answers = workers.map((worker) => {
      const ask = this.#next++;
      return new Promise<{ worker: WorkerProcess; answer: T } | undefined>((resolve) => {
        const end = (answer?: T) => {
          clearTimeout(timer);
          this.#open.delete(ask);
          resolve(answer === undefined ? undefined : { worker, answer });
        };
        const timer = setTimeout(end, deadlineMs);
        this.#open.set(ask, (message) => end(message as T));
        worker.channel.send(question(ask), undefined, (error) => error && end());
        void worker.gone.then(() => end());
      });
    });
    return (await Promise.all(answers)).filter((answer) => answer !== undefined);
  }

  /** An answer came; one that nobody waits for any more is dropped. */
  answered(ask: number, message: FromWorker): void {
    this.#open.get(ask)?.(message);
  }
}
