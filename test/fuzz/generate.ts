// One life of an attacking connection, from its first byte to how it ends: all of it follows from the seed and the number of the life.

import { goodFrame, largeReply, negativeLength, type Expected } from './frames.ts';
import { nodeFrames } from './node-frames.ts';
import { poison } from './poison.ts';
import { Random } from './random.ts';

/**
 * - `half`: ends its own side, reads what still comes, waits for the server to close
 * - `wait`: sends no more and waits for the server to close
 * - `reset`: resets soon after all is written; `reset on reply`: in the middle of what comes back
 * - `gone`: closes without reading what still comes
 * - `mute`: never reads, then resets
 * - `glut`: as `mute`, after asking for more than fits anywhere, and until long after the server has lost its patience
 */
export type Ending = 'half' | 'wait' | 'reset' | 'reset on reply' | 'gone' | 'mute' | 'glut';

export interface Life {
  number: number;
  /** Where it connects: to the port for clients, or to the one for other nodes. */
  port: 'gate' | 'node';
  /** What is written, piece by piece. */
  writes: Piece[];
  /** Replies in the order in which they have to come, as long as the connection lasts. */
  replies: Expected[];
  /** True if all of the replies have to come, and then an orderly end. */
  isSure: boolean;
  /** True if nothing may come behind the replies. */
  isComplete: boolean;
  ending: Ending;
  /** Pause before a `reset`, a `gone` or the end of a `mute` or `glut`, so that it meets the server at all kinds of moments. */
  delayMs: number;
}

export interface Piece {
  bytes: Buffer;
  /** Frames that end in this piece. */
  frames: number;
  /** Whether the next piece goes in a later turn. */
  pause: boolean;
}

const BATCH = 64 * 1024;
/** So many large replies are more than the kernel takes for a client that does not read. */
const GLUT = 60;

/** One life in so many is one of a node that has lost its mind. */
const NODE_SHARE = 0.04;

/** `maxFrame` is that of the server, so that a length can lie about it. */
export function makeLife(seed: number, number: number, maxFrame: number): Life {
  const random = new Random(seed, number);
  return random.chance(NODE_SHARE) ? nodeLife(random, number, maxFrame) : clientLife(random, number, maxFrame);
}

/** Between nodes nothing that came is a reason to close, and nobody is patient: what comes back is not judged, only that both sides survive. */
function nodeLife(random: Random, number: number, maxFrame: number): Life {
  const frames = nodeFrames(random, maxFrame);
  const ending = random.weighted<Ending>([
    [50, 'half'],
    [20, 'reset'],
    [20, 'reset on reply'],
    [10, 'gone'],
  ]);
  const delayMs = random.below(8);
  return { number, port: 'node', writes: pieces(random, frames), replies: [], isSure: false, isComplete: false, ending, delayMs };
}

function clientLife(random: Random, number: number, maxFrame: number): Life {
  const count = random.weighted<() => number>([
    [1, () => 0],
    [58, () => random.between(1, 5)],
    [30, () => random.between(5, 60)],
    [10, () => random.between(60, 300)],
    [1, () => random.between(300, 2000)],
  ])();
  const frames: Buffer[] = [];
  const replies: Expected[] = [];
  const poisonAt = random.chance(0.75) ? count - random.below(Math.min(count, 4)) : -1;
  let fate: 'answered' | 'closes' | 'unknown' = 'answered';
  let isAsync = false;
  for (let i = 0; i <= count; i++) {
    if (i === poisonAt) {
      const bad = poison(random, maxFrame);
      frames.push(bad.bytes);
      if (bad.reply !== undefined) replies.push(bad.reply);
      fate = bad.fate;
    } else if (i < count) {
      const good = random.chance(0.99) ? goodFrame(random) : negativeLength(random);
      frames.push(good.bytes);
      if (fate !== 'answered') continue;
      replies.push(good.reply);
      isAsync ||= good.isAsync;
    }
  }
  const ending = endingOf(random, fate, frames.length);
  if (ending === 'glut') for (let i = 0; i < GLUT; i++) frames.push(largeReply());
  return {
    number,
    port: 'gate',
    writes: pieces(random, frames),
    replies,
    // a violation also ends what is still being handled
    isSure: (ending === 'half' || ending === 'wait') && (fate === 'answered' || (fate === 'closes' && !isAsync)),
    isComplete: fate !== 'unknown',
    ending,
    delayMs: ending === 'glut' ? random.between(50, 1500) : random.chance(0.2) ? 0 : random.below(ending === 'mute' ? 50 : 8),
  };
}

function endingOf(random: Random, fate: 'answered' | 'closes' | 'unknown', frames: number): Ending {
  // the server gives up who says nothing, or does not go on: rarely, since that takes its time
  if (fate !== 'closes' && (frames === 0 || random.chance(0.004))) return 'wait';
  if (fate === 'answered' && random.chance(0.005)) return 'glut';
  return random.weighted<Ending>([
    [45, 'half'],
    [fate === 'closes' ? 30 : 0, 'wait'],
    [15, 'reset'],
    [15, 'reset on reply'],
    [10, 'gone'],
    [5, 'mute'],
  ]);
}

/** Cuts a life into what is written at once. */
function pieces(random: Random, frames: readonly Buffer[]): Piece[] {
  const total = frames.reduce((sum, frame) => sum + frame.length, 0);
  const how = random.weighted<'batches' | 'frames' | 'cuts' | 'bytes'>([
    [60, 'batches'],
    [10, 'frames'],
    [25, 'cuts'],
    [total < 600 ? 10 : 0, 'bytes'],
  ]);
  if (how === 'frames') return frames.map((bytes) => ({ bytes, frames: 1, pause: random.chance(0.3) }));
  const all = Buffer.concat(frames, total);
  const ends: number[] = [];
  for (let at = 0, i = 0; i < frames.length; i++) ends.push((at += frames[i]!.length));
  const out: Piece[] = [];
  // few large pieces of a large life, or it would take longer than all the others
  const usual = Math.max(20, total / 30);
  for (let at = 0, ended = 0; at < total;) {
    const size = how === 'batches' ? BATCH : how === 'bytes' ? 1 : random.between(1, usual);
    const end = Math.min(total, at + size);
    let whole = 0;
    while (ended < ends.length && ends[ended]! <= end) {
      ended++;
      whole++;
    }
    out.push({ bytes: all.subarray(at, end), frames: whole, pause: how === 'bytes' || (how === 'cuts' && random.chance(0.6)) });
    at = end;
  }
  return out;
}
