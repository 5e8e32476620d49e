// A gate in C++ with its module_gate: every command of a client goes to a logic node, chosen by the data, and its answer comes back as it is.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { CppClientNode, CppFailure, type CppLinkOptions } from './cpp-link.ts';
import { CppRing, type CppMember } from './cpp-ring.ts';
import { cppAck, cppFrame, CppReader, parseCppBody, type CppFrame } from './cpp-wire.ts';

export class CppGate {
  readonly port: number;
  readonly nodes: CppClientNode;
  /** The logic nodes that it knows; a test may replace them. */
  members: readonly CppMember[];
  readonly #server: net.Server;
  readonly #clients = new Set<net.Socket>();

  static async listen(t: TestContext, members: readonly CppMember[], options: CppLinkOptions = {}): Promise<CppGate> {
    const server = net.createServer({ noDelay: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const gate = new CppGate(server, members, options);
    t.after(() => gate.close());
    return gate;
  }

  private constructor(server: net.Server, members: readonly CppMember[], options: CppLinkOptions) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.members = members;
    this.nodes = new CppClientNode(options);
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** The coroutine of a client: one frame after the other, each answered before the next is looked at. */
  #serve(socket: net.Socket): void {
    this.#clients.add(socket);
    const reader = new CppReader();
    let turn = Promise.resolve();
    socket.on('error', () => undefined);
    socket.on('close', () => this.#clients.delete(socket));
    socket.on('data', (piece) => {
      reader.feed(piece);
      try {
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          const request = frame;
          turn = turn.then(async () => void socket.write(await this.#relay(request)));
        }
      } catch {
        socket.destroy();
      }
    });
  }

  /** Heads are written anew from what was read, and so without their zeros. */
  async #relay(request: CppFrame): Promise<Buffer> {
    const { cmd, seq, body } = request;
    const key = parseCppBody(body).data;
    try {
      const id = new CppRing(this.members).find(key);
      if (id === undefined) throw new CppFailure(16, 'no node');
      const answer = await this.nodes.relay(id, key, cppFrame(cmd, seq, body));
      return cppFrame(answer.cmd, this.nodes.options.kind === 'kim' ? seq : answer.seq, answer.body);
    } catch (error) {
      if (!(error instanceof CppFailure)) throw error;
      return cppAck(request, error.code, 'relay to node failed!');
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#clients) socket.destroy();
    this.nodes.close();
  }
}
