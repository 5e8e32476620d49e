// What workers of ours tell each other: numbers and messages (wire/proto/control.proto). What is sent for every push is written by hand,
// the rest from tables. Names and lists are judged here: whatever comes out of a decoder is within its limits.

import { isUtf8 } from 'node:buffer';
import { Fault } from '../errors.ts';
import { readVarint, skipBytes, skipField, skipTag, skipVarint } from '../wire/frame.ts';
import { low32, messageType, type MessageType } from '../wire/message.ts';
import { Writer } from '../wire/writer.ts';

/** What asks; the answer has the number + 1. */
export const control = {
  push: 61,
  kick: 63,
  groupPush: 65,
  broadcast: 67,
  join: 69,
  leave: 71,
  bind: 73,
  unbind: 75,
  claim: 77,
  locate: 79,
  resume: 83,
  migrate: 85,
  pause: 87,
  moved: 89,
  keep: 91,
  follow: 93,
} as const;

/** In Results, Answer and ClaimReply. */
export const results = { done: 0, absent: 1, slow: 2, refused: 3, replaced: 4, later: 5 } as const;

/** Longest name of a user, a session, a group or a node, in bytes. */
export const MAX_NAME = 256;
/** Most names in one message. */
export const MAX_NAMES = 4096;
/** Most frames in one message. */
export const MAX_FRAMES = 1024;
/** Largest data of one frame, in bytes. */
export const MAX_DATA = 4 * 1024 * 1024;
/** Longest reason of a kick or of a client that has left, in bytes. */
export const MAX_REASON = 1024;
const MAX_TOKEN = 4096;
/** What a session holds when it goes on at another gate, in bytes. */
export const MAX_PROPERTIES = 4 * 1024 * 1024;
/** A node type and a node id. */
const MAX_PIN = 1024;

/** A message for clients: what its dialect makes a frame of. */
export interface PushFrame {
  readonly cmd: number;
  readonly data: Uint8Array;
}

export interface Push {
  sessions: string[];
  users: string[];
  frames: PushFrame[];
  skipSlow: boolean;
}

export interface Spread {
  group: string;
  frames: PushFrame[];
}

const EMPTY = Buffer.alloc(0);
const SESSION = 0x0a;
const USER = 0x12;
const FRAME = 0x1a;
const SKIP_SLOW = 0x20;
const CMD = 0x08;
const BYTES_1 = 0x0a;
const BYTES_2 = 0x12;

// ---- written by hand ----

const varintBytes = (n: number): number => (n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x200000 ? 3 : n < 0x10000000 ? 4 : 5);

/** Adds a frame to the part of a Push or a Spread that is the same wherever it goes. */
export function writePushFrame(out: Writer, cmd: number, data: string | Uint8Array): void {
  const length = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
  out.byte(FRAME);
  out.varint((cmd === 0 ? 0 : 1 + varintBytes(cmd)) + (length === 0 ? 0 : 1 + varintBytes(length) + length));
  if (cmd !== 0) {
    out.byte(CMD);
    out.varint(cmd);
  }
  if (length === 0) return;
  out.byte(BYTES_2);
  out.varint(length);
  if (typeof data === 'string') out.text(data, length);
  else out.bytes(data);
}

const shared = new Writer(4096);

/** The part of a Push that is the same wherever it goes. */
export function encodeFrames(frames: readonly { readonly cmd: number; readonly data: string | Uint8Array }[], skipSlow = false): Buffer {
  for (const { cmd, data } of frames) writePushFrame(shared, cmd, data);
  if (skipSlow) {
    shared.byte(SKIP_SLOW);
    shared.byte(1);
  }
  return shared.take();
}

/** A Push or a Kick for users; `rest` is the part without them. */
export function encodeToUsers(users: readonly string[], rest: Uint8Array): Buffer {
  for (const user of users) shared.textField(USER, user);
  shared.bytes(rest);
  return shared.take();
}

