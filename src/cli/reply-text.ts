// How a reply looks: for people in lines, for programs as one line of JSON.

import { faultByCode } from '../errors.ts';
import { duration, printable, whole, wrap, type Paint } from './terminal.ts';

export interface Reply {
  readonly cmd: number;
  readonly seq: number;
  readonly code: number;
  readonly msg: string;
  readonly data: Uint8Array;
  readonly seconds: number;
  /** What `data` means, where its type was given. */
  readonly decoded?: object | undefined;
}

/** What data looks most like. */
export type Data = { kind: 'none' } | { kind: 'json'; value: object } | { kind: 'text'; text: string } | { kind: 'bytes' };

const WIDTH = 80;
const LABEL = 8;
const MAX_DUMP = 4096;
/** Tabs and ends of lines belong to text; other control characters show that it is none. */
const NO_TEXT = /[\p{Cc}\p{Cn}\p{Co}]/u;

export function judge(data: Uint8Array): Data {
  if (data.length === 0) return { kind: 'none' };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return { kind: 'bytes' };
  }
  if (NO_TEXT.test(text.replace(/[\t\r\n]/g, ''))) return { kind: 'bytes' };
  if (/^\s*[[{]/.test(text)) {
    try {
      return { kind: 'json', value: JSON.parse(text) as object };
    } catch {
      // text that begins like JSON
    }
  }
  return { kind: 'text', text };
}

/** Several lines: a label and what it means. */
export function replyLines(reply: Reply, paint: Paint): string[] {
  const fault = reply.code === 0 ? undefined : faultByCode(reply.code);
  const meaning = fault === undefined ? '' : ` ${fault.name}: ${fault.meaning}`;
  return [
    ...labelled('command', String(reply.cmd), paint),
    ...labelled('seq', String(reply.seq), paint),
    ...labelled('code', `${reply.code}${meaning}`, paint, reply.code === 0 ? 'green' : 'red'),
    ...(fault === undefined ? [] : labelled('cure', fault.cure, paint)),
    ...labelled('msg', printable(reply.msg), paint),
    ...dataLines(reply, paint),
    ...labelled('time', duration(reply.seconds), paint),
  ];
}

/** One line, for requests that are sent many times. */
export function replyLine({ cmd, seq, code, msg, data, seconds }: Reply, paint: Paint): string {
  const result = paint(code === 0 ? 'green' : 'red', `code ${code}`);
  const text = printable(msg).replaceAll('\n', ' ');
  return `${cmd} seq ${seq}  ${result} ${text}  ${whole(data.length)} bytes  ${duration(seconds)}`;
}

/** `data` is text where it is text and `dataBase64` is there where it is not; `value` is what JSON or a message type made of it. */
export function replyJson(reply: Reply): object {
  const { cmd, seq, code, msg } = reply;
  const fault = code === 0 ? undefined : faultByCode(code)?.name;
  const data = judge(reply.data);
  const value = reply.decoded ?? (data.kind === 'json' ? data.value : undefined);
  return {
    cmd,
    seq,
    code,
    ...(fault !== undefined && { fault }),
    msg,
    ...(data.kind === 'bytes' ? { dataBase64: Buffer.from(reply.data).toString('base64') } : { data: Buffer.from(reply.data).toString() }),
    ...(value !== undefined && { value }),
    ms: Number((reply.seconds * 1000).toFixed(3)),
  };
}

function labelled(label: string, text: string, paint: Paint, style?: 'green' | 'red'): string[] {
  const lines = text.split('\n').flatMap((line) => wrap(line, WIDTH - LABEL - 1));
  return lines.map((line, i) => {
    const shown = style === undefined ? line : paint(style, line);
    return i === 0 ? `${paint('dim', label.padEnd(LABEL))} ${shown}`.trimEnd() : `${' '.repeat(LABEL)} ${shown}`;
  });
}

function dataLines({ data, decoded }: Reply, paint: Paint): string[] {
  if (decoded !== undefined) return labelledBlock(JSON.stringify(decoded, undefined, 2), paint);
  const judged = judge(data);
  if (judged.kind === 'none') return labelled('data', '(none)', paint);
  if (judged.kind === 'json') return labelledBlock(JSON.stringify(judged.value, undefined, 2), paint);
  return labelledBlock(judged.kind === 'text' ? printable(judged.text) : hexDump(data), paint);
}

/** Data is shown as it is, without breaking its lines. */
function labelledBlock(text: string, paint: Paint): string[] {
  const [first = '', ...rest] = text.split('\n');
  return [`${paint('dim', 'data'.padEnd(LABEL))} ${first}`, ...rest.map((line) => `${' '.repeat(LABEL)} ${line}`)];
}

/** Sixteen bytes a line: offset, hexadecimal, and what of it is ASCII. */
export function hexDump(data: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(data.length, MAX_DUMP); at += 16) {
    const row = [...data.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${ascii}`);
  }
  if (data.length > MAX_DUMP) lines.push(`... ${whole(data.length - MAX_DUMP)} bytes more; -o json has all`);
  return lines.join('\n');
}
