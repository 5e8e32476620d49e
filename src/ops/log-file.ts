// Where log lines go: a descriptor that may be slow or gone, and a file that is rotated by size while several processes append to it.

import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** How long a write waits for a full pipe before the line is given up: a log nobody reads must not stop the server. */
const PATIENCE_MS = 200;
/** How often a file looks whether it was moved away or has grown too large. */
const LOOK_MS = 1000;

export interface LogSink {
  /** Writes one whole line. Never throws: lines that cannot be written are counted and reported by a line of their own later. */
  write(line: string): void;
  /** Puts what was written on the disk. */
  flush(): void;
  /** Opens the file by its name again, because another process moved it. */
  reopen(): void;
  close(): void;
}

/** Lines to a descriptor, at once: nothing is lost when the process ends. */
export class LineWriter implements LogSink {
  fd: number;
  /** Lines given up since the last one that was written. */
  #lost = 0;
  /** The last line was cut off in the middle. */
  #torn = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  write(line: string): void {
    if (this.#lost > 0) {
      const report = { level: 'warn', time: new Date().toISOString(), pid: process.pid, msg: 'log lines lost', lost: this.#lost };
      if (this.#put(`${JSON.stringify(report)}\n`)) this.#lost = 0;
    }
    if (!this.#put(line)) this.#lost++;
  }

  flush(): void {
    try {
      fsyncSync(this.fd);
    } catch {
      // pipes and terminals cannot
    }
  }

  reopen(): void {}

  close(): void {}

  #put(line: string): boolean {
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    // Only the first line that does not fit waits; until one is written again the others are given up at once.
    let patience = this.#lost > 0 ? 0 : PATIENCE_MS;
    let done = 0;
    while (done < bytes.length) {
      try {
        done += writeSync(this.fd, bytes, done);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN' && patience > 0) {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
          patience -= 5;
          continue;
        }
        this.#torn ||= done > 0;
        return false;
      }
    }
    this.#torn = false;
    return true;
  }
}

export interface LogFileOptions {
  /** Whether this process rotates; of several that write to one file exactly one does. Default true. */
  rotate?: boolean;
  /** Size at which FILE becomes FILE.1; default 64 MiB. */
  maxBytes?: number;
  /** How many rotated files stay; default 5, at least 1. */
  keep?: number;
  /** Called after a rotation, to tell the other processes to reopen. */
  onRotated?: () => void;
  /** Milliseconds of a clock; tests pass their own. */
  now?: () => number;
}

/** A log file, opened for appending. Throws when it cannot be opened. */
export class LogFile implements LogSink {
  readonly #path: string;
  readonly #rotate: boolean;
  readonly #maxBytes: number;
  readonly #keep: number;
  readonly #onRotated: () => void;
  readonly #now: () => number;
  readonly #out: LineWriter;
  readonly #timer: NodeJS.Timeout | undefined;
  #id = '';
  #bytes = 0;
  #lookedAt: number;

  constructor(path: string, { rotate = true, maxBytes = 64 << 20, keep = 5, onRotated = () => {}, now = Date.now }: LogFileOptions = {}) {
    this.#path = path;
    this.#rotate = rotate;
    this.#maxBytes = maxBytes;
    this.#keep = Math.max(1, keep);
    this.#onRotated = onRotated;
    this.#now = now;
    this.#lookedAt = now();
    this.#out = new LineWriter(-1);
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#open();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new Error(`cannot open the log file "${path}" (${code}); set log_path to a file that this user may write`, { cause: error });
    }
    // The others may write most of the lines, so the one who rotates also looks when it has nothing to say itself.
    if (rotate) this.#timer = setInterval(() => this.check(), LOOK_MS).unref();
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#now() - this.#lookedAt >= LOOK_MS || (this.#rotate && this.#bytes + bytes > this.#maxBytes)) this.check(bytes);
    this.#out.write(line);
    this.#bytes += bytes;
  }

  /** Looks whether the name still leads to our file, and rotates it when `coming` more bytes would make it too large. */
  check(coming = 0): void {
    this.#lookedAt = this.#now();
    try {
      const stat = statSync(this.#path, { throwIfNoEntry: false });
      if (stat === undefined || `${stat.dev}:${stat.ino}` !== this.#id) return this.#open();
      this.#bytes = stat.size;
      if (this.#rotate && stat.isFile() && stat.size > 0 && stat.size + coming > this.#maxBytes) this.#shift();
    } catch {
      // The open file still takes lines; the next look tries again. Counting from 0 keeps a rotation that fails from being tried for every line.
      this.#bytes = 0;
    }
  }

  flush(): void {
    this.#out.flush();
  }

  reopen(): void {
    try {
      this.#open();
    } catch {
      // as above
    }
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#out.fd >= 0) closeSync(this.#out.fd);
    this.#out.fd = -1;
  }

  #open(): void {
    const fd = openSync(this.#path, 'a', 0o640);
    const stat = fstatSync(fd);
    if (this.#out.fd >= 0) closeSync(this.#out.fd);
    this.#out.fd = fd;
    this.#id = `${stat.dev}:${stat.ino}`;
    this.#bytes = stat.size;
  }

  #shift(): void {
    for (let i = this.#keep - 1; i >= 1; i--) {
      if (statSync(`${this.#path}.${i}`, { throwIfNoEntry: false })) renameSync(`${this.#path}.${i}`, `${this.#path}.${i + 1}`);
    }
    renameSync(this.#path, `${this.#path}.1`);
    this.#open();
    this.#onRotated();
  }
}
