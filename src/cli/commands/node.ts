// kim node: runs one node until it is told to end.

import { dirname } from 'node:path';
import { addressText } from '../../config/address.ts';
import { loadNodeConfig } from '../../config/load.ts';
import { unknownSentence, type ParsedNodeConfig } from '../../config/node-config.ts';
import { shipped } from '../../modules/index.ts';
import { exitCodes } from '../../node/exit-codes.ts';
import { fileLimitProblem, followParent, followSignals } from '../../node/lifecycle.ts';
import { Manager } from '../../node/manager.ts';
import { moduleFiles } from '../../route/load.ts';
import { version } from '../../version.ts';
import { ModuleWatch } from '../module-watch.ts';
import { findParent, type Parent } from '../parent.ts';
import { nodeEnvironment, shownPath, userPath } from '../paths.ts';
import { exitCodeOf, Failure } from '../problem.ts';

interface NodeOptions {
  set: readonly string[];
  watch: boolean;
  strict: boolean;
}

/** Resolves with the exit code when the node has ended. */
export async function runNode([file = '']: readonly string[], options: NodeOptions): Promise<number> {
  const parent = findParent();
  try {
    return await serve(file, options, parent);
  } catch (error) {
    if (parent === undefined) throw error;
    // whoever started us shows it
    await parent.tell({ type: 'failed', message: (error as Error).message });
    return exitCodeOf(error);
  }
}

async function serve(file: string, { set, watch, strict }: NodeOptions, parent: Parent | undefined): Promise<number> {
  let manager: Manager | undefined;
  parent?.onGone(() => {
    // workers that lose their manager leave by themselves, but for those that hang: all are killed before the first await
    void manager?.kill();
    process.exit(exitCodes.managerGone);
  });
  const path = userPath(file);
  const read = () => loadNodeConfig(shownPath(file), { env: nodeEnvironment(), set, strict });
  const parsed = read();
  const limit = fileLimitProblem(parsed.config);
  for (const warning of [...warningsOf(parsed), ...(limit === undefined ? [] : [limit])]) process.stderr.write(`warning: ${warning}\n`);
  process.title = parsed.config.server_name;

  const ports = await parent?.ports();
  manager = await start({ config: parsed.config, folder: dirname(path), version, ports });
  return untilEnded(manager, { path, read, watch, parent });
}

interface Surroundings {
  path: string;
  read(): ParsedNodeConfig;
  watch: boolean;
  parent: Parent | undefined;
}

async function untilEnded(manager: Manager, { path, read, watch, parent }: Surroundings): Promise<number> {
  const watching = watch ? watchModules(manager, path) : undefined;
  const reread = () => {
    const next = read();
    for (const warning of warningsOf(next)) manager.log.warn('configuration warning', { warning });
    watching?.follow(moduleFiles(next.config.modules, dirname(path), shipped));
    return next.config;
  };
  const ended = new Promise<number>((resolve) => {
    followSignals(manager, { readConfig: reread, exit: resolve });
    // also when the admin server, our parent or its end asked for it
    void manager.ended.then(() => resolve(exitCodes.ok));
    const drain = (isReplaced = false) => {
      manager.drain({ isReplaced }).catch((error: unknown) => {
        manager.log.fatal('drain failed', { err: error });
        resolve(exitCodes.failed);
      });
    };
    if (parent !== undefined) obey(parent, manager, reread, drain);
    // npm does not tell its children when it is killed
    else if (process.env['npm_lifecycle_event'] !== undefined) followParent(() => drain());
  });
  if (parent === undefined) tellWhereToLook(manager);
  else await parent.tell({ type: 'started', listeners: manager.listeners(), ...admin(manager), workers: manager.pool.count });
  const code = await ended;
  watching?.close();
  return code;
}

async function start(options: ConstructorParameters<typeof Manager>[0]): Promise<Manager> {
  try {
    return await Manager.start(options);
  } catch (error) {
    throw new Failure((error as Error).message, { exitCode: exitCodes.failed, cause: error });
  }
}

function warningsOf({ notes, unknown }: ParsedNodeConfig): string[] {
  return [...notes, ...unknown.map(unknownSentence)];
}

function admin({ adminUrl }: Manager): { adminUrl?: string } {
  return adminUrl === undefined ? {} : { adminUrl };
}

/** The log says that the node serves; where it goes to a file or is too quiet for that, people at the terminal would see nothing. */
function tellWhereToLook(manager: Manager): void {
  const { server_name, log_path } = manager.config;
  if (log_path === '' && manager.log.enabled('info')) return;
  const listeners = manager.listeners().map(({ kind, host, port }) => `${kind} port ${addressText(host, port)}`);
  const where = [...listeners, ...(manager.adminUrl === undefined ? [] : [`admin page ${manager.adminUrl}`])];
  process.stderr.write(`${server_name} serves: ${where.join(', ')}${log_path === '' ? '' : `; log in ${log_path}`}\n`);
}

function obey(parent: Parent, manager: Manager, reread: () => ParsedNodeConfig['config'], drain: (isReplaced: boolean) => void): void {
  const reload = async () => {
    try {
      await manager.reload(reread());
      await parent.tell({ type: 'applied' });
    } catch (error) {
      await parent.tell({ type: 'refused', message: (error as Error).message });
    }
  };
  parent.onMessage((message) => {
    if (message.type === 'reload') return void reload();
    const isReplaced = message.type === 'freePorts' || (message.type === 'drain' && message.isReplaced);
    if (message.type === 'drain') drain(isReplaced);
    void (isReplaced ? manager.freePorts() : manager.closeGates()).then(() => parent.tell({ type: 'draining' }));
  });
}

/** Replaces the workers, which load their modules anew, when a file of a module changes. */
function watchModules(manager: Manager, path: string): ModuleWatch {
  const { log } = manager;
  const watching = new ModuleWatch({
    ignore: [path],
    async changed(files) {
      log.info('modules changed', { files });
      try {
        await manager.roll();
        log.info('changed modules loaded', { files });
      } catch (error) {
        log.error('changed modules refused; the node goes on with the old ones', { reason: (error as Error).message });
      }
    },
    failed: (folder, error) => log.warn('folder can not be watched', { folder, reason: error.message }),
  });
  watching.follow(moduleFiles(manager.config.modules, dirname(path), shipped));
  return watching;
}
