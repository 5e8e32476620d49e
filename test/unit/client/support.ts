// For tests of the client: a transport in memory whose other end is the test, and frames as a server writes and reads them.

import {
  createClient,
  type Client,
  type ClientOptions,
  type ClientState,
  type Link,
  type LinkEvents,
  type Transport,
} from '../../../src/client/index.ts';
import { readBody } from '../../../src/wire/body.ts';
import type { Reply } from '../../../src/wire/codec.ts';
import { protobufCodec } from '../../../src/wire/codecs/protobuf.ts';
import { Frame } from '../../../src/wire/frame.ts';
import { Writer } from '../../../src/wire/writer.ts';

const NONE = Buffer.alloc(0);

export interface Received {
  cmd: number;
  seq: number;
  data: string;
  traceId: string;
}

/** One connection as the server sees it. */
export class FakeLink implements Link {
  readonly events: LinkEvents;
  readonly writes: Buffer[] = [];
  unsent = 0;
  isEnded = false;
  isDestroyed = false;

  constructor(events: LinkEvents) {
    this.events = events;
  }

  write(bytes: Uint8Array): void {
    this.writes.push(Buffer.from(bytes));
  }

  /** The server closes as soon as we do, as ours does. */
  end(): void {
    this.isEnded = true;
    setImmediate(() => this.events.closed());
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    setImmediate(() => this.events.closed());
  }

  /** Requests that came and were not asked for before. */
  requests(): Received[] {
    return requestsIn(Buffer.concat(this.writes.splice(0)));
  }

  reply(to: { cmd: number; seq: number }, reply: Partial<Reply> = {}): void {
    this.events.data(replyBytes(to, reply));
  }
}

export class FakeTransport implements Transport {
  readonly links: FakeLink[] = [];
  /** What becomes of the next connections; without a word they open. */
  readonly failures: string[] = [];
  isSilent = false;

  connect(_to: unknown, events: LinkEvents): Link {
    const link = new FakeLink(events);
    this.links.push(link);
    const failure = this.failures.shift();
    if (failure !== undefined) setImmediate(() => events.closed(new Error(failure)));
    else if (!this.isSilent) setImmediate(() => events.opened());
    return link;
  }

  afterTurn(task: () => void): void {
    setImmediate(task);
  }

  get last(): FakeLink {
    return this.links.at(-1)!;
  }
}

export function replyBytes({ cmd, seq }: { cmd: number; seq: number }, { code = 0, msg = 'ok', data = '' }: Partial<Reply> = {}): Buffer {
  const out = new Writer();
  protobufCodec.writeReply(out, new Frame(cmd, seq, NONE, 0, 0), { code, msg, data });
  return out.take();
}

export function pushBytes(cmd: number, data: string): Buffer {
  const out = new Writer();
  protobufCodec.writePush(out, cmd, data);
  return out.take();
}

export function requestsIn(bytes: Buffer): Received[] {
  const decoder = protobufCodec.decoder(1 << 24);
  decoder.feed(bytes);
  const out: Received[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) {
    const { data, traceId } = readBody(frame.bytes, frame.start, frame.end);
    out.push({ cmd: frame.cmd, seq: frame.seq, data: data.toString(), traceId });
  }
  return out;
}

/** All turns of the event loop that are due now are over. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A client over memory; the test closes it. */
export function fakeClient(
  t: { after(task: () => Promise<void>): void },
  options: Partial<ClientOptions> = {},
): { client: Client; transport: FakeTransport; states: ClientState[] } {
  const transport = new FakeTransport();
  const client = createClient({ host: 'server', port: 3355, transport, ...options });
  const states: ClientState[] = [];
  client.onState((state) => states.push(state));
  t.after(() => client.close({ timeoutMs: 1 }));
  return { client, transport, states };
}
