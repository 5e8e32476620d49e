// The reference of all options as people read it in a terminal. Pure.

import { partPath, takes, type Field } from '../config/field.ts';
import { optionKeys, optionOf, type OptionKey } from '../config/options.ts';
import { variableOf } from '../config/overrides.ts';
import { wrap, type Paint } from './terminal.ts';

const WIDTH = 80;
const INDENT = '    ';
const CHANGES = {
  live: 'a change counts at once',
  roll: 'a change replaces the workers one by one, closing no connection',
  restart: 'a change needs a new process',
} as const;

/** One line for each place where the file sets the option, such as `spec.gate.workers is 2`. */
export type SetIn = (key: OptionKey) => readonly string[];

/** With `setIn` only the options that it knows. */
export function optionLines(paint: Paint, setIn?: SetIn): string[] {
  const keys = setIn === undefined ? optionKeys : optionKeys.filter((key) => setIn(key).length > 0);
  const sections = Map.groupBy(keys, (key) => optionOf(key).section);
  return [...sections].flatMap(([section, members]) => [
    paint('bold', section.toUpperCase()),
    '',
    ...members.flatMap((key) => [...optionText(key, setIn?.(key) ?? [], paint), '']),
  ]);
}

function optionText(key: OptionKey, places: readonly string[], paint: Paint): string[] {
  const option = optionOf(key);
  const parts = option.kind.parts ?? [];
  const inCluster = option.path === undefined ? '' : `, in a tier of a KimCluster ${option.path}`;
  return [
    `${paint('cyan', key)}${inCluster}`,
    ...places.map((place) => `${INDENT}${paint('green', place)}`),
    ...indented(option.doc),
    ...indented(`Takes ${takes(option.kind)}; ${defaultText(option)}; ${CHANGES[option.apply]}.`),
    ...indented(`Environment: ${variableOf(key)}`),
    ...parts.flatMap(([path, field]) => [
      `${INDENT}${paint('cyan', partPath(key, path))}`,
      ...indented(`${field.doc} Takes ${field.kind.allowed}; ${defaultText(field)}.`, `${INDENT}${INDENT}`),
    ]),
  ];
}

function defaultText({ default: value, defaultText: said, kind, unit }: Field<unknown>): string {
  if (said !== undefined) return said.startsWith('must') ? said : `default: ${said}`;
  if (value === undefined) return 'must be given';
  if (value === '' || typeof value === 'object') return 'default: none';
  const human = typeof value === 'number' ? kind.human?.(value) : undefined;
  return `default ${human ?? `${typeof value === 'string' ? value : JSON.stringify(value)}${unit === undefined ? '' : ` (${unit})`}`}`;
}

function indented(text: string, indent = INDENT): string[] {
  return wrap(text, WIDTH - indent.length).map((line) => `${indent}${line}`);
}
