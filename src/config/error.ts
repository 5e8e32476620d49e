// The error of a configuration that cannot be used: everything that is wrong with it, at once.

/** One thing that is wrong: `message` is a whole sentence that names the key, what it holds and what is allowed. */
export interface Problem {
  readonly path: string;
  readonly message: string;
  /** Line of the file, from 1, where it is known. */
  readonly line?: number | undefined;
}

/** A configuration that is refused. `message` is made for people; `problems` is the same for programs. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly Problem[];

  /** `where` is the file, or what else the configuration came from. */
  constructor(where: string, problems: readonly Problem[], options?: ErrorOptions) {
    const [first] = problems;
    const one = first !== undefined && problems.length === 1;
    super(
      one
        ? `${where}${first.line === undefined ? '' : `:${first.line}`}: ${first.message}`
        : [`${where} has ${problems.length} problems`, ...problems.map(line)].join('\n'),
      options,
    );
    this.problems = problems;
  }
}

function line(problem: Problem): string {
  return `  ${problem.line === undefined ? '' : `line ${problem.line}: `}${problem.message}`;
}
