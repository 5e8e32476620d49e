// A node in C++, as the side of a link that connects (A): the eight steps, then requests as they came from its clients. co_kimserver has one
// in flight and takes whatever comes next for its answer; kimserver counts its own seq, and finds each answer by it.

import net from 'node:net';
import { cppFnv1 } from './cpp-ring.ts';
import { cppFrame, CppReader, cppRequest, cppTarget, parseCppBody, type CppFrame, type CppTarget } from './cpp-wire.ts';

const HANDSHAKE_MS = 2000;
const MAX_CONNECTIONS = 10;

/** A request that came to nothing, with the code of the original. */
export class CppFailure extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(`${message} (${code})`);
    this.code = code;
  }
}

export interface CppLinkOptions {
  kind?: 'co' | 'kim';
  self?: CppTarget;
  /** How long an answer may take. */
  answerMs?: number;
  /** How long nothing may happen before a heartbeat; undefined for a node that never sends one. */
  heartbeatMs?: number | undefined;
}

interface Asked {
  readonly frame: CppFrame;
  readonly bytes: Buffer;
  readonly done: (answer: CppFrame) => void;
  readonly failed: (failure: CppFailure) => void;
}

export class CppLink {
  readonly id: string;
  readonly socket: net.Socket;
  /** Every byte that came. */
  bytes: Buffer = Buffer.alloc(0);
  heartbeats = 0;
  /** Resolves when the handshake is done; rejects when it fails. */
  readonly up: Promise<this>;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
  isClosed = false;
  readonly #options: Required<Omit<CppLinkOptions, 'heartbeatMs'>> & { heartbeatMs: number | undefined };
  readonly #reader = new CppReader();
  readonly #queue: Asked[] = [];
  /** What waits for its answer: one, or by seq. */
  readonly #sent = new Map<number, Asked>();
  #isUp = false;
  #seq = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, worker: number | string, options: CppLinkOptions = {}) {
    const self = { type: 'gate', ip: '127.0.0.1', port: 3355, worker: 1 };
    this.#options = { kind: 'co', self, answerMs: 3000, ...options, heartbeatMs: options.heartbeatMs };
    this.id = `127.0.0.1:${port}.${worker}`;
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('error', () => undefined);
    this.socket.on('data', (piece) => this.#received(piece));
    this.socket.on('end', () => this.#close(20, 'the other end closed'));
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#close(14, 'it is closed');
        resolve();
      });
    });
    this.up = this.#greet(String(worker));
    // whoever wants to know waits for it
    this.up.catch(() => undefined);
  }

  async #greet(worker: string): Promise<this> {
    this.#arm(HANDSHAKE_MS);
    const step = (cmd: number, data: string | Uint8Array) => this.#ask(cppRequest(cmd, this.#nextSeq(), data));
    for (const [cmd, data] of [
      [21, worker],
      [23, cppTarget(this.#options.self)],
    ] as const) {
      const { result } = parseCppBody((await step(cmd, data)).body);
      // the original goes on after a bad code, which is a mistake; the other end has closed then
      if (result?.code !== 0) throw new CppFailure(result?.code ?? 11, result?.msg ?? 'no answer');
    }
    this.#isUp = true;
    this.#next();
    return this;
  }

  /** Sends a request with the head and the body that it has, kimserver's own seq excepted. Rejects with a CppFailure. */
  send(bytes: Buffer): Promise<CppFrame> {
    return new Promise((done, failed) => {
      if (this.isClosed) return failed(new CppFailure(14, 'it is closed'));
      const frame = frameOf(bytes);
      this.#queue.push({ frame, bytes, done, failed });
      this.#next();
    });
  }

  request(cmd: number, seq: number, data: string | Uint8Array): Promise<CppFrame> {
    return this.send(cppRequest(cmd, seq, data));
  }

  get busy(): number {
    return this.#sent.size + this.#queue.length;
  }

  #nextSeq(): number {
    return ++this.#seq;
  }

  #ask(bytes: Buffer): Promise<CppFrame> {
    return new Promise((done, failed) => this.#write({ frame: frameOf(bytes), bytes, done, failed }));
  }

  #next(): void {
    if (!this.#isUp || this.isClosed) return;
    const isKim = this.#options.kind === 'kim';
    while (this.#queue.length > 0 && (isKim || this.#sent.size === 0)) {
      const asked = this.#queue.shift()!;
      if (!isKim) this.#write(asked);
      else {
        const { cmd, body } = asked.frame;
        const bytes = cppFrame(cmd, this.#nextSeq(), body);
        this.#write({ ...asked, frame: { ...asked.frame, seq: this.#seq }, bytes });
      }
    }
    if (this.#sent.size === 0 && this.#options.heartbeatMs !== undefined) this.#arm(this.#options.heartbeatMs);
  }

  #write(asked: Asked): void {
    this.#sent.set(asked.frame.seq, asked);
    this.socket.write(asked.bytes);
    if (this.#isUp) this.#arm(this.#options.answerMs);
  }

  /** One time runs at once: of the handshake, of the answer, or until the next heartbeat. */
  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#late(), ms);
  }

  #late(): void {
    if (!this.#isUp || this.#sent.size > 0) return this.#close(18, 'no answer in time');
    this.heartbeats++;
    this.#ask(cppRequest(31, this.#nextSeq(), 'heartbeat')).catch(() => undefined);
  }

  #received(piece: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, piece]);
    this.#reader.feed(piece);
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) this.#answered(frame);
    } catch (error) {
      this.#close(19, String(error));
    }
  }

  #answered(answer: CppFrame): void {
    const [first] = this.#sent.keys();
    const seq = this.#options.kind === 'kim' ? answer.seq : (first ?? 0);
    const asked = this.#sent.get(seq);
    if (asked === undefined) return;
    this.#sent.delete(seq);
    if (this.#isUp) clearTimeout(this.#timer);
    asked.done(answer);
    this.#next();
  }

  /** The request in flight fails with that code, and everything queued with 14. */
  #close(code: number, why: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.#timer);
    this.socket.destroy();
    for (const { failed } of this.#sent.values()) failed(new CppFailure(code, why));
    for (const { failed } of this.#queue.splice(0)) failed(new CppFailure(14, why));
    this.#sent.clear();
  }

  close(): void {
    this.#close(14, 'it was closed here');
  }
}

/** The links of one worker: up to ten to each node id, or one in kimserver. */
export class CppClientNode {
  readonly options: CppLinkOptions;
  readonly #links = new Map<string, CppLink[]>();

  constructor(options: CppLinkOptions = {}) {
    this.options = options;
  }

  get links(): CppLink[] {
    return [...this.#links.values()].flat();
  }

  /** Sends to the worker of that node id over the connection that its key chooses. */
  relay(id: string, key: string | Uint8Array, bytes: Buffer): Promise<CppFrame> {
    const open = (this.#links.get(id) ?? []).filter(({ isClosed }) => !isClosed);
    this.#links.set(id, open);
    const max = this.options.kind === 'kim' ? 1 : MAX_CONNECTIONS;
    if (open.length >= max) return open[cppFnv1(key) % open.length]!.send(bytes);
    const [, port, worker] = /:(\d+)\.(\d+)$/.exec(id)!;
    const link = new CppLink(Number(port), Number(worker), this.options);
    open.push(link);
    return link.send(bytes);
  }

  close(): void {
    for (const link of this.links) link.close();
  }
}

function frameOf(bytes: Buffer): CppFrame {
  const [head, body] = [bytes.subarray(0, 15), bytes.subarray(15)];
  return { cmd: head.readUInt32LE(1), seq: head.readUInt32LE(6), head, body };
}
