// kim modules list: what modules there are, and what each answers.

import { relative } from 'node:path';
import { exitCodes } from '../../node/exit-codes.ts';
import { shipped } from '../../modules/index.ts';
import { Stats } from '../../ops/stats.ts';
import { findModule, loadModules } from '../../route/load.ts';
import type { Module } from '../../route/module.ts';
import { Router } from '../../route/router.ts';
import { readConfigurationFile, type ConfigFile } from '../config-file.ts';
import { painter, table } from '../terminal.ts';

interface ListOptions {
  output: 'text' | 'json';
}

interface Row {
  name: string;
  /** `shipped`, or the file. */
  from: string;
  commands: number[];
  /** Whether it gets every command that nobody claims. */
  fallback: boolean;
  hooks: string[];
  /** Nodes or tiers of the configuration. */
  usedBy: string[];
}

const HOOKS = ['start', 'stop', 'use', 'connected', 'disconnected', 'expired'] as const;
const MAX_SHOWN = 8;

export async function runModulesList([name]: readonly string[], { output }: ListOptions): Promise<number> {
  const rows = new Map<string, Row>();
  for (const module of Object.keys(shipped)) await add(rows, module, '.');
  const problems = name === undefined ? [] : await addConfigured(rows, readConfigurationFile(name));
  const modules = [...rows.values()];
  if (output === 'json') process.stdout.write(`${JSON.stringify({ modules, problems }, undefined, 2)}\n`);
  else {
    process.stdout.write(`${lines(modules, name !== undefined).join('\n')}\n`);
    for (const problem of problems) process.stderr.write(`kim: ${problem}\n`);
  }
  return problems.length === 0 ? exitCodes.ok : exitCodes.crashed;
}

/** Returns what keeps the nodes from running with their modules, as sentences. */
async function addConfigured(rows: Map<string, Row>, { nodes, folder }: ConfigFile): Promise<string[]> {
  const problems: string[] = [];
  for (const { label, config } of nodes) {
    const modules: Module[] = [];
    for (const name of config.modules) {
      try {
        const { row, module } = await add(rows, name, folder);
        row.usedBy.push(label);
        modules.push(module);
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
    try {
      new Router(modules, new Stats());
    } catch (error) {
      problems.push(`${label}: ${(error as Error).message}`);
    }
  }
  return problems;
}

async function add(rows: Map<string, Row>, name: string, folder: string): Promise<{ row: Row; module: Module }> {
  const source = findModule(name, folder, shipped);
  const from = source.kind === 'shipped' ? 'shipped' : relative('.', source.file);
  const [module] = await loadModules([name], folder, shipped);
  const key = `${from} ${module!.name}`;
  const row = rows.get(key) ?? rowOf(module!, from);
  rows.set(key, row);
  return { row, module: module! };
}

function rowOf(module: Module, from: string): Row {
  return {
    name: module.name,
    from,
    commands: Object.keys(module.commands ?? {}).map(Number),
    fallback: module.fallback !== undefined,
    hooks: HOOKS.filter((hook) => module[hook] !== undefined),
    usedBy: [],
  };
}

function lines(modules: readonly Row[], hasConfig: boolean): string[] {
  const columns = ['MODULE', 'FROM', 'COMMANDS', 'HOOKS', ...(hasConfig ? ['USED BY'] : [])].map((title) => ({ title }));
  const rows = modules.map(({ name, from, commands, fallback, hooks, usedBy }) => [
    name,
    from,
    commandText(commands, fallback),
    hooks.join(', ') || '-',
    ...(hasConfig ? [usedBy.join(', ') || '-'] : []),
  ]);
  return table(columns, rows, painter(process.stdout.isTTY));
}

function commandText(commands: readonly number[], fallback: boolean): string {
  const shown = commands.slice(0, MAX_SHOWN).map(String);
  const hidden = commands.length - shown.length;
  const others = [...(hidden > 0 ? [`${hidden} more`] : []), ...(fallback ? [commands.length === 0 ? 'all' : 'all others'] : [])];
  return [...shown, ...others].join(', ') || '-';
}
