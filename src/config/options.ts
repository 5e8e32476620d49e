// The table of options: each declared once. Types, reading, environment, flags, docs, sample and JSON schema all come from here.

import { clusterOptions } from './cluster-options.ts';
import type { Option, Values } from './field.ts';
import { limitOptions } from './limit-options.ts';
import { nodeOptions } from './node-options.ts';
import { storeOptions } from './store-options.ts';

export const options = { ...nodeOptions, ...limitOptions, ...clusterOptions, ...storeOptions };

export type OptionKey = keyof typeof options;

/** The configuration of a node, read and complete: keys of co_kimserver, times in milliseconds, sizes in bytes. */
export type NodeConfig = Values<typeof options>;

export const optionKeys = Object.keys(options) as readonly OptionKey[];

/** The option of a key, for code that goes through all of them. */
export function optionOf(key: OptionKey): Option<unknown> {
  return options[key];
}
