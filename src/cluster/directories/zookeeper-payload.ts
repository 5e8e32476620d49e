// The node under payload/TYPE with the same leaf as the node's own record: what it served in the last second, for whoever looks.

import { codeOf, type ZookeeperConnection } from './zookeeper-client.ts';

/** All that fails here is silent: the next report comes in a second. */
export class ZookeeperPayload {
  #connection: ZookeeperConnection | undefined;
  #path: string | undefined;
  #text = '';
  #isWriting = false;
  #isStale = false;

  /** Where it belongs from now on; undefined while there is no place. The one before is removed. */
  place(connection: ZookeeperConnection | undefined, path: string | undefined): void {
    if (connection === this.#connection && path === this.#path) return;
    const before = this.#path;
    this.#connection = connection;
    this.#path = path;
    if (before !== undefined && before !== path) connection?.remove(before).catch(() => undefined);
    this.#write();
  }

  set(text: string): void {
    this.#text = text;
    this.#write();
  }

  #write(): void {
    this.#isStale = true;
    if (this.#isWriting || this.#connection === undefined || this.#path === undefined) return;
    this.#isWriting = true;
    this.#put(this.#connection, this.#path)
      .catch(() => undefined)
      .finally(() => {
        this.#isWriting = false;
        if (this.#isStale) this.#write();
      });
  }

  async #put(connection: ZookeeperConnection, path: string): Promise<void> {
    this.#isStale = false;
    const data = Buffer.from(this.#text);
    try {
      // one that a session before this left would go with that session
      const { isOurs } = await connection.get(path);
      if (isOurs) return await connection.set(path, data);
      await connection.remove(path);
    } catch (error) {
      if (codeOf(error) !== 'noNode') throw error;
    }
    await connection.create(path, data, { ephemeral: true });
  }
}
