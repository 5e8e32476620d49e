// A node in C++, as the side of a link that is connected to (B): its manager takes command 21 and gives the connection to a worker, which
// answers one request after the other. It keeps everything that came, and notes what an original could not bear.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { cppAck, CppReader, cppTarget, parseCppBody, parseCppTarget, type CppFrame, type CppParsed } from './cpp-wire.ts';

/** The first system command of applications. */
const CMD_SYS_END = 999;
const MAX_FROM_ONE = 10;

export interface CppRequest extends CppFrame {
  /** The worker that got it. */
  readonly worker: number;
  readonly connection: CppConnection;
  readonly parsed: CppParsed;
}

/** What a handler says: an answer, nothing at all, or anything but OK, which closes the connection. */
export type CppReply = { code?: number; msg?: string; data?: string | Uint8Array } | Buffer | 'silent' | 'close';

export type CppHandler = (request: CppRequest) => CppReply | Promise<CppReply>;

export interface CppServerOptions {
  /**
   * co: co_kimserver as it is now, which answers an unknown command with code 4 and closes. seed: its first published version, which only
   * closes. kim: kimserver, which says nothing, knows no heartbeat, and answers in whatever order its answers come.
   */
  kind?: 'co' | 'seed' | 'kim';
  type?: string;
  workers?: number;
  /** What it tells of itself by mistake, instead of the port that nodes connect to. */
  gatePort?: number;
  /** 0 for any. */
  port?: number;
  commands?: Record<number, CppHandler>;
}

/** Its module_test, as far as it needs no database. */
export const cppTestModule: Record<number, CppHandler> = {
  1001: () => ({ data: 'good job!' }),
  1007: ({ parsed }) =>
    parsed.data[0] === 0x7b ? { msg: 'done', data: 'test session!' } : { code: 1, msg: 'fail', data: 'invalid json data!' },
};

export class CppServer {
  readonly port: number;
  readonly options: Required<CppServerOptions>;
  /** What came behind the handshakes, but for heartbeats, in order of arrival. */
  readonly requests: CppRequest[] = [];
  readonly connections: CppConnection[] = [];
  heartbeats = 0;
  /** What an original could not bear. A test ends with this empty. */
  readonly violations: string[] = [];
  readonly #server: net.Server;

  static async listen(t: TestContext, options: CppServerOptions = {}): Promise<CppServer> {
    const server = net.createServer({ noDelay: true }).listen(options.port ?? 0, '127.0.0.1');
    await once(server, 'listening');
    const node = new CppServer(server, options);
    t.after(() => node.kill());
    return node;
  }