/** A Push to one session. */
export function encodeToSession(session: string, cmd: number, data: string | Uint8Array): Buffer {
  shared.textField(SESSION, session);
  writePushFrame(shared, cmd, data);
  return shared.take();
}

/** A Spread; `frames` is what writePushFrame wrote. */
export function encodeSpread(group: string, frames: Uint8Array): Buffer {
  if (group !== '') shared.textField(SESSION, group);
  shared.bytes(frames);
  return shared.take();
}

/** Throws Fault invalidMessage, as all decoders here. Data is a view. */
export function decodePush(bytes: Buffer): Push {
  const push: Push = { sessions: [], users: [], frames: [], skipSlow: false };
  walk('Push', bytes, 0, bytes.length, (tag, at, next) => {
    if (tag === SESSION || tag === USER) {
      if (push.sessions.length + push.users.length >= MAX_NAMES) throw tooLarge('Push', `more than ${MAX_NAMES} clients`);
      (tag === SESSION ? push.sessions : push.users).push(nameAt('Push', bytes, at, next));
    } else if (tag === FRAME) addFrame('Push', push.frames, bytes, at, next);
    else if (tag === SKIP_SLOW) push.skipSlow = readVarint(bytes, at, next) !== 0;
  });
  return push;
}

export function decodeSpread(bytes: Buffer): Spread {
  const spread: Spread = { group: '', frames: [] };
  walk('Spread', bytes, 0, bytes.length, (tag, at, next) => {
    if (tag === SESSION) spread.group = nameAt('Spread', bytes, at, next);
    else if (tag === FRAME) addFrame('Spread', spread.frames, bytes, at, next);
  });
  return spread;
}

export function encodeResults(list: Uint8Array): Buffer {
  if (list.length === 0) return shared.take();
  shared.byte(BYTES_1);
  shared.varint(list.length);
  shared.bytes(list);
  return shared.take();
}

/** A view of the results. */
export function decodeResults(bytes: Buffer): Buffer {
  let found: Buffer = EMPTY;
  walk('Results', bytes, 0, bytes.length, (tag, at, next) => {
    if (tag !== BYTES_1) return;
    found = contentAt(bytes, at, next);
    if (found.length > MAX_NAMES) throw tooLarge('Results', `more than ${MAX_NAMES}`);
  });
  return found;
}

