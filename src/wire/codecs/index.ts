// The dialects by the name that a configuration gives them.

import type { Codec } from '../codec.ts';
import { protobufCodec } from './protobuf.ts';

const codecs: ReadonlyMap<string, Codec> = new Map([[protobufCodec.name, protobufCodec]]);

/** The codec of that name. Throws with the names that exist; configurations are checked before they come this far. */
export function codecByName(name: string): Codec {
  const codec = codecs.get(name);
  if (codec === undefined) throw new Error(`unknown codec "${name}"; there is: ${[...codecs.keys()].join(', ')}`);
  return codec;
}
