// Finds modules by the names of a configuration: shipped ones by name, users' own by path, the original's .so names as aliases.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { extname, isAbsolute, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Module } from './module.ts';
import { offerPublicApi } from './public-api.ts';
import { checkModule } from './router.ts';

/** Modules that come with the server, by name. */
export type Shipped = Readonly<Record<string, () => Promise<{ default: Module }>>>;

/** What a co_kimserver configuration calls its modules. Its module_gate.so is a route here, which the configuration makes of it. */
const ALIASES: Readonly<Record<string, string>> = { 'module_test.so': 'test' };
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs'];

export type ModuleSource = { kind: 'shipped'; name: string } | { kind: 'file'; file: string };

/** Beside a configuration, as in the original. */
const SUBFOLDER = 'modules';

/**
 * Where the module of that name comes from: a shipped name, or a path relative to `folder`, with its ending or without; a bare name is also
 * looked for in `folder`/modules. Throws a sentence with what there is.
 */
export function findModule(name: string, folder: string, shipped: Shipped): ModuleSource {
  const wanted = ALIASES[name] ?? name;
  if (Object.hasOwn(shipped, wanted)) return { kind: 'shipped', name: wanted };
  if (extname(name) === '.so') {
    throw new Error(
      `module "${name}" is a C++ library, which this server can not load; write it in TypeScript (docs/modules.md), or use one of: ` +
        [...Object.keys(ALIASES), ...Object.keys(shipped)].join(', '),
    );
  }
  const isBare = !name.includes('/');
  const paths = isAbsolute(name) ? [name] : isBare ? [resolve(folder, name), resolve(folder, SUBFOLDER, name)] : [resolve(folder, name)];
  for (const file of paths.flatMap(filesOf)) if (existsSync(file) && statSync(file).isFile()) return { kind: 'file', file };
  const own = isBare ? [...modulesIn(folder), ...modulesIn(join(folder, SUBFOLDER))] : [];
  throw new Error(
    `unknown module "${name}" in modules; installed: ${[...Object.keys(shipped), ...own].join(', ')}; looked for the file ${paths.join(' and ')}`,
  );
}

/** What a path without an ending may mean. */
function filesOf(path: string): string[] {
  return [path, ...EXTENSIONS.map((ending) => path + ending), ...EXTENSIONS.map((ending) => join(path, `index${ending}`))];
}

function modulesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => EXTENSIONS.includes(extname(file)));
  } catch {
    return [];
  }
}

/** Loads the modules of a configuration in its order. Throws with the name and the reason of the first that can not be loaded. */
export async function loadModules(names: readonly string[], folder: string, shipped: Shipped): Promise<Module[]> {
  const modules: Module[] = [];
  for (const name of names) {
    const source = findModule(name, folder, shipped);
    const loaded = source.kind === 'shipped' ? await shipped[source.name]!() : await importFile(name, source.file);
    modules.push(checkModule(loaded.default, source.kind === 'shipped' ? `module "${name}"` : source.file));
  }
  return modules;
}

async function importFile(name: string, file: string): Promise<{ default?: unknown }> {
  offerPublicApi();
  try {
    return (await import(pathToFileURL(file).href)) as { default?: unknown };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`module "${name}" (${file}) can not be loaded: ${reason}`, { cause });
  }
}

/** The files that belong to the modules of a configuration; what "kim node --watch" watches. */
export function moduleFiles(names: readonly string[], folder: string, shipped: Shipped): string[] {
  return names.map((name) => findModule(name, folder, shipped)).flatMap((source) => (source.kind === 'file' ? [source.file] : []));
}
