// Where the API server is and how to be let in: what a client asks before each request.

import { stat, readFile } from 'node:fs/promises';
import type { Agent } from 'node:http';

/** As tls.connect() takes them. */
export interface KubeTls {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: KubeTls;
  /** Where connections go through a proxy. */
  readonly agent?: Agent | undefined;
}

export interface KubeAccess {
  readonly server: URL;
  /** The one to work in when nothing else is said. */
  readonly namespace: string;
  /** This process runs in a pod of the cluster: an API server that does not answer will be back. */
  readonly isInCluster?: true;
  /** Asked before each request, and once more with `refused` when the server did not take what it gave. */
  credentials(refused: boolean): Promise<Credentials>;
}

/** A file that others replace from time to time: read again when it has changed. */
export class ChangingFile {
  readonly #path: string;
  #text: Promise<string> | undefined;
  #mark = '';

  constructor(path: string) {
    this.#path = path;
  }

  async text(): Promise<string> {
    const { mtimeMs, ino, size } = await stat(this.#path);
    const mark = `${mtimeMs} ${ino} ${size}`;
    if (mark !== this.#mark || this.#text === undefined) {
      this.#mark = mark;
      this.#text = readFile(this.#path, 'utf8');
      this.#text.catch(() => (this.#text = undefined));
    }
    return (await this.#text).trim();
  }

  /** The next text() reads it whatever it looks like. */
  forget(): void {
    this.#text = undefined;
  }
}
