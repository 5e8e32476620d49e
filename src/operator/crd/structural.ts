// From a schema of ours to the one that Kubernetes takes: OpenAPI v3, structural, with rules in CEL. Pure.

import type { Expression, Hints } from '../../config/rules.ts';
import { z } from '../../config/z.ts';

/** A node of a structural schema. */
export interface Schema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Expression[];
}

/** What zod makes of a schema. */
interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly kubernetes?: Hints;
  readonly [keyword: string]: unknown;
}

const INT32 = 2 ** 31 - 1;

/** Keywords that mean the same in both, in the order in which people read them. */
const SAME = [
  'description',
  'type',
  'format',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'maxProperties',
] as const;
const KUBERNETES = [
  'x-kubernetes-int-or-string',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
] as const;

/** The structural schema of what may be written where this type is read. */
export function structural(type: z.ZodType): Schema {
  return node(z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
}

function node(json: JsonSchema): Schema {
  const { rules = [], default: shown = json['default'], schema = {} } = json.kubernetes ?? {};
  const keywords: Record<string, unknown> = { ...json, ...(json.const !== undefined && { enum: [json.const] }), ...schema };
  // lists whose entries have no names belong to one writer as a whole
  if (json.type === 'array') keywords['x-kubernetes-list-type'] ??= 'atomic';
  if (keywords['x-kubernetes-int-or-string'] === true) delete keywords['type'];
  if (keywords['enum'] === null)
    keywords['description'] = `${json.description ?? ''} One of ${(json.enum ?? []).join(', ')}, in any case.`.trim();
  const inner = insides(json);
  return {
    ...picked(keywords, SAME),
    ...(json.type === 'integer' && integer(keywords)),
    ...(json.type !== 'integer' && picked(keywords, ['minimum', 'maximum'])),
    ...(shown !== undefined && { default: completed(shown, inner) }),
    ...picked(keywords, ['required']),
    ...inner,
    ...picked(keywords, KUBERNETES),
    ...(rules.length > 0 && { 'x-kubernetes-validations': rules }),
  };
}

/** A default is judged before the defaults inside it are filled in, so it has to be whole. */
function completed(value: unknown, { properties = {} }: Schema): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const inside = Object.entries(properties).flatMap(([key, schema]) =>
    schema.default === undefined ? [] : [[key, schema.default] as const],
  );
  return { ...Object.fromEntries(inside), ...value };
}

function picked(keywords: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.filter((name) => keywords[name] !== undefined && keywords[name] !== null).map((name) => [name, keywords[name]]),
  );
}

/** Every integer of JavaScript has limits, which say nothing where they are those of all integers. */
function integer({ minimum, maximum }: Readonly<Record<string, unknown>>): Schema {
  const limits = {
    ...(typeof minimum === 'number' && minimum > Number.MIN_SAFE_INTEGER && { minimum }),
    ...(typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER && { maximum }),
  };
  return { format: (limits.maximum ?? INT32 + 1) > INT32 ? 'int64' : 'int32', ...limits };
}

function insides({ properties, additionalProperties, items, type }: JsonSchema): Schema {
  if (items !== undefined) return { items: node(items) };
  if (type !== 'object') return {};
  const known = Object.entries(properties ?? {}).map(([key, inner]) => [key, node(inner)] as const);
  // a map has values of one kind, an open object may hold anything
  const isOpen = typeof additionalProperties === 'object' && Object.keys(additionalProperties).length === 0;
  if (known.length === 0 && typeof additionalProperties === 'object' && !isOpen) {
    return { additionalProperties: node(additionalProperties) };
  }
  return {
    ...(known.length > 0 && { properties: Object.fromEntries(known) }),
    ...(isOpen && { 'x-kubernetes-preserve-unknown-fields': true }),
  };
}
