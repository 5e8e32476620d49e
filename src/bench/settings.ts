// What the benchmark is asked to do: its flags, their defaults and their limits.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export const rowNames = [
  'depth1',
  'depth10',
  'depth100',
  'echo',
  'json',
  'idle',
  'churn',
  'workers',
  'relay',
  'push',
  'ring',
  'soak',
] as const;
export type RowName = (typeof rowNames)[number];

export interface Settings {
  rows: readonly RowName[];
  /** Length of one round; each row is measured in `rounds` of them, the contenders in turn. */
  seconds: number;
  rounds: number;
  /** Connections under load, over all load processes. */
  connections: number;
  /** Connections of the row idle. */
  idle: number;
  /** Requests of the row soak. */
  soak: number;
  /** Load processes. */
  loads: number;
  /** Load processes poll while they measure. */
  awake: boolean;
  output: 'table' | 'json';
  write: boolean;
  /** Folder for CPU profiles of the worker; undefined for none. */
  profile: string | undefined;
  help: boolean;
}

const QUICK = { seconds: 0.5, rounds: 3, rows: rowNames.filter((name) => name !== 'soak' && name !== 'json' && name !== 'echo') };
/** Many short rounds rather than few long ones: what else the machine does changes within seconds. */
const FULL = { seconds: 1, rounds: 9, rows: rowNames };

export const usage = `usage: npm run bench [-- FLAGS]

Measures a node beside the least that a Node.js server can do, in the same run, and prints a table.

  --rows NAMES         only these, separated by commas: ${rowNames.join(', ')}
  --quick              shorter rounds, without echo, json and soak: about a minute instead of 5
  --seconds N          length of a round (${FULL.seconds}, quick ${QUICK.seconds})
  --rounds N           rounds of each row, in which the contenders take turns (${FULL.rounds}, quick ${QUICK.rounds})
  --connections N      connections under load (400)
  --loads N            processes that make the load (one less than there are processors)
  --no-awake           load processes sleep while nothing comes; on loopback a server pays for waking whom it answers
  --idle N             connections of the row idle (10000)
  --soak N             requests of the row soak (10000000)
  --profile FOLDER     also write CPU profiles of the worker, and name the functions that cost most
  --write              update docs/benchmarks.md and its picture
  -o, --output FORMAT  table or json (table)
  -h, --help           this text

examples:
  npm run bench -- --quick
  npm run bench -- --rows depth1,depth100 --rounds 5 -o json
`;

/** Reads the flags. Throws one sentence for a flag that is unknown or a value that does not fit. */
export function parseSettings(argv: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...argv],
    allowPositionals: false,
    allowNegative: true,
    options: {
      rows: { type: 'string' },
      quick: { type: 'boolean', default: false },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      connections: { type: 'string' },
      loads: { type: 'string' },
      awake: { type: 'boolean', default: true },
      idle: { type: 'string' },
      soak: { type: 'string' },
      profile: { type: 'string' },
      write: { type: 'boolean', default: false },
      output: { type: 'string', short: 'o', default: 'table' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const base = values.quick ? QUICK : FULL;
  const { output } = values;
  if (output !== 'table' && output !== 'json') throw new Error(`--output is "${output}"; it is table or json`);
  const settings: Settings = {
    rows: values.rows === undefined ? base.rows : parseRows(values.rows),
    seconds: number('seconds', values.seconds, base.seconds, 0.05, 600),
    rounds: whole('rounds', values.rounds, base.rounds, 1, 100),
    connections: whole('connections', values.connections, 400, 1, 10_000),
    loads: whole('loads', values.loads, Math.max(1, availableParallelism() - 1), 1, 64),
    awake: values.awake,
    idle: whole('idle', values.idle, 10_000, 1, 100_000),
    soak: whole('soak', values.soak, 10_000_000, 1000, 1_000_000_000),
    output,
    write: values.write,
    profile: values.profile,
    help: values.help,
  };
  if (settings.loads > settings.connections) return { ...settings, loads: settings.connections };
  return settings;
}

function parseRows(text: string): RowName[] {
  return text.split(',').map((word) => {
    const name = rowNames.find((known) => known === word.trim());
    if (name === undefined) throw new Error(`--rows names "${word}"; rows are ${rowNames.join(', ')}`);
    return name;
  });
}

function number(flag: string, text: string | undefined, otherwise: number, min: number, max: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() === '' || !(value >= min && value <= max))
    throw new Error(`--${flag} is "${text}"; it is a number from ${min} to ${max}`);
  return value;
}

function whole(flag: string, text: string | undefined, otherwise: number, min: number, max: number): number {
  const value = number(flag, text, otherwise, min, max);
  if (!Number.isInteger(value)) throw new Error(`--${flag} is "${text}"; it is a whole number from ${min} to ${max}`);
  return value;
}
