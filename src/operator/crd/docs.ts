// docs/kimcluster.md: every field of a KimCluster in tables, from its definition.

import { markdownTable } from '../../config/markdown.ts';
import { clusterSchema, columns } from './crd.ts';
import type { Schema } from './structural.ts';

/** What has a table of its own; everything else stands in the table of what it is in. */
const SECTIONS = [
  'spec',
  'spec.gate',
  'spec.gate.listeners[]',
  'spec.gate.routes[]',
  'spec.gate.limits',
  'spec.gate.links',
  'spec.gate.sessions',
  'spec.gate.service',
  'spec.gate.resources',
  'spec.gate.update',
  'spec.gate.template',
  'spec.logic',
  'spec.discovery',
  'spec.discovery.zookeeper',
  'spec.discovery.zookeeper.managed',
  'status',
  'status.gate',
  'status.logic',
] as const;

/** Where the same is told already. */
const SAME: Readonly<Record<string, string>> = {
  'spec.logic': 'spec.gate',
  'spec.discovery.zookeeper.managed.resources': 'spec.gate.resources',
  'spec.discovery.zookeeper.managed.template': 'spec.gate.template',
  'status.logic': 'status.gate',
};

/** docs/kimcluster.md, whole. */
export function renderClusterDocs(): string {
  const root = clusterSchema();
  const sections = SECTIONS.filter((path) => SAME[path] === undefined).map((path) => section(path, at(root, path)));
  const shown = markdownTable(
    ['column', 'meaning'],
    columns.map(({ name, description, priority = 0 }) => [name, `${description}${priority > 0 ? ' With `-o wide`.' : ''}`]),
  );
  return [INTRO, ...sections, `## Columns of "kubectl get kim"\n\n${shown}`].map((part) => `${part.trim()}\n`).join('\n');
}

function section(path: string, schema: Schema): string {
  const rows: string[][] = [];
  const refusals: string[] = [];
  const walk = (inner: Schema, name: string, isRequired: boolean): void => {
    const elsewhere = name === '' ? undefined : linkTo(`${path}.${name}`);
    if (elsewhere !== undefined) return void rows.push(row(inner, name, isRequired, elsewhere));
    for (const { message } of inner['x-kubernetes-validations'] ?? []) {
      if (!message.startsWith(ALLOWED)) refusals.push(`${name === '' ? '' : `\`${name}\`: `}${message}`);
    }
    if (name !== '' && inner.properties === undefined) rows.push(row(inner, name, isRequired));
    for (const [key, value] of Object.entries(inner.properties ?? {})) walk(value, join(name, key), isNeeded(inner, key));
    if (inner.items?.properties !== undefined) walk(inner.items, `${name}[]`, false);
  };
  walk(schema, '', true);
  const isStatus = path.startsWith('status');
  const table = isStatus
    ? markdownTable(
        ['field', 'meaning'],
        rows.map(([name = '', , , meaning = '']) => [name, meaning]),
      )
    : markdownTable(HEAD, rows);
  const list = refusals.length === 0 ? '' : `\nRefused with these words:\n\n${refusals.map((refusal) => `- ${refusal}`).join('\n')}\n`;
  return `## ${path}\n\n${schema.description}\n\n${table}\n${list}`;
}

const ALLOWED = 'allowed: ';
const HEAD = ['field', 'value', 'default', 'meaning'];

function join(name: string, key: string): string {
  return name === '' ? key : `${name}.${key}`;
}

function isNeeded({ required = [] }: Schema, key: string): boolean {
  return required.includes(key);
}

/** The section in which a field is told, if that is another one. */
function linkTo(path: string): string | undefined {
  const same = SAME[path] ?? path;
  return [same, `${same}[]`].find((candidate) => (SECTIONS as readonly string[]).includes(candidate));
}

function row(schema: Schema, name: string, isRequired: boolean, elsewhere?: string): string[] {
  const value = elsewhere === undefined ? takes(schema) : `see [${elsewhere}](#${anchor(elsewhere)})`;
  const isShown = schema.default !== undefined && typeof schema.default !== 'object';
  const meaning = schema.description?.replace(/ One of [^.]+, in any case\.$/, '') ?? '';
  return [
    `\`${name}\``,
    value,
    isShown ? `\`${JSON.stringify(schema.default).replaceAll('"', '')}\`` : isRequired ? '**must be given**' : '',
    meaning,
  ];
}

/** As GitHub makes them. */
function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^a-z0-9 -]/g, '');
}

function takes(schema: Schema): string {
  const { type = 'object', items, minimum, maximum } = schema;
  const allowed = (schema['x-kubernetes-validations'] ?? []).map(({ message }) => message).find((message) => message.startsWith(ALLOWED));
  if (allowed !== undefined) return allowed.slice(ALLOWED.length);
  if (schema.enum !== undefined) return schema.enum.map(String).join(', ');
  if (schema['x-kubernetes-int-or-string'] === true) return 'a number or a text';
  if (items !== undefined) return items.type === 'object' ? 'a list of objects' : 'a list of texts';
  if (schema.additionalProperties !== undefined) return 'an object with keys of your own';
  const range = minimum === undefined ? '' : ` from ${minimum}${maximum === undefined ? '' : ` to ${maximum}`}`;
  const words = {
    object: 'an object',
    array: 'a list',
    string: 'a text',
    integer: 'whole numbers',
    number: 'numbers',
    boolean: 'true or false',
  };
  return `${words[type]}${range}`;
}

function at(schema: Schema, path: string): Schema {
  return path.split('.').reduce<Schema>((inner, step) => {
    const found = inner.properties?.[step.replace('[]', '')] ?? {};
    return step.endsWith('[]') ? (found.items ?? {}) : found;
  }, schema);
}

const INTRO = `# KimCluster

A cluster of kimserver as one object of Kubernetes: \`kubectl apply -f\` it, \`kubectl get kim\` shows it, \`kubectl explain kimcluster.spec.gate\` tells what stands below. The same file runs on one machine with \`npm run up\`, which says of every field that it has no use for.

The API server refuses what is not allowed here and names the field and the rule; \`kim config check FILE --kubernetes\` says the same with the line, before anybody applies it. Times are numbers of milliseconds or texts like \`500ms\`, \`30s\`, \`1m30s\`; sizes are numbers of bytes or texts like \`64KiB\`, \`8MiB\`. What is left out is filled in with its default, and \`kubectl get kim -o yaml\` shows it.

\`\`\`yaml
apiVersion: kimserver.io/v1alpha1
kind: KimCluster
metadata:
  name: demo
spec:
  gate:
    replicas: 3
    workers: 2
    listeners: [{ port: 3355 }]
    service: { type: LoadBalancer }
  logic:
    replicas: 5
    modules: [test, ./shop.ts]
  modules: { image: images.example.com/shop-modules:7 }
  discovery:
    zookeeper: { managed: { replicas: 3 } }
    kubernetes: {}
\`\`\`

\`spec.logic\` has the same fields as [spec.gate](#specgate), but for listeners, routes and service. \`metadata.name\` has at most 40 characters, because what is made of the cluster has its name and more behind it.`;
