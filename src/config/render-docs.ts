// docs/configuration.md: every option in a table, from the declarations.

import { clusterJsonSchema } from './cluster.ts';
import { partPath, takes, type Field } from './field.ts';
import { markdownTable } from './markdown.ts';
import { optionKeys, optionOf, type OptionKey } from './options.ts';
import { variableOf } from './overrides.ts';
import { renderSample } from './sample.ts';

/** docs/configuration.md, whole. */
export function renderDocs(): string {
  const sections = Map.groupBy(optionKeys, (key) => optionOf(key).section);
  return [
    INTRO,
    ...[...sections].map(([section, keys]) => `## ${section}\n\n${markdownTable(HEAD, keys.flatMap(rowsOf))}`),
    `## A KimCluster\n\n${CLUSTER_INTRO}\n\n${markdownTable(['key', 'value', 'default', 'meaning'], clusterRows())}`,
    `## Historic names and shapes\n\n${HISTORY}\n\nKeys of co_kimserver: ${historicKeys()}. All others are ours.`,
    `## Environment\n\n${ENVIRONMENT}\n\n${optionKeys.map((key) => `\`${variableOf(key)}\``).join(', ')}`,
    `## Sample\n\nThe configuration of a gate in co_kimserver's shape; \`kim node FILE\` runs it.\n\n\`\`\`json\n${renderSample()}\`\`\``,
  ]
    .map((part) => `${part.trim()}\n`)
    .join('\n');
}

function historicKeys(): string {
  return optionKeys
    .filter((key) => optionOf(key).historic === true)
    .map((key) => `\`${key}\``)
    .join(', ');
}

const HEAD = ['key', 'in a tier of a KimCluster', 'value', 'default', 'unit', 'change', 'meaning'];

function rowsOf(key: OptionKey): string[][] {
  const option = optionOf(key);
  const parts = option.kind.parts ?? [];
  const row = (path: string, field: Field<unknown>, value: string) => [
    `\`${path}\``,
    option.path === undefined ? '' : `\`${option.path}\``,
    value,
    defaultOf(field),
    field.unit ?? '',
    option.apply,
    field.doc,
  ];
  const own = row(key, option, takes(option.kind));
  return [own, ...parts.map(([path, field]) => row(partPath(key, path), field, field.kind.allowed))];
}

function defaultOf({ default: value, defaultText, kind }: Field<unknown>): string {
  if (defaultText !== undefined) return defaultText;
  if (value === undefined) return '**must be given**';
  if (value === '') return 'empty';
  if (typeof value === 'object') return kind.parts === undefined || Array.isArray(value) ? 'none' : '';
  const human = typeof value === 'number' ? kind.human?.(value) : undefined;
  return `\`${JSON.stringify(value).replace(/^"|"$/g, '')}\`${human === undefined ? '' : ` (${human})`}`;
}

