// From the table of values to the files of the chart: values.yaml, values.schema.json, and the table of its README.

import { markdownTable } from '../../../src/config/markdown.ts';
import type { Schema, Value } from './shapes.ts';

type Values = Readonly<Record<string, Value>>;

const WIDTH = 130;

/** values.yaml: each value under a comment that says what it means. */
export function renderValues(values: Values): string {
  return `${Object.entries(values)
    .map(([name, value]) => lines(name, value, '').join('\n'))
    .join('\n\n')}\n`;
}

function lines(name: string, value: Value, indent: string): string[] {
  const comment = wrap(value.doc, WIDTH - indent.length).map((line) => `${indent}# ${line}`);
  if (value.kind === 'leaf') return [...comment, `${indent}${name}:${yaml(value.default, indent)}`];
  return [...comment, `${indent}${name}:`, ...Object.entries(value.values).flatMap(([key, inner]) => lines(key, inner, `${indent}  `))];
}

function yaml(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return ` ${scalar(value)}`;
  if (Array.isArray(value)) return ` [${value.map(scalar).join(', ')}]`;
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length === 0) return ' {}';
  return entries.map(([key, inner]) => `\n${indent}  ${key}:${yaml(inner, `${indent}  `)}`).join('');
}

/** Words as they are; what YAML could take for something else, in quotes. */
function scalar(value: unknown): string {
  return typeof value === 'string' && !/^(?!(true|false|null|yes|no|on|off)$)[A-Za-z/][-\w/.]*$/.test(value)
    ? JSON.stringify(value)
    : String(value);
}

function wrap(text: string, width: number): string[] {
  const out: string[] = [];
  for (const word of text.split(' ')) {
    const last = out.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width - 2) out[out.length - 1] = `${last} ${word}`;
    else out.push(word);
  }
  return out;
}

/** values.schema.json: names that are not in the table are refused, but below what is handed through to Kubernetes. */
export function valuesSchema(values: Values): Schema {
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...groupSchema('Values of the chart kimserver.', values) };
}

function groupSchema(description: string, values: Values): Schema {
  return {
    description,
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        value.kind === 'group' ? groupSchema(value.doc, value.values) : { description: value.doc, ...value.schema, default: value.default },
      ]),
    ),
  };
}

/** A row for each value, the groups among them as the front part of its name. */
export function valuesTable(values: Values): string {
  return markdownTable(['value', 'default', 'meaning'], rows(values, ''));
}

function rows(values: Values, front: string): string[][] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = `${front}${name}`;
    if (value.kind === 'group') return [[`**${path}**`, '', value.doc], ...rows(value.values, `${path}.`)];
    return [[`\`${path}\``, `\`${JSON.stringify(value.default)}\``, value.doc]];
  });
}
