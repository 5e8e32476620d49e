// Errors that the command line foresees: each is one sentence for people and an exit code for scripts.

import { ConfigError } from '../config/error.ts';
import { exitCodes } from '../node/exit-codes.ts';

/** What was asked for could not be done. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: number;

  constructor(message: string, { exitCode = exitCodes.crashed, ...options }: ErrorOptions & { exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** A flag or an argument that does not fit. */
export class UsageError extends Failure {
  constructor(message: string) {
    super(message, { exitCode: exitCodes.usage });
  }
}

/** The code with which a command ends that throws this. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return error.exitCode;
  return error instanceof ConfigError ? exitCodes.usage : exitCodes.crashed;
}

/** What people are told by the program of that name. The stack is for those who look for a defect: they set KIM_DEBUG=1. */
export function problemText(error: unknown, isDebug: boolean, name = 'kim'): string {
  if (isDebug && error instanceof Error) return `${name}: ${error.stack ?? error.message}${causes(error)}`;
  const message = error instanceof Error ? error.message : String(error);
  const isForeseen = error instanceof Failure || error instanceof ConfigError;
  return `${name}: ${message}${isForeseen ? '' : '; KIM_DEBUG=1 shows where this happened'}`;
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `\ncaused by: ${error.cause.stack ?? error.cause.message}${causes(error.cause)}` : '';
}
