// A client that begins with HELLO, frame by frame.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { readData } from '../../src/wire/body.ts';
import * as control from '../../src/wire/client-control.ts';
import { request, type Seen } from './frames.ts';
import type { TestNode } from './node.ts';
import { WireClient } from './wire-client.ts';

export const dataOf = (body: Buffer): Buffer => readData(body, 0, body.length);

export class Greeter {
  readonly wire: WireClient;
  #seq = 0;

  constructor(wire: WireClient) {
    this.wire = wire;
  }

  static async at(t: TestContext, { port }: Pick<TestNode, 'port'>): Promise<Greeter> {
    const wire = await WireClient.connect(port);
    t.after(() => wire.destroy());
    return new Greeter(wire);
  }

  /** Sends a command and returns its seq. */
  say(cmd: number, data: string | Uint8Array): number {
    this.wire.send(request(cmd, ++this.#seq, data));
    return this.#seq;
  }

  async answer(seq: number): Promise<Seen> {
    await this.wire.until(() => this.wire.seen.some((frame) => frame.seq === seq), `the answer to ${seq}`);
    return this.wire.seen.find((frame) => frame.seq === seq)!;
  }

  async hello(token: Uint8Array = new Uint8Array(), capabilities: number = control.capabilities.moves) {
    const { code, body } = await this.answer(
      this.say(control.clientCommands.hello, control.hello.encode({ version: 'test', token, capabilities })),
    );
    assert.equal(code, 0);
    return control.welcome.decode(dataOf(body));
  }
}
