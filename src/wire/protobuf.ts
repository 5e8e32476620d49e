// The one place that knows protobufjs: the system's own messages, and users' .proto files.

import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** A message type of a .proto file. Objects use the field names as written in the file. */
export interface ProtoType {
  readonly name: string;
  /** Throws an Error that names the field for what does not fit. */
  encode(value: object): Buffer;
  /** Throws for bytes that do not parse. Every field is there, with its default where it was absent; int64 are strings. */
  decode(bytes: Uint8Array): Record<string, unknown>;
}

const DECODE: protobuf.IConversionOptions = { longs: String, enums: String, defaults: true, arrays: true, objects: true };

function wrap(type: protobuf.Type): ProtoType {
  return {
    name: type.fullName.replace(/^\./, ''),
    encode(value) {
      const problem = type.verify(value);
      if (problem !== null) throw new Error(problem);
      // a type without oneofs has no table of them, whatever its declaration says
      const known: object = { ...type.oneofs, ...type.fields };
      const unknown = Object.keys(value).find((key) => !Object.hasOwn(known, key));
      if (unknown !== undefined)
        throw new Error(`${unknown}: no such field in ${type.name}; fields: ${Object.keys(type.fields).join(', ')}`);
      return Buffer.from(type.encode(type.fromObject(value)).finish());
    },
    decode(bytes) {
      return type.toObject(type.decode(bytes), DECODE);
    },
  };
}

/**
 * Reads a .proto file (with its imports, relative to it) and returns its message type `type`; without a name the file must have exactly one.
 * Throws with the names that exist.
 */
export function loadProtoType(file: string, type?: string): ProtoType {
  const root = new protobuf.Root();
  root.loadSync(file, { keepCase: true });
  const types = messageTypes(root);
  const found =
    type === undefined ? (types.length === 1 ? types[0] : undefined) : types.find((t) => t.fullName === `.${type}` || t.name === type);
  if (found !== undefined) return wrap(found);
  const names = types.map((t) => t.fullName.slice(1)).join(', ') || 'none';
  throw new Error(
    type === undefined ? `name one of the types of ${file}: ${names}` : `no message type "${type}" in ${file}; there is: ${names}`,
  );
}

function messageTypes(space: protobuf.NamespaceBase): protobuf.Type[] {
  return space.nestedArray.flatMap((child) => [
    ...(child instanceof protobuf.Type ? [child] : []),
    ...(child instanceof protobuf.Namespace ? messageTypes(child) : []),
  ]);
}

/** A type of the system's own files, for example systemType('nodes', 'target_node'). */
export function systemType(file: 'msg' | 'nodes' | 'payload' | 'client' | 'control', type: string): ProtoType {
  return loadProtoType(fileURLToPath(new URL(`./proto/${file}.proto`, import.meta.url)), type);
}
