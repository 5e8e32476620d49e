// Gates for tests of the client, over real sockets: they greet, keep sessions in common, answer requests when the test says, kick and move.

import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { clientCommands, heartbeatReply, hello, kick, leave, move, welcome } from '../../../src/wire/client-control.ts';
import { readBody } from '../../../src/wire/body.ts';
import type { Decoder } from '../../../src/wire/codec.ts';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';
import type { Frame } from '../../../src/wire/frame.ts';
import { Writer } from '../../../src/wire/writer.ts';
import { pushBytes, replyBytes } from './support.ts';

export interface World {
  /** How often a gate did what each request asks, by its data. */
  readonly done: Map<string, number>;
  /** Sessions by token. */
  readonly sessions: Map<string, { id: string; gate: string }>;
}

export interface GateOptions {
  world?: World;
  heartbeatMs?: number;
  /** Resolves when the request may be answered; what has no answer yet when the connection ends gets none. */
  handle?: (data: string) => Promise<unknown> | undefined;
  /** What becomes of heartbeats; default: they are answered. */
  heartbeats?: 'answered' | 'ignored';
  /** True: answers HELLO as a server that does not know it. */
  isOriginal?: boolean;
  userId?: string;
}

export const newWorld = (): World => ({ done: new Map(), sessions: new Map() });

export class ScriptedGate {
  readonly world: World;
  readonly options: GateOptions;
  readonly connections = new Set<GateConnection>();
  /** Ever. */
  accepted = 0;
  /** True: whoever connects is cut off at once. */
  isShut = false;
  #port = 0;
  readonly #server = net.createServer({ allowHalfOpen: true, noDelay: true });

  constructor(options: GateOptions) {
    this.options = options;
    this.world = options.world ?? newWorld();
    this.#server.on('connection', (socket) => {
      this.accepted++;
      if (this.isShut) return void socket.destroy();
      const connection = new GateConnection(this, socket);
      this.connections.add(connection);
      socket.on('close', () => this.connections.delete(connection));
    });
  }

  static async open(t: TestContext, options: GateOptions = {}): Promise<ScriptedGate> {
    const gate = new ScriptedGate(options);
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    gate.#port = (gate.#server.address() as AddressInfo).port;
    t.after(() => {
      gate.refuse();
      gate.cut();
    });
    return gate;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens no more; connections that are there stay. */
  refuse(): void {
    this.#server.close();
  }

  /** Ends every connection. */
  cut(): void {
    for (const { socket } of this.connections) socket.destroy();
  }

  /** The only client. */
  get client(): GateConnection {
    const [first, ...others] = [...this.connections].filter((connection) => !connection.hasLeft);
    if (first === undefined || others.length > 0) throw new Error(`${others.length + Number(first !== undefined)} clients, not one`);
    return first;
  }
}

export class GateConnection {
  readonly socket: net.Socket;
  /** Every command in the order it came. */
  readonly commands: number[] = [];
  sessionId = '';
  version = '';
  /** As LEAVE said. */
  moved: boolean | undefined;
  hasLeft = false;
  readonly #gate: ScriptedGate;
  readonly #decoder: Decoder = protobufCodec.decoder(1 << 24);
  readonly #running = new Set<Promise<void>>();

  constructor(gate: ScriptedGate, socket: net.Socket) {
    this.#gate = gate;
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      this.#decoder.feed(bytes);
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) this.#take(frame);
    });
    socket.on('end', () => void this.#answered().then(() => socket.end()));
  }

  push(cmd: number, data: string): void {
    this.socket.write(pushBytes(cmd, data));
  }

  kick(reason: string, code: number): void {
    this.#tell(clientCommands.kick, kick.encode({ reason, code }));
    this.socket.end();
  }

  move(addresses: string[], leaveByMs: number): void {
    this.#tell(clientCommands.move, move.encode({ addresses, leave_by_ms: leaveByMs }));
  }

  #take(frame: Frame): void {
    const { data } = readBody(frame.bytes, frame.start, frame.end);
    const { isOriginal = false, heartbeats = 'answered' } = this.#gate.options;
    this.commands.push(frame.cmd);
    if (frame.cmd < 1000 && isOriginal) {
      this.socket.end(replyBytes(frame, { code: 4, msg: 'invalid cmd!' }));
    } else if (frame.cmd === clientCommands.hello) {
      this.#reply(frame, this.#greet(hello.decode(data)));
    } else if (frame.cmd === clientCommands.heartbeat) {
      if (heartbeats === 'ignored') return;
      this.#reply(frame, heartbeatReply.encode({ server_time: Date.now() + 5000, client_time: 0 }));
    } else if (frame.cmd === clientCommands.leave) {
      this.hasLeft = true;
      this.moved = leave.decode(data).moved;
      void this.#answered().then(() => {
        this.#reply(frame, Buffer.alloc(0));
        this.socket.end();
      });
    } else {
      const text = data.toString();
      const { done } = this.#gate.world;
      done.set(text, (done.get(text) ?? 0) + 1);
      const wait = this.#gate.options.handle?.(text);
      if (wait === undefined) return this.#reply(frame, `for ${text}`);
      const running = wait.then(() => this.#reply(frame, `for ${text}`)).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  #greet({ token, version }: { token: Uint8Array; version: string }): Buffer {
    const { sessions } = this.#gate.world;
    const { heartbeatMs = 0, userId = '' } = this.#gate.options;
    const known = sessions.get(Buffer.from(token).toString());
    const session = { id: known?.id ?? `s${sessions.size + 1}`, gate: this.#gate.address };
    sessions.set(`token of ${session.id}`, session);
    this.sessionId = session.id;
    this.version = version;
    return welcome.encode({
      session_id: session.id,
      token: Buffer.from(`token of ${session.id}`),
      heartbeat_ms: heartbeatMs,
      server_time: Date.now() + 5000,
      resumed: known !== undefined,
      user_id: userId,
    });
  }

  async #answered(): Promise<void> {
    await Promise.all(this.#running);
  }

  #reply(to: { cmd: number; seq: number }, data: string | Buffer): void {
    if (this.socket.writable) this.socket.write(replyBytes(to, { data }));
  }

  #tell(cmd: number, data: Buffer): void {
    const out = new Writer();
    protobufCodec.writePush(out, cmd, data);
    this.socket.write(out.take());
  }
}
