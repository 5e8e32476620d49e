#!/usr/bin/env node
// The command line: "kim", or "kubectl kim" when it is called by that name. Finds the command, runs it, and tells people in one sentence when that did not work.

import { faceOf } from './faces.ts';
import { exitCodeOf, problemText } from './problem.ts';
import { runProgram } from './program.ts';
import { version } from '../version.ts';

/** A command is over when it says so; what it forgot to close does not keep the process alive for longer. */
const LINGER_MS = 1000;

// "kim config docs | head" closes our output early: that is no error
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

async function main(): Promise<number> {
  const face = faceOf(process.argv[1] ?? '');
  try {
    return await runProgram(face.order(process.argv.slice(2)), {
      ...face,
      version,
      execute: async (command, args, options) => (await command.load())(args, options),
      write: (text) => process.stdout.write(text),
      writeError: (text) => process.stderr.write(text),
    });
  } catch (error) {
    process.stderr.write(`${problemText(error, process.env['KIM_DEBUG'] === '1', face.name)}\n`);
    return exitCodeOf(error);
  }
}

process.exitCode = await main();
setTimeout(() => process.exit(), LINGER_MS).unref();