/** What another worker answered; undefined if it does not parse, which is as good as no answer. */
export function readAnswer<T>(fault: Fault | undefined, data: Buffer, decode: (data: Buffer) => T): T | undefined {
  if (fault !== undefined) return undefined;
  try {
    return decode(data);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

type Found = (tag: number, at: number, next: number) => void;

function walk(name: string, bytes: Buffer, start: number, end: number, found: Found): void {
  let i = start;
  while (i < end) {
    const next = skipField(bytes, i, end);
    if (next < 0) throw new Fault('invalidMessage', `${name} does not parse at byte ${i - start}`);
    const at = skipTag(bytes, i, next);
    found(readVarint(bytes, i, at), at, next);
    i = next;
  }
}

const contentAt = (bytes: Buffer, at: number, next: number): Buffer =>
  bytes.subarray(skipVarint(bytes, at, next), skipBytes(bytes, at, next));

function nameAt(name: string, bytes: Buffer, at: number, next: number): string {
  const begin = skipVarint(bytes, at, next);
  if (next - begin > MAX_NAME) throw tooLarge(name, `a name of ${next - begin} bytes, the limit is ${MAX_NAME}`);
  if (!isUtf8(bytes.subarray(begin, next))) throw new Fault('invalidMessage', `a name in ${name} is not UTF-8`);
  return bytes.toString('utf8', begin, next);
}

function addFrame(name: string, frames: PushFrame[], bytes: Buffer, at: number, next: number): void {
  if (frames.length >= MAX_FRAMES) throw tooLarge(name, `more than ${MAX_FRAMES} frames`);
  const frame: { cmd: number; data: Uint8Array } = { cmd: 0, data: EMPTY };
  walk('PushFrame', bytes, skipVarint(bytes, at, next), next, (tag, from, to) => {
    if (tag === CMD) frame.cmd = low32(bytes, from, to) >>> 0;
    else if (tag === BYTES_2) frame.data = contentAt(bytes, from, to);
  });
  if (frame.data.length > MAX_DATA) throw tooLarge(name, `data of ${frame.data.length} bytes, the limit is ${MAX_DATA}`);
  frames.push(frame);
}

const tooLarge = (name: string, what: string) => new Fault('invalidMessage', `${name} has ${what}`);

// ---- from tables ----

export const kick = limited(
  'Kick',
  { session: [1, 'text'], user: [2, 'text'], code: [3, 'int32'], reason: [4, 'text'] },
  { reason: MAX_REASON },
);

export const spreadReply = limited('SpreadReply', { delivered: [1, 'uint32'], slow: [2, 'uint32'] });

export const membership = limited('Membership', { session: [1, 'text'], group: [2, 'text'] });

export const bind = limited('Bind', { session: [1, 'text'], user: [2, 'text'] });

export const unbind = limited('Unbind', { session: [1, 'text'] });

export const answer = limited('Answer', { result: [1, 'uint32'] });

export const claim = limited('Claim', { user: [1, 'text'], session: [2, 'text'], time: [3, 'double'], refuse: [4, 'bool'] });

export const claimReply = limited('ClaimReply', { result: [1, 'uint32'], time: [2, 'double'] });

export const locate = limited('Locate', { users: [1, 'texts'] });

export const resume = limited('Resume', { session: [1, 'text'], token: [2, 'bytes'] }, { token: MAX_TOKEN });

export const transfer = limited(
  'Transfer',
  {
    session: [1, 'text'],
    user: [2, 'text'],
    user_time: [3, 'double'],
    groups: [4, 'texts'],
    properties: [5, 'bytes'],
    pins: [6, 'texts'],
    requests: [7, 'uint32'],
    token: [8, 'bytes'],
  },
  { properties: MAX_PROPERTIES, pins: MAX_PIN },
);

/** Where the client of a session is, or that there is none any more. */
export const follow = limited('Follow', { session: [1, 'text'], user: [2, 'text'], is_over: [3, 'bool'] });

export const migrate = limited(
  'Migrate',
  { session: [1, 'text'], user: [2, 'text'], address: [3, 'text'], gate: [4, 'text'], properties: [5, 'bytes'] },
  { properties: MAX_PROPERTIES },
);

/** Sessions that go on at another worker. */
export const moved = limited('Moved', { worker: [1, 'text'], sessions: [2, 'texts'] });

/** A message type whose texts have at most MAX_NAME bytes and whose lists MAX_NAMES entries, but for those with a limit of their own. */
function limited<const F extends Parameters<typeof messageType>[1]>(
  name: string,
  fields: F,
  limits: Partial<Record<keyof F, number>> = {},
): ReturnType<typeof messageType<F>> {
  const type = messageType(name, fields);
  type Message = typeof type extends MessageType<infer T> ? T : never;
  const judge = (key: string, value: unknown): void => {
    if (typeof value === 'string' || value instanceof Uint8Array) {
      const length = typeof value === 'string' ? Buffer.byteLength(value) : value.length;
      const limit = limits[key] ?? MAX_NAME;
      if (length > limit) throw tooLarge(name, `${key} of ${length} bytes, the limit is ${limit}`);
    } else if (Array.isArray(value)) {
      if (value.length > MAX_NAMES) throw tooLarge(name, `${value.length} ${key}, the limit is ${MAX_NAMES}`);
      for (const each of value as unknown[]) judge(key, each);
    }
  };
  return {
    encode: type.encode,
    decode(bytes) {
      const message = type.decode(bytes);
      for (const [key, value] of Object.entries(message as Message & object)) judge(key, value);
      return message;
    },
  };
}
