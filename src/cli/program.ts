// From the words of a command line to a command and its options. The one place that imports commander.

import { Command, CommanderError, Option, type Argument, type HelpConfiguration } from 'commander';
import { exitCodes } from '../node/exit-codes.ts';
import type { AnyCommand, OptionSpec } from './command.ts';
import { UsageError } from './problem.ts';

export interface ProgramOptions {
  /** What users type. */
  name: string;
  /** What the program is, in one line. */
  about: string;
  version: string;
  commands: readonly AnyCommand[];
  /** Summaries of the groups that commands of two words belong to. */
  groups: Readonly<Record<string, string>>;
  /** Runs the command that was asked for; resolves with the exit code. */
  execute(command: AnyCommand, args: readonly string[], options: never): Promise<number>;
  /** Where help goes. */
  write(text: string): void;
  writeError(text: string): void;
}

/** Resolves with the exit code of the command; throws UsageError with one sentence for words that do not fit. */
export async function runProgram(words: readonly string[], options: ProgramOptions): Promise<number> {
  let code: number = exitCodes.ok;
  const program = build(options, (result) => (code = result));
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.ok;
    // help that nobody asked for: a command is missing
    if (error.code === 'commander.help') return exitCodes.usage;
    throw new UsageError(sentence(error.message, options));
  }
  return code;
}

function build(options: ProgramOptions, done: (code: number) => void): Command {
  const { name, about, version, commands, groups, execute, write, writeError } = options;
  const program = new Command(name)
    .description(about)
    .version(version, '-v, --version', 'show the version')
    .addHelpText('after', `\nEach command explains itself: ${name} COMMAND --help`)
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp(help)
    .configureOutput({ writeOut: write, writeErr: writeError, outputError: () => undefined })
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command');
  for (const spec of commands) {
    const [first, second] = spec.name.split(' ') as [string, string?];
    const parent = second === undefined ? program : group(program, first, groups[first] ?? '');
    const command = parent
      .command(second ?? first)
      .description(spec.summary)
      .helpOption('-h, --help', 'show this help');
    for (const [argument, text] of spec.args) command.argument(argument, text);
    for (const option of Object.values<OptionSpec<unknown>>(spec.options)) command.addOption(optionOf(option));
    if (spec.passThrough === true) command.allowUnknownOption().allowExcessArguments().passThroughOptions().helpOption(false);
    command.addHelpText('after', `\nExamples:\n${spec.examples.map((example) => `  ${example}`).join('\n')}`);
    command.action(async () => done(await execute(spec, command.args, command.opts())));
  }
  return program;
}

const help: HelpConfiguration = {
  // defaults stand in the text where they help
  optionDescription: ({ description }) => description,
  subcommandTerm: (command) =>
    [command.name(), command.commands.map((each) => each.name()).join('|'), ...command.registeredArguments.map(term)]
      .filter((word) => word !== '')
      .join(' '),
};

function term(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function group(program: Command, name: string, summary: string): Command {
  const found = program.commands.find((each) => each.name() === name);
  return found ?? program.command(name).description(summary).helpOption('-h, --help', 'show this help').helpCommand(false);
}

function optionOf({ flags, help: text, default: value, parse }: OptionSpec<unknown>): Option {
  const option = new Option(flags, text).default(value);
  return parse === undefined ? option : option.argParser(parse);
}

/** The messages of commander in our form: one sentence, with what to do next. */
function sentence(message: string, { commands, groups }: ProgramOptions): string {
  const [what = '', hint] = message.replace(/^error: /, '').split('\n');
  const plain = what
    .replaceAll("'", '"')
    .replace(/\.$/, '')
    .replace(/\. (Expected)/, (_, word: string) => `: ${word.toLowerCase()}`);
  const near = hint === undefined ? undefined : /\(Did you mean (.+?)\?\)/.exec(hint)?.[1];
  if (near !== undefined) return `${plain}; did you mean ${near}`;
  if (plain.startsWith('unknown command')) {
    const names = [...commands.map(({ name }) => name).filter((name) => !name.includes(' ')), ...Object.keys(groups)];
    return `${plain}; there is: ${names.join(', ')}`;
  }
  return `${plain}; --help shows what there is`;
}
