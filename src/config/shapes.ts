// Pieces that the schema of a KimCluster is made of, each with the sentence that says what is allowed.

import { hinted, patterned, ruled, type Rule } from './rules.ts';
import { z } from './z.ts';

/** What a cluster, and a port, may be called. */
export const clusterNamePattern = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** What is made of a cluster has its name and more behind it, and may have 63 characters itself. */
export const MAX_CLUSTER_NAME = 40;
/** Names of ports have at most so many. */
const MAX_PORT_NAME = 15;
/** No text of a KimCluster is longer. */
const MAX_TEXT = 1000;
const MAX_ENTRIES = 64;

function matching(type: z.ZodString, pattern: RegExp, error: string): z.ZodString {
  return patterned(type.regex(pattern, { error }), pattern.source, error);
}

/** Exactly this text. */
export function literal<T extends string>(value: T) {
  return z.literal(value, { error: value });
}

/** One of these words, exactly. */
export function word<W extends string>(...words: readonly [W, ...W[]]) {
  return z.enum(words, { error: words.join(', ') });
}

function label(max: number) {
  const error = `small letters, digits and "-", at most ${max}, with a letter first and a letter or digit last`;
  return matching(z.string({ error }).max(max, { error }), clusterNamePattern, error);
}

/** The name of a cluster, which begins those of all that is made of it. */
export const clusterName = () => label(MAX_CLUSTER_NAME);

/** The name of a port, in a pod and in a Service. */
export const portName = () => label(MAX_PORT_NAME);

/** The name of something that is there already: a Secret, a class. */
export function objectName(what: string) {
  const error = `the name of ${what}: small letters, digits, "-" and ".", at most 253`;
  return matching(z.string({ error }).max(253, { error }), SUBDOMAIN, error);
}

/** An object with these keys and no others. */
export function object<S extends z.ZodRawShape>(shape: S) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, { error: keys === '' ? '{} (an object without keys)' : `an object with ${keys}` });
}

/** Any text that is not empty. */
export function text(what: string, { max = MAX_TEXT, pattern }: { max?: number; pattern?: RegExp } = {}) {
  const type = z.string({ error: what }).min(1, { error: what }).max(max, { error: what });
  return pattern === undefined ? type : matching(type, pattern, what);
}

/** An image, as a kubelet pulls it. */
export const image = () => text('an image like images.example.com/kimserver:1.2.3, without spaces', { max: 512, pattern: /^\S+$/ });

/** A whole number. */
export function number(min: number, max: number, what = 'whole numbers') {
  const error = `${what} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** True or false. */
export const flag = () => z.boolean({ error: 'true or false' });

/** Handed to Kubernetes as it is, which knows more keys than are named here. */
export function passed<S extends z.ZodRawShape>(what: string, shape: S = {} as S) {
  return z.looseObject(shape, { error: `an object: ${what}` });
}

/** A list of at most `max`. */
export function listOf<S extends z.ZodType>(item: S, what: string, max = MAX_ENTRIES) {
  const error = `a list of ${what} (at most ${max})`;
  return z.array(item, { error }).max(max, { error });
}

/** A list in which each has another `key`, so that several writers can own entries of it. */
export function listBy<K extends string, S extends z.ZodType<Readonly<Record<K, unknown>>>>(
  key: K,
  item: S,
  what: string,
  max = MAX_ENTRIES,
) {
  const list = listOf(item, what, max).superRefine((values, context) => {
    const keys = values.map((value) => value[key]);
    const i = keys.findIndex((value, at) => keys.indexOf(value) < at);
    if (i >= 0) context.addIssue({ code: 'custom', path: [i, key], message: `${what}, each with another ${key}` });
  });
  return hinted(list, { schema: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] } });
}

/** Texts under keys that the user chooses. */
export function texts(what: string, { max = MAX_ENTRIES, value = z.string() }: { max?: number; value?: z.ZodString } = {}) {
  const error = `${what}: texts (at most ${max})`;
  const type = z.record(z.string(), value, { error }).refine((entries) => Object.keys(entries).length <= max, { error });
  return hinted(type, { schema: { maxProperties: max } });
}

/** The operator tells its objects by these. */
const OURS = ['app.kubernetes.io/', 'kimserver.io/'] as const;

const notOurs: Rule<Readonly<Record<string, string>>> = {
  rule: `self.all(key, ${OURS.map((prefix) => `!key.startsWith('${prefix}')`).join(' && ')})`,
  message: `keys that begin with ${OURS.join(' or ')} belong to the operator; take others`,
  holds: (entries) => Object.keys(entries).every((key) => !OURS.some((prefix) => key.startsWith(prefix))),
};

const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const labelError = 'at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends, or empty';

/** Labels for what is made of a cluster. */
export function labels() {
  const value = matching(z.string({ error: labelError }).max(63, { error: labelError }), LABEL_VALUE, labelError);
  return ruled(texts('labels', { value }), [notOurs]);
}

/** Annotations for what is made of a cluster. */
export function annotations() {
  const error = 'texts of at most 4096 characters';
  return ruled(texts('annotations', { value: z.string({ error }).max(4096, { error }) }), [notOurs]);
}
