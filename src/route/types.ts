// How the data of a message is read and written: the user's protobuf types, or any schema library for JSON.

import { Fault } from '../errors.ts';
import { loadProtoType } from '../wire/protobuf.ts';

/** The part of the Standard Schema interface (standardschema.dev) that zod, valibot, arktype and others offer. */
export interface StandardSchema<Out = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): StandardResult<Out> | Promise<StandardResult<Out>>;
    readonly types?: { readonly input: unknown; readonly output: Out } | undefined;
  };
}

type StandardResult<Out> =
  | { readonly value: Out; readonly issues?: undefined }
  | {
      readonly issues: readonly { readonly message: string; readonly path?: readonly (PropertyKey | { key: PropertyKey })[] | undefined }[];
    };

/** A protobuf type of the user, made by `proto`. */
export interface Proto<T> {
  readonly kind: 'proto';
  readonly name: string;
  decode(data: Buffer): T;
  encode(value: T): Uint8Array;
}

export type MessageType<T> = StandardSchema<T> | Proto<T>;

/**
 * A message type of a .proto file. TypeScript can not see into the file, so name the shape: `proto<{ id: number }>(file, 'shop.Order')`.
 * Throws at once if the file or the type is missing.
 */
export function proto<T extends object = Record<string, unknown>>(file: string | URL, type?: string): Proto<T> {
  const found = loadProtoType(typeof file === 'string' ? file : decodeURIComponent(file.pathname), type);
  return { kind: 'proto', name: found.name, decode: (data) => found.decode(data) as T, encode: (value) => found.encode(value) };
}

/** A function that reads a request. It throws Fault invalidMessage with a text that names the field. */
export function reader(type: MessageType<unknown>): (data: Buffer) => unknown {
  if (!('~standard' in type)) {
    return (data) => {
      try {
        return type.decode(data);
      } catch (cause) {
        throw new Fault('invalidMessage', `request is no ${type.name}: ${(cause as Error).message}`, { cause });
      }
    };
  }
  return (data) => validate(type, parseJson(data), (text) => new Fault('invalidMessage', text));
}

/** A function that writes a reply. It throws Fault encodeFailed with a text that names the field. */
export function replyWriter(type: MessageType<unknown>): (value: unknown) => Uint8Array {
  if (!('~standard' in type)) {
    return (value) => {
      try {
        return type.encode(value);
      } catch (cause) {
        throw new Fault('encodeFailed', `reply is no ${type.name}: ${(cause as Error).message}`, { cause });
      }
    };
  }
  return (value) => writeJson(validate(type, value, (text) => new Fault('encodeFailed', text)));
}

function writeJson(value: unknown): Buffer {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new Fault('encodeFailed', `reply has no JSON: ${(cause as Error).message}`, { cause });
  }
  if (json === undefined) throw new Fault('encodeFailed', `reply has no JSON: it is ${typeof value}`);
  return Buffer.from(json);
}

function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString());
  } catch (cause) {
    throw new Fault('invalidMessage', 'data is not JSON', { cause });
  }
}

function validate(type: StandardSchema, value: unknown, fault: (text: string) => Fault): unknown {
  const result = type['~standard'].validate(value);
  if (result instanceof Promise) {
    // nobody waits for it: what it fails with must not end the worker
    result.catch(() => undefined);
    throw new Error('a schema that checks asynchronously can not be used for requests and replies');
  }
  if (result.issues === undefined) return result.value;
  const texts = result.issues.slice(0, 3).map(({ path, message }) => {
    const where = (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    return where === '' ? message : `${where}: ${message}`;
  });
  throw fault(texts.join('; '));
}
