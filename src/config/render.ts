// What is made of the table of options for people and editors: the docs page, a sample, a JSON schema.

import { optionKeys, optionOf } from './options.ts';
import { z } from './z.ts';

export { renderDocs } from './render-docs.ts';
export { renderSample } from './sample.ts';

/** JSON schema of a node's configuration, for editors. */
export function renderJsonSchema(): Record<string, unknown> {
  const properties = optionKeys.map((key) => {
    const { kind, doc, default: value, defaultText } = optionOf(key);
    const schema = textToo(z.toJSONSchema(kind.inNode ?? kind.written, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
    return [key, { description: doc, ...schema, ...(value !== undefined && defaultText === undefined && { default: value }) }] as const;
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'kimserver node',
    description: 'Configuration of one kimserver node, with the keys of co_kimserver.',
    type: 'object',
    properties: Object.fromEntries(properties),
    required: optionKeys.filter((key) => optionOf(key).default === undefined),
  };
}

interface JsonSchema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | false;
  readonly items?: JsonSchema;
  readonly [other: string]: unknown;
}

/** Numbers may be texts, as in the original; and each property needs no $schema of its own, nor hints for Kubernetes. */
function textToo(schema: JsonSchema): JsonSchema {
  const { $schema: _version, kubernetes: _hints, ...rest } = schema;
  return {
    ...rest,
    ...(rest.type === 'integer' && { type: ['integer', 'string'] }),
    ...(rest.properties && { properties: mapValues(rest.properties, textToo) }),
    ...(rest.additionalProperties && { additionalProperties: textToo(rest.additionalProperties) }),
    ...(rest.items && { items: textToo(rest.items) }),
  };
}

function mapValues<V>(object: Readonly<Record<string, V>>, change: (value: V) => V): Record<string, V> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
