// What "kubectl kim debug" collects, file by file: within limits of size and time, each file without secrets, with a list of what is in it.

import type { Redactor } from './redact.ts';
import { bytes } from '../terminal.ts';
import { tarGz } from './tar.ts';

/** Of one file, and of all together before they are compressed. */
const MAX_FILE = 2 << 20;
const MAX_ALL = 64 << 20;

export interface BundleOptions {
  readonly redactor: Redactor;
  /** Told of each file that is being read. */
  readonly say: (line: string) => void;
  /** Nothing is begun after it, in milliseconds since 1970. */
  readonly deadline: number;
  readonly now?: () => number;
}

export class Bundle {
  readonly #options: BundleOptions;
  readonly #files = new Map<string, string>();
  readonly #missing: string[] = [];
  #size = 0;

  constructor(options: BundleOptions) {
    this.#options = options;
  }

  /** Reads a file; what can not be had is named in the list with the reason, and the rest goes on. Resolves with what was read. */
  async add<T>(name: string, read: () => Promise<T>, write: (value: T) => string): Promise<T | undefined> {
    const { say, deadline, now = Date.now } = this.#options;
    if (now() >= deadline) return this.#leaveOut(name, 'there was no time left');
    if (this.#size >= MAX_ALL) return this.#leaveOut(name, `there are ${bytes(MAX_ALL)} already`);
    say(`${name} (${this.#files.size} files, ${bytes(this.#size)})`);
    try {
      const value = await read();
      this.put(name, write(value));
      return value;
    } catch (error) {
      return this.#leaveOut(name, (error as Error).message);
    }
  }

  /** Adds a text; of a long one the end. */
  put(name: string, text: string): void {
    const kept =
      text.length > MAX_FILE ? `(${text.length - MAX_FILE} characters before this are left out)\n${text.slice(-MAX_FILE)}` : text;
    this.#size += kept.length;
    this.#files.set(name, kept);
  }

  /** Names of the files with their sizes, and what is missing with its reason. */
  get list(): { readonly files: readonly (readonly [name: string, size: number])[]; readonly missing: readonly string[] } {
    const files = [...this.#files].map(([name, text]) => [name, Buffer.byteLength(text)] as const);
    return { files, missing: this.#missing.map((line) => this.#options.redactor.text(line)) };
  }

  /** All of it in one folder; every text is looked through once more for secrets that were met. `now` is in milliseconds since 1970. */
  pack(folder: string, now: number): Buffer {
    const { redactor } = this.#options;
    const files = [...this.#files].map(([name, text]) => ({ name: `${folder}/${name}`, content: Buffer.from(redactor.text(text)) }));
    return tarGz(files, now);
  }

  #leaveOut(name: string, why: string): undefined {
    this.#missing.push(`${name}: ${why}`);
    return undefined;
  }
}
