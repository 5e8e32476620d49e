// kim call: sends a request and shows its reply. Ends with 0 when every reply has code 0.

import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { ClientError, createClient, type Client } from '../../client/index.ts';
import { exitCodes } from '../../node/exit-codes.ts';
import { parseAddress } from '../address.ts';
import { userPath } from '../paths.ts';
import { Failure, UsageError } from '../problem.ts';
import { replyJson, replyLine, replyLines, type Reply } from '../reply-text.ts';
import { duration, painter, whole } from '../terminal.ts';

interface CallOptions {
  proto: string | undefined;
  type: string | undefined;
  replyType: string | undefined;
  hex: boolean;
  count: number;
  timeout: number;
  output: 'text' | 'json';
}

/** What stands between the words of the command line and the bytes of the wire. */
interface Types {
  encode(text: string): Uint8Array;
  decode(data: Uint8Array): object | undefined;
}

const MAX_COMMAND = 0xfffffffe;

export async function runCall([address = '', command = '', text = '']: readonly string[], options: CallOptions): Promise<number> {
  const { host, port } = parseAddress(address);
  const cmd = parseCommand(command);
  const types = options.proto === undefined ? plainTypes(options) : await protoTypes(options.proto, options);
  const data = types.encode(text);
  const client = createClient({ host, port, connectTimeoutMs: options.timeout, requestTimeoutMs: options.timeout, reconnect: false });
  try {
    await client.connect();
    return await callAll(client, cmd, data, types, options);
  } catch (error) {
    if (error instanceof ClientError) throw new Failure(sentence(error, address), { cause: error });
    throw error;
  } finally {
    await client.close({ timeoutMs: 1 });
  }
}

async function callAll(client: Client, cmd: number, data: Uint8Array, types: Types, { count, output }: CallOptions): Promise<number> {
  const paint = painter(process.stdout.isTTY);
  const print = (lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`);
  const began = performance.now();
  let failed = 0;
  for (let i = 0; i < count; i++) {
    const sent = performance.now();
    const { cmd: answered, seq, code, msg, data: bytes } = await client.request(cmd, data);
    const seconds = (performance.now() - sent) / 1000;
    const reply: Reply = { cmd: answered, seq, code, msg, data: bytes, seconds, decoded: code === 0 ? types.decode(bytes) : undefined };
    if (code !== 0) failed++;
    if (output === 'json') print([JSON.stringify(replyJson(reply))]);
    else print(count === 1 ? replyLines(reply, paint) : [replyLine(reply, paint)]);
  }
  if (count > 1 && output === 'text') {
    print([`${whole(count)} requests in ${duration((performance.now() - began) / 1000)}, ${whole(failed)} with a code other than 0`]);
  }
  return failed === 0 ? exitCodes.ok : exitCodes.crashed;
}

function parseCommand(text: string): number {
  const cmd = /^\d+$/.test(text) ? Number(text) : NaN;
  if (cmd >= 0 && cmd <= MAX_COMMAND) return cmd;
  throw new UsageError(
    `"${text}" is no command number; commands are whole numbers from 0 to ${MAX_COMMAND}, those of applications begin at 1000`,
  );
}

function plainTypes({ hex, type, replyType }: CallOptions): Types {
  if (type !== undefined || replyType !== undefined)
    throw new UsageError('--type and --reply-type need --proto with the file they stand in');
  return { encode: (text) => (hex ? parseHex(text) : Buffer.from(text)), decode: () => undefined };
}

function parseHex(text: string): Uint8Array {
  const digits = text.replace(/[\s:]/g, '');
  if (/^([0-9a-f]{2})*$/i.test(digits)) return Buffer.from(digits, 'hex');
  throw new UsageError('--hex takes pairs of hexadecimal digits, as "0a 1f ff"');
}

async function protoTypes(file: string, { type, replyType, hex }: CallOptions): Promise<Types> {
  if (hex) throw new UsageError('--hex and --proto exclude each other: with --proto data is JSON');
  const path = userPath(file);
  if (!existsSync(path)) throw new UsageError(`--proto ${file}: there is no such file; check the path`);
  const { loadProtoType } = await import('../../wire/protobuf.ts');
  const load = (name: string | undefined, flag: string) => {
    try {
      return loadProtoType(path, name);
    } catch (cause) {
      throw new UsageError(`--proto ${file}${name === undefined ? '' : ` ${flag} ${name}`}: ${(cause as Error).message}`);
    }
  };
  const request = load(type, '--type');
  const reply = replyType === undefined ? request : load(replyType, '--reply-type');
  return {
    encode(text) {
      try {
        return request.encode(JSON.parse(text === '' ? '{}' : text) as object);
      } catch (cause) {
        const why = cause instanceof SyntaxError ? `is not JSON (${cause.message})` : `does not fit: ${(cause as Error).message}`;
        throw new UsageError(`data for ${request.name} ${why}`);
      }
    },
    decode(data) {
      try {
        return reply.decode(data);
      } catch (cause) {
        throw new Failure(
          `the data of the reply is no ${reply.name}: ${(cause as Error).message}; name its type with --reply-type, or leave out --proto to see its bytes`,
          { cause },
        );
      }
    },
  };
}

/** Client errors name the address and the cure where they can; a closed connection needs both. */
function sentence({ code, message }: ClientError, address: string): string {
  if (code === 'closed') return `${address}: ${message}; check that this is the gate port of a node; its log says why it closed`;
  if (code === 'timeout') return `${message}; wait longer with --timeout, or look at the node with "kim status"`;
  return message;
}
