// Processes of the benchmark: each answers questions, one at a time, and ends when whoever started it is gone.

import { fork, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A process that was asked to end and has not is killed after this long. */
const END_MS = 5000;

type Answered = { answer: unknown } | { error: string };

export type Program = 'floor' | 'load' | 'node-main' | 'sink';

export class Child<Question extends object> {
  readonly #process: ChildProcess;
  readonly #name: Program;
  #settle: ((answered: Answered) => void) | undefined;

  constructor(program: Program) {
    this.#name = program;
    const file = fileURLToPath(new URL(`./${program}${extname(import.meta.url)}`, import.meta.url));
    // what a child prints must not mix with the table or the JSON on standard output
    this.#process = fork(file, [], { stdio: ['ignore', 2, 2, 'ipc'], execArgv: [] });
    this.#process.on('message', (answered: Answered) => this.#settle?.(answered));
    this.#process.on('error', (error) => this.#settle?.({ error: error.message }));
    this.#process.on('exit', (code, signal) =>
      this.#settle?.({ error: `it ended with ${signal === null ? `exit code ${code}` : `signal ${signal}`}` }),
    );
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Asks one question and waits for its answer. Throws what went wrong in the process, or that it was late. */
  ask<Answer>(question: Question, deadlineMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const settle = (answered: Answered) => {
        clearTimeout(timer);
        this.#settle = undefined;
        if ('error' in answered) reject(new Error(`${this.#name} process ${this.pid}: ${answered.error}`));
        else resolve(answered.answer as Answer);
      };
      const timer = setTimeout(() => settle({ error: `no answer within ${deadlineMs} ms` }), deadlineMs);
      this.#settle = settle;
      if (this.#process.connected) this.#process.send(question);
      else settle({ error: 'it has ended' });
    });
  }

  /** Ends the process: it leaves when the channel closes, and is killed when it does not. */
  end(): Promise<void> {
    const child = this.#process;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const late = setTimeout(() => child.kill('SIGKILL'), END_MS);
      child.once('exit', () => {
        clearTimeout(late);
        resolve();
      });
      if (child.connected) child.disconnect();
    });
  }
}

/** In such a process: answers questions until whoever asks is gone; then `leave` may clean up before the end. */
export function answerQuestions<Question>(answer: (question: Question) => unknown, leave: () => unknown = () => undefined): void {
  const say = (answered: Answered) => {
    // nobody listens any more: then the channel is about to close, and this process with it
    if (process.connected) process.send!(answered, undefined, undefined, () => undefined);
  };
  process.on('message', (question: Question) => {
    // an answer that is thrown or rejected is an answer as well
    new Promise((resolve) => resolve(answer(question))).then(
      (value) => say({ answer: value ?? null }),
      (error: unknown) => say({ error: error instanceof Error ? error.message : String(error) }),
    );
  });
  process.on('disconnect', () => {
    Promise.resolve(leave()).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
