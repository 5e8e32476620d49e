// What the ring is asked with: the part of a request that a route names.

import { resolve } from 'node:path';
import type { RouteKey } from '../config/route.ts';
import type { Codec } from '../wire/codec.ts';
import type { Frame } from '../wire/frame.ts';
import { loadProtoType } from '../wire/protobuf.ts';

export type KeyReader = (frame: Frame, codec: Codec) => Uint8Array | string;

/** For keys that stand in the request. What has no such field, or does not parse, has the empty key: it is the module's to say what is wrong. */
export function keyReader(key: RouteKey, folder: string): KeyReader {
  if (key.from !== 'field') return (frame, codec) => codec.data(frame);
  const { field, proto } = key;
  const type = proto === undefined ? undefined : loadProtoType(resolve(folder, proto.file), proto.type);
  return (frame, codec) => {
    try {
      const data = codec.data(frame);
      const value: unknown = type === undefined ? JSON.parse(data.toString()) : type.decode(data);
      const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
      if (typeof found === 'string' || found instanceof Uint8Array) return found;
      return typeof found === 'number' || typeof found === 'boolean' ? String(found) : '';
    } catch {
      return '';
    }
  };
}