  private constructor(server: net.Server, options: CppServerOptions) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.options = { kind: 'co', type: 'logic', workers: 1, gatePort: 3355, port: this.port, commands: cppTestModule, ...options };
    server.on('connection', (socket) => this.connections.push(new CppConnection(this, socket)));
  }

  /** As a member of a static list, or of a ring. */
  get member(): { type: string; host: string; port: number; workers: number } {
    return { type: this.options.type, host: '127.0.0.1', port: this.port, workers: this.options.workers };
  }

  get open(): CppConnection[] {
    return this.connections.filter(({ isOpen }) => isOpen);
  }

  /** As killed with -9: nobody listens any more and every connection is reset. */
  kill(): void {
    this.#server.close();
    for (const { socket } of this.connections) {
      // a reset of a socket whose end is on its way is refused, and Node.js never closes that one then
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** @internal */
  note(violation: string): void {
    this.violations.push(violation);
  }
}

/** One connection: first the manager's, then a worker's. */
export class CppConnection {
  readonly socket: net.Socket;
  /** The worker that has it; 0 is the manager. */
  worker = 0;
  /** Node id of the worker at the other end, once it has told. */
  peer = '';
  /** Its own words: the data of command 23. */
  greeting: Buffer = Buffer.alloc(0);
  isOpen = true;
  readonly #server: CppServer;
  readonly #reader = new CppReader();
  readonly #waiting: CppFrame[] = [];
  #isRunning = false;
  /** The command that is being answered. */
  #inFront = 0;

  constructor(server: CppServer, socket: net.Socket) {
    this.#server = server;
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.on('close', () => (this.isOpen = false));
    socket.on('data', (piece) => this.#received(piece));
  }

  #received(piece: Buffer): void {
    this.#reader.feed(piece);
    try {
      for (let frame = this.#reader.next(); frame !== undefined && this.isOpen; frame = this.#reader.next()) this.#take(frame);
    } catch (error) {
      this.#server.note(`bytes that can not be read: ${String(error)}`);
      this.close();
    }
  }

  #take(frame: CppFrame): void {
    const { kind } = this.#server.options;
    if (frame.seq === 0) this.#server.note(`command ${frame.cmd} with seq 0`);
    if (frame.body.length === 0) this.#server.note(`command ${frame.cmd} with an empty body`);
    if (this.worker === 0) return this.#choose(frame);
    // kimserver begins each at once; a coroutine takes the next when the one before is answered
    if (kind === 'kim') return void this.#run(frame);
    if (this.#isRunning && this.#inFront !== 31) this.#server.note(`command ${frame.cmd} came before the one in front was answered`);
    this.#waiting.push(frame);
    if (!this.#isRunning) void this.#runAll();
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    for (let frame = this.#waiting.shift(); frame !== undefined && this.isOpen; frame = this.#waiting.shift()) {
      this.#inFront = frame.cmd;
      await this.#run(frame);
    }
    this.#isRunning = false;
  }

  /** The manager: which worker is wanted. */
  #choose(frame: CppFrame): void {
    if (frame.cmd !== 21) return this.#unknown(frame);
    const index = Number.parseInt(parseCppBody(frame.body).data.toString(), 10);
    if (index === 0 || index > this.#server.options.workers) return this.#say(cppAck(frame, 3, 'invalid worker index!'), true);
    this.#say(cppAck(frame, 0, 'ok'));
    this.worker = index;
    const lost = this.#reader.drop();
    if (lost > 0) this.#server.note(`${lost} bytes behind command 21 came before its answer, and are lost`);
  }

  /** The worker. */
  async #run(frame: CppFrame): Promise<void> {
    const { kind, commands } = this.#server.options;
    if (frame.cmd === 23) return this.#greet(frame);
    if (this.peer === '') this.#server.note(`command ${frame.cmd} before command 23`);
    if (frame.cmd === 31 && kind !== 'kim') {
      this.#server.heartbeats++;
      return this.#say(cppAck(frame, 0, ''));
    }
    if (frame.cmd < CMD_SYS_END) this.#server.note(`command ${frame.cmd}, which it does not know`);
    const request = { ...frame, worker: this.worker, connection: this, parsed: parseCppBody(frame.body) };
    this.#server.requests.push(request);
    const handler = commands[frame.cmd];
    if (handler === undefined) return this.#unknown(frame);
    const reply = await handler(request);
    if (reply === 'close') this.close();
    else if (reply instanceof Uint8Array) this.#say(reply);
    else if (reply !== 'silent') this.#say(cppAck(frame, reply.code ?? 0, reply.msg ?? 'ok', reply.data));
  }

  #greet(frame: CppFrame): void {
    this.greeting = parseCppBody(frame.body).data;
    let target;
    try {
      target = parseCppTarget(this.greeting);
    } catch {
      return this.#say(cppAck(frame, 2, 'parse request failed!'), true);
    }
    this.peer = `${target.ip}:${target.port}.${target.worker}`;
    const same = this.#server.open.filter(({ peer, worker }) => peer === this.peer && worker === this.worker);
    if (same.length > MAX_FROM_ONE) this.#server.note(`connection ${same.length} of ${this.peer} to worker ${this.worker}`);
    const { type, gatePort } = this.#server.options;
    this.#say(cppAck(frame, 0, 'ok', cppTarget({ type, ip: '127.0.0.1', port: gatePort, worker: this.worker })));
  }

  #unknown(frame: CppFrame): void {
    const { kind } = this.#server.options;
    if (kind === 'co') this.#say(cppAck(frame, 4, 'invalid cmd!'), true);
    else if (kind === 'seed') this.close();
  }

  #say(bytes: Uint8Array, isLast = false): void {
    if (!this.isOpen) return;
    this.socket.write(bytes);
    if (isLast) this.close();
  }

  /** As close() of a socket: what was written goes out, what comes is not read any more. */
  close(): void {
    this.isOpen = false;
    this.socket.end();
    this.socket.destroySoon();
  }
}