interface Schema {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** What only Kubernetes makes something of; docs/kimcluster.md has all of it. */
const ONLY_KUBERNETES =
  /^metadata\.(?!name$)|\.(template|service|resources|update|disruptionBudget|networkPolicy|monitoring|stores|managed|authSecret|deletionPolicy|image\w*)\b/;

/** The keys of a KimCluster that are not options of a node and have a meaning on one machine, from its own schema. */
function clusterRows(): string[][] {
  const optionPaths = new Set(optionKeys.map((key) => optionOf(key).path));
  const rows: string[][] = [];
  const walk = (schema: Schema, path: string, isRequired: boolean) => {
    const inTier = path.replace(/^spec\.(gate|logic)\./, '').replace('[]', '[0]');
    if ((optionPaths.has(inTier) && inTier !== 'drain.seconds') || ONLY_KUBERNETES.test(path)) return;
    const isLeaf = schema.properties === undefined || Object.keys(schema.properties).length === 0;
    if (isLeaf && path !== 'status')
      rows.push([`\`${path}\``, valueOf(schema), schemaDefault(schema, isRequired), schema.description ?? '']);
    for (const [key, inner] of Object.entries(schema.properties ?? {})) {
      walk(inner, path === '' ? key : `${path}.${key}`, schema.required?.includes(key) === true);
    }
    if (schema.items !== undefined) walk(schema.items, `${path}[]`, true);
  };
  const root = clusterJsonSchema() as Schema;
  // The logic tier has the keys of the gate tier without listeners; one of them is enough to read.
  const { logic: _logic, ...spec } = root.properties?.['spec']?.properties ?? {};
  walk({ ...root, properties: { ...root.properties, spec: { ...root.properties?.['spec'], properties: spec } } }, '', true);
  return rows;
}

function valueOf({ type, const: constant, minimum, maximum }: Schema): string {
  if (constant !== undefined) return `\`${constant}\``;
  const range = minimum === undefined ? '' : ` from ${minimum} to ${maximum}`;
  const names: Readonly<Record<string, string>> = {
    string: 'a text',
    integer: 'whole numbers',
    number: 'numbers',
    array: 'a list',
    object: 'an object',
  };
  return (names[type ?? ''] ?? '') + range;
}

function schemaDefault({ default: value }: Schema, isRequired: boolean): string {
  if (value !== undefined) return `\`${JSON.stringify(value)}\``;
  return isRequired ? '**must be given**' : '';
}

const INTRO = `<!-- Made from src/config by "npm run generate". Change it there. -->

# Configuration

There are two ways to configure the same things:

- **a KimCluster** (YAML, \`kim up FILE\`): a whole cluster in one file, for one machine or for Kubernetes. \`manifests/quickstart.yaml\` is one. Unknown keys are errors.
- **a node** (JSON, \`kim node FILE\`): one process with its workers, in the keys of co_kimserver; its files work unchanged. Unknown keys are reported.

\`kim config check FILE\` says what is wrong, all at once and with lines. \`kim config print FILE\` shows what is in force, without secrets.

**Values.** In a node's file numbers may be texts ("3344"). Times are milliseconds and sizes are bytes; both may be written with a unit: \`500ms\`, \`30s\`, \`5m\`, \`1h\`, \`64KiB\`, \`8MiB\`, \`1GiB\`. Where 0 turns something off, the table says so.

**Order.** What a node's file says is overridden by the environment (\`KIM_WORKER_CNT=4\`), and that by flags (\`--set worker_cnt=4\`, also \`--set redis.test.port=6380\`).

**Changes** while a node runs, by the column "change":

| change | what happens |
| --- | --- |
| live | counts at once in running workers |
| roll | workers are replaced one by one and hand over their connections: nobody is disconnected |
| restart | only a new process has it |`;

const CLUSTER_INTRO = `The tables above name the place of each option in a tier, \`spec.gate\` or \`spec.logic\` (which has no listeners and may be absent); in a KimCluster numbers are numbers. The keys below are a KimCluster's own, those that mean something on one machine; [kimcluster.md](kimcluster.md) has all of its fields. Replicas count from 0: replica n listens on each port + n, so that all fit on one machine; clients reach every gate on the port of replica 0, too. Where the tables have \`timeout_ms\` of a route, it is \`timeout\` here. Without \`nodePort\` gates begin at 3344 and logic nodes at 4344.`;

const HISTORY = `The files of co_kimserver (both versions) and of kimserver before it are read as they are:

| what a file may hold | what it becomes |
| --- | --- |
| numbers as text, \`"3344"\` | the number; \`"12abc"\` is 12, with a note; \`"abc"\` is an error |
| \`keep_alive\` below 1000, also with a fraction | seconds, as in kimserver and in the README of both; with a note |
| \`log_level\`: \`notice\`; \`warning\`; \`err\`; \`alert\`, \`crit\`, \`emerg\`; in any case | \`info\`; \`warn\`; \`error\`; \`fatal\` |
| \`gate_codec\` in any case | \`protobuf\`; \`http\` and \`private\` are refused, as they never worked in co_kimserver |
| \`database.NODE\` beside or without \`database.nodes\` | \`database.nodes.NODE\` |
| \`zookeeper.nodes.root\` and \`zookeeper.payload.root\` | \`zookeeper.root\`, the folder above both; ZooKeeper counts as open |
| \`zookeeper.nodes.subscribe_node_type\` | \`zookeeper.watch_node_type\` |
| \`max_conn_cnt\` above its limit | the limit, with a note |
| no \`max_clients\`, \`redis\`, \`database\`, \`zookeeper\`, \`log_path\` or \`log_level\` | the default |
| \`module_test.so\`, \`module_gate.so\` | the module \`test\` that ships with kimserver; a route of all commands to \`logic\` by their data |`;

const ENVIRONMENT = `Each option has a variable: \`KIM_\` and its key in capitals. Lists are written with commas (\`KIM_MODULES=test,echo\`), objects as JSON; \`KIM_ZOOKEEPER_AUTH\` is \`zookeeper.auth\` as it is. An empty variable counts as not set; unknown variables that begin with \`KIM_\` are reported, but those that Kubernetes sets for a Service (\`KIM_GATE_PORT=tcp://...\`) are not.`;
