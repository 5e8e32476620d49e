// The log: one line of JSON per event, a message that never changes and the values as fields. The one import of pino.

import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { pino } from 'pino';
import type { Level } from './levels.ts';
import { loggable, type Fields } from './log-fields.ts';
import { LineWriter, LogFile, type LogFileOptions, type LogSink } from './log-file.ts';

export { levelNames, levels, parseLevel, type Level } from './levels.ts';

/** What every part logs with. The message is constant (`'link up'`), values are fields (`{ node, ms }`); keys named like secrets are masked. */
export interface Logger {
  trace(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  fatal(message: string, fields?: Fields): void;
  /** A logger that adds `fields` to each line; it shares level and destination with this one. */
  child(fields: Fields): Logger;
  /** The level of this logger and of all that share its destination. */
  readonly level: Level;
  setLevel(level: Level): void;
  /** Whether lines of a level are written: ask before making fields that cost something. */
  enabled(level: Level): boolean;
  /** Puts what was written on the disk; lines have already left the process. */
  flush(): void;
  /** Opens the file again after another process rotated it; nothing without a file. */
  reopen(): void;
  /** Closes the file; nothing without one. */
  close(): void;
}

export interface LoggerOptions {
  /** Stands in each line as `name`: the name of the node. */
  name: string;
  level: Level;
  /** A file instead of standard output; '' is none. */
  path?: string | undefined;
  file?: LogFileOptions;
  /** Lines for people instead of JSON; default: when lines go to a terminal. */
  pretty?: boolean | undefined;
  /** Fields of each line, such as the worker's number. */
  base?: Fields;
  /** Takes the lines instead of a file or standard output. */
  write?: (line: string) => void;
}

/** Makes a logger. Throws one sentence when the file cannot be opened. */
export function createLogger({ name, level, path, file, pretty, base = {}, write }: LoggerOptions): Logger {
  const sink = write ? functionSink(write) : path ? new LogFile(path, file) : new LineWriter(1);
  const terminal = write === undefined && !path && isatty(1);
  const out = (pretty ?? terminal) ? prettySink(sink, terminal && process.env.NO_COLOR === undefined) : sink;
  const root = pino(
    { level, base: { name, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: label } },
    out,
  );
  return new PinoLogger(root, sink, loggable(base));
}

/** A logger that writes nothing, for tests and tools. */
export function silentLogger(): Logger {
  return createLogger({ name: '', level: 'fatal', write: () => {} });
}

class PinoLogger implements Logger {
  readonly #pino: pino.Logger;
  readonly #sink: LogSink;
  readonly #fields: Fields;

  constructor(root: pino.Logger, sink: LogSink, fields: Fields) {
    this.#pino = root;
    this.#sink = sink;
    this.#fields = fields;
  }

  trace(message: string, fields?: Fields): void {
    if (this.enabled('trace')) this.#pino.trace(this.#all(fields), message);
  }

  debug(message: string, fields?: Fields): void {
    if (this.enabled('debug')) this.#pino.debug(this.#all(fields), message);
  }

  info(message: string, fields?: Fields): void {
    if (this.enabled('info')) this.#pino.info(this.#all(fields), message);
  }

  warn(message: string, fields?: Fields): void {
    if (this.enabled('warn')) this.#pino.warn(this.#all(fields), message);
  }

  error(message: string, fields?: Fields): void {
    if (this.enabled('error')) this.#pino.error(this.#all(fields), message);
  }

  fatal(message: string, fields?: Fields): void {
    this.#pino.fatal(this.#all(fields), message);
  }

  child(fields: Fields): Logger {
    return new PinoLogger(this.#pino, this.#sink, this.#all(fields));
  }

  get level(): Level {
    return this.#pino.level as Level;
  }

  setLevel(level: Level): void {
    this.#pino.level = level;
  }

  enabled(level: Level): boolean {
    return this.#pino.isLevelEnabled(level);
  }

  flush(): void {
    this.#sink.flush();
  }

  reopen(): void {
    this.#sink.reopen();
  }

  close(): void {
    this.#sink.close();
  }

  // pino's own children would write a key twice that is in the child and in the line.
  #all(fields: Fields | undefined): Fields {
    return fields === undefined ? this.#fields : { ...this.#fields, ...loggable(fields) };
  }
}

function label(level: string): { level: string } {
  return { level };
}

function functionSink(write: (line: string) => void): LogSink {
  return { write, flush: () => {}, reopen: () => {}, close: () => {} };
}

/** Loaded only where somebody looks: workers under a service manager never need it. */
function prettySink(sink: LogSink, colorize: boolean): Pick<LogSink, 'write'> {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const show = prettyFactory({
    colorize,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid',
    errorLikeObjectKeys: ['err', 'error'],
  });
  return { write: (line) => sink.write(show(line)) };
}
