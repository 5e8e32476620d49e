// Values that come over the file: KIM_ variables of the environment, and --set of the command line.

import type { Problem } from './error.ts';
import { objectOf, type RawObject } from './groups.ts';
import { nearest } from './nearest.ts';
import { optionKeys, type OptionKey } from './options.ts';

/** A value for one path, as text; `from` names the variable or flag. */
export interface Override {
  readonly path: readonly [OptionKey, ...string[]];
  readonly text: string;
  readonly from: string;
}

const PREFIX = 'KIM_';
/** A part of an option that is a secret has a variable of its own: in JSON it would have to be quoted, which nobody does who only hands it on. */
export const AUTH_VARIABLE = 'KIM_ZOOKEEPER_AUTH';
/** A Service named kim, or kim-gate, makes Kubernetes set these in every pod of its namespace; they are not meant for us. */
const SERVICE_VARIABLE = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;

/** The variable of an option: KIM_WORKER_CNT for worker_cnt. */
export function variableOf(key: OptionKey): string {
  return PREFIX + key.toUpperCase();
}

/** What the environment sets. An empty variable counts as not set; a KIM_ variable that no option has becomes a note. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): { overrides: Override[]; notes: string[] } {
  const overrides: Override[] = [];
  const inside: Override[] = [];
  const notes: string[] = [];
  const known = new Map(optionKeys.map((key) => [variableOf(key), key]));
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || text === undefined || text === '') continue;
    if (SERVICE_VARIABLE.test(name) || (name.endsWith('_PORT') && SERVICE_ADDRESS.test(text))) continue;
    const key = known.get(name);
    if (name === AUTH_VARIABLE) {
      inside.push({ path: ['zookeeper', 'auth'], text, from: name });
      continue;
    }
    if (key !== undefined) {
      overrides.push({ path: [key], text, from: name });
      continue;
    }
    const near = nearest(name.slice(PREFIX.length), optionKeys);
    notes.push(`environment variable ${name} is not known${near === undefined ? '' : `; did you mean ${variableOf(near as OptionKey)}`}`);
  }
  return { overrides: [...overrides, ...inside], notes };
}

/** What `--set key=value` sets; `redis.test.port=6380` reaches into an option. Whoever types a wrong key wants to know at once. */
export function fromFlags(set: readonly string[]): { overrides: Override[]; problems: Problem[] } {
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const entry of set) {
    const equals = entry.indexOf('=');
    // The text after "=" may be a password, so only what stands before it is repeated.
    const path = (equals < 0 ? entry : entry.slice(0, equals)).trim();
    const [key = '', ...rest] = path.split('.');
    if (equals < 0) problems.push({ path, message: `--set ${path} has no value; write --set ${path}=VALUE` });
    else if (isKey(key) && rest.every((part) => part !== ''))
      overrides.push({ path: [key, ...rest], text: entry.slice(equals + 1), from: '--set' });
    else {
      const near = nearest(key, optionKeys);
      problems.push({ path, message: `--set ${path} names no option${near === undefined ? '' : `; did you mean ${near}`}` });
    }
  }
  return { overrides, problems };
}

/** The object with the overrides in it, the later ones winning; what was given stays as it is. */
export function withOverrides(raw: RawObject, overrides: readonly Override[]): RawObject {
  return overrides.reduce((object, { path, text }) => put(object, path, text), raw);
}

function put(raw: RawObject, [key, ...rest]: readonly [string, ...string[]], text: string): RawObject {
  const [next, ...further] = rest;
  if (next === undefined) return { ...raw, [key]: text };
  return { ...raw, [key]: put(objectOf(raw[key]) ?? {}, [next, ...further], text) };
}

function isKey(key: string): key is OptionKey {
  return (optionKeys as readonly string[]).includes(key);
}
