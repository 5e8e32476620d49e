// Files in one .tar.gz, as every tar reads it (POSIX ustar). Pure.

import { gzipSync } from 'node:zlib';

export interface TarFile {
  /** With "/" between folders; at most 255 bytes with the last part at most 100. */
  readonly name: string;
  readonly content: Buffer;
}

const BLOCK = 512;
const MODE = 0o600;

/** `now` is in milliseconds since 1970. */
export function tarGz(files: readonly TarFile[], now: number): Buffer {
  const blocks = files.flatMap(({ name, content }) => [head(name, content.length, now), content, Buffer.alloc(pad(content.length))]);
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

const pad = (length: number): number => (BLOCK - (length % BLOCK)) % BLOCK;

function head(name: string, size: number, now: number): Buffer {
  const [folder, file] = split(name);
  const block = Buffer.alloc(BLOCK);
  const text = (at: number, value: string) => block.write(value, at);
  const octal = (at: number, length: number, value: number) => text(at, `${value.toString(8).padStart(length - 1, '0')}\0`);
  text(0, file);
  octal(100, 8, MODE);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, size);
  octal(136, 12, Math.floor(now / 1000));
  text(148, ' '.repeat(8));
  text(156, '0');
  text(257, 'ustar\0' + '00');
  text(345, folder);
  octal(
    148,
    7,
    block.reduce((sum, byte) => sum + byte, 0),
  );
  return block;
}

/** Names longer than 100 bytes stand in two parts. */
function split(name: string): readonly [folder: string, file: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name];
  const slash = name.indexOf('/', name.length - 100);
  const [folder, file] = [name.slice(0, slash), name.slice(slash + 1)];
  if (slash < 0 || Buffer.byteLength(folder) > 155 || Buffer.byteLength(file) > 100)
    throw new Error(`the name "${name}" is too long for tar`);
  return [folder, file];
}
