// How a command of "kim" is declared: plain data, so that the program knows all of them and loads the code of one.

import { formatDuration, parseDuration } from '../config/units.ts';
import { UsageError } from './problem.ts';

/** A flag of a command; its key in the table is the camel-case name of its long form. */
export interface OptionSpec<T> {
  /** As commander writes it: `-o, --output <form>`. */
  readonly flags: string;
  readonly help: string;
  readonly default: T;
  /** Reads the value; `before` is what earlier occurrences gave. Absent for flags without a value. */
  readonly parse?: ((text: string, before: T) => T) | undefined;
}

/** What a command does. Resolves with the exit code; throws Failure for what it foresees. */
export type Run<O> = (args: readonly string[], options: O) => Promise<number>;

export interface CommandSpec<O> {
  /** Words after "kim". */
  readonly name: string;
  readonly summary: string;
  /** `<must>` and `[may]` be given, each with what it is. */
  readonly args: readonly (readonly [name: string, help: string])[];
  readonly options: { readonly [K in keyof O]: OptionSpec<O[K]> };
  readonly examples: readonly string[];
  /** All arguments and flags go to the command as they are. */
  readonly passThrough?: boolean | undefined;
  load(): Promise<Run<O>>;
}

/** A command whose option types have been forgotten: what the program goes through. */
export type AnyCommand = CommandSpec<never>;

/** Declares a command: the types of its options flow into what `load` returns. */
export function command<O>(spec: CommandSpec<O>): AnyCommand {
  return spec as unknown as AnyCommand;
}

// ---- kinds of options ----

export function flag(flags: string, help: string, isSet = false): OptionSpec<boolean> {
  return { flags, help, default: isSet };
}

export function text(flags: string, help: string): OptionSpec<string | undefined> {
  return { flags, help, default: undefined, parse: (value) => value };
}

export function list(flags: string, help: string): OptionSpec<readonly string[]> {
  return { flags, help, default: [], parse: (value, before) => [...before, value] };
}

/** One of a few words; the first is the default. */
export function choice<const T extends string>(flags: string, help: string, words: readonly [T, ...T[]]): OptionSpec<T> {
  return {
    flags,
    help: `${help}: ${words.join(', ')} (default ${words[0]})`,
    default: words[0],
    parse(value) {
      const found = words.find((word) => word === value);
      if (found === undefined) throw new UsageError(`${longName(flags)} takes ${words.join(' or ')}, got "${value}"`);
      return found;
    },
  };
}

/** A time with its unit, in milliseconds. */
export function time(flags: string, help: string, defaultMs: number): OptionSpec<number> {
  return {
    flags,
    help: `${help} (default ${formatDuration(defaultMs)})`,
    default: defaultMs,
    parse(value) {
      const ms = parseDuration(value);
      if (ms === undefined || ms < 1 || ms > 3_600_000) {
        throw new UsageError(`${longName(flags)} takes a time such as 5s or 500ms, up to 1h, got "${value}"`);
      }
      return ms;
    },
  };
}

export function whole(flags: string, help: string, least: number, most: number, byDefault: number): OptionSpec<number> {
  return {
    flags,
    help,
    default: byDefault,
    parse(value) {
      const number = /^\d+$/.test(value) ? Number(value) : NaN;
      if (!(number >= least && number <= most)) {
        throw new UsageError(`${longName(flags)} takes a whole number from ${least} to ${most}, got "${value}"`);
      }
      return number;
    },
  };
}

function longName(flags: string): string {
  return /--[a-z0-9-]+/.exec(flags)?.[0] ?? flags;
}
