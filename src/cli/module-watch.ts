// Notices changes of module files and of what lies beside them.

import { watch, type FSWatcher } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** Editors write in several steps; what counts is how the files look when they are done. */
const SETTLE_MS = 100;
/** What modules are made of. Logs and databases that lie beside them change all the time. */
const SOURCES = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '.proto'];

export interface ModuleWatchOptions {
  /** Called once for all changes of a moment; the next call comes after its promise has settled. It must not reject. */
  changed(files: readonly string[]): Promise<void>;
  /** A folder that can not be watched. */
  failed(folder: string, error: Error): void;
  /** Files beside the modules that are none of theirs, such as the configuration. */
  ignore: readonly string[];
}

export class ModuleWatch {
  readonly #options: ModuleWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #busy = false;

  constructor(options: ModuleWatchOptions) {
    this.#options = options;
  }

  /** Watches the folders of these files, and no others. Folders, because editors replace files, and modules import what lies beside them. */
  follow(files: readonly string[]): void {
    const folders = new Set(files.map((file) => dirname(file)));
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#open(folder);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.follow([]);
  }

  #open(folder: string): void {
    const failed = (error: Error) => {
      this.#watchers.get(folder)?.close();
      this.#watchers.delete(folder);
      this.#options.failed(folder, error);
    };
    try {
      const watcher = watch(folder, (_event, name) => name !== null && this.#note(join(folder, name)));
      watcher.on('error', failed);
      this.#watchers.set(folder, watcher);
    } catch (error) {
      failed(error as Error);
    }
  }

  #note(file: string): void {
    if (!SOURCES.includes(extname(file)) || this.#options.ignore.includes(file)) return;
    this.#changed.add(file);
    this.#settle();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#tell(), SETTLE_MS);
  }

  async #tell(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    const files = [...this.#changed].sort();
    this.#changed = new Set();
    await this.#options.changed(files);
    this.#busy = false;
    // what changed meanwhile was not in what was loaded
    if (this.#changed.size > 0) this.#settle();
  }
}
