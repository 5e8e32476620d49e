// Kinds of values of the chart: each has a meaning for people, a schema for Helm, and a default.

/** As much of JSON Schema as the chart needs. */
export type Schema = Readonly<Record<string, unknown>>;

/** A value, or a group of them whose names are known. */
export type Value = Leaf | Group;

export interface Leaf {
  readonly kind: 'leaf';
  readonly doc: string;
  readonly schema: Schema;
  readonly default: unknown;
}

export interface Group {
  readonly kind: 'group';
  readonly doc: string;
  readonly values: Readonly<Record<string, Value>>;
}

const leaf = (schema: Schema, value: unknown, doc: string): Leaf => ({ kind: 'leaf', doc, schema, default: value });

const NAME = '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$';
const TEXTS: Schema = { type: 'object', additionalProperties: { type: 'string' } };

export const text = (value: string, doc: string, schema: Schema = {}): Leaf => leaf({ type: 'string', ...schema }, value, doc);
export const flag = (value: boolean, doc: string): Leaf => leaf({ type: 'boolean' }, value, doc);
export const word = (words: readonly string[], value: string, doc: string): Leaf => leaf({ type: 'string', enum: words }, value, doc);
export const integer = (minimum: number, maximum: number, value: number, doc: string): Leaf =>
  leaf({ type: 'integer', minimum, maximum }, value, doc);
/** Names of objects; empty stands for one that the chart makes. */
export const nameOrEmpty = (doc: string): Leaf => text('', doc, { maxLength: 63, pattern: `^$|${NAME}` });
export const names = (doc: string): Leaf =>
  leaf({ type: 'array', uniqueItems: true, items: { type: 'string', maxLength: 63, pattern: NAME } }, [], doc);
/** Labels, annotations: whatever texts by name. */
export const texts = (doc: string, value: Readonly<Record<string, string>> = {}): Leaf => leaf(TEXTS, value, doc);
/** Handed through to Kubernetes, which judges it. */
export const passedObject = (doc: string, value: object = {}): Leaf => leaf({ type: 'object' }, value, doc);
export const passedList = (doc: string): Leaf => leaf({ type: 'array', items: { type: 'object' } }, [], doc);
export const listOfTexts = (doc: string): Leaf => leaf({ type: 'array', items: { type: 'string' } }, [], doc);
/** As { name: secret }. */
export const secrets = (doc: string): Leaf =>
  leaf(
    {
      type: 'array',
      items: { type: 'object', additionalProperties: false, required: ['name'], properties: { name: { type: 'string', pattern: NAME } } },
    },
    [],
    doc,
  );
/** A number of pods, a share of them, or empty. */
export const podsOrEmpty = (doc: string): Leaf =>
  leaf(
    {
      anyOf: [
        { type: 'integer', minimum: 0 },
        { type: 'string', pattern: '^$|^(100|[1-9]?[0-9])%$' },
      ],
    },
    '',
    doc,
  );
/** Objects, or texts with YAML that may hold templates. */
export const objectsOrTexts = (doc: string): Leaf => leaf({ type: 'array', items: { type: ['object', 'string'] } }, [], doc);

export const group = (doc: string, values: Readonly<Record<string, Value>>): Group => ({ kind: 'group', doc, values });
