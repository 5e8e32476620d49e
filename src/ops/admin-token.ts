// Tokens with which an operator changes nodes that it reaches over a network: signed with its key, of which nodes hold the public half. Each is
// for one node, one route and one body, and for a short time; nobody has to keep a secret beside the operator.
// The form is a JWT (RFC 7519) with EdDSA over Ed25519 (RFC 8037).

import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

export interface Purpose {
  /** server_name of the node that is to be changed. */
  readonly node: string;
  /** Its node_host: pods of two namespaces may have the same name, and none the address of another. */
  readonly host: string;
  /** Of the route, as in /workers. */
  readonly path: string;
  /** What is sent. */
  readonly body: string;
}

/** How long a token is good, in seconds. */
export const TOKEN_SECONDS = 60;
/** Clocks of different machines may be apart by this, in seconds. What is sent carries a generation, so that an old one does nothing. */
const LEEWAY_SECONDS = 600;
const MAX_TOKEN = 4096;

const HEAD = part({ alg: 'EdDSA', typ: 'JWT' });

/** `now` is in seconds since 1970. */
export function signToken(key: KeyObject, { node, host, path, body }: Purpose, now: number): string {
  const claims = part({ aud: node, host, sub: path, body: digest(body), iat: Math.floor(now), exp: Math.floor(now) + TOKEN_SECONDS });
  const signed = `${HEAD}.${claims}`;
  return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
}

/** Why a token does not allow that, in one sentence; undefined if it does. */
export function tokenProblem(key: KeyObject, token: string, { node, host, path, body }: Purpose, now: number): string | undefined {
  const [head = '', claims = '', signature = '', ...more] = token.split('.');
  const signed = Buffer.from(`${head}.${claims}`);
  if (token.length > MAX_TOKEN || more.length > 0 || head !== HEAD) return 'it is not a token of an operator';
  if (!verify(null, signed, key, Buffer.from(signature, 'base64url')))
    return 'it was not signed with the key that belongs to admin_public_key';
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  if (said['aud'] !== node) return `it is for the node "${String(said['aud'])}", this is "${node}"`;
  if (said['host'] !== host) return `it is for the node at ${String(said['host'])}, this one is at ${host}`;
  if (said['sub'] !== path) return `it is for ${String(said['sub'])}, not for ${path}`;
  if (said['body'] !== digest(body)) return 'it is for another body';
  const [from, to] = [Number(said['iat']) - LEEWAY_SECONDS, Number(said['exp']) + LEEWAY_SECONDS];
  if (!(now >= from && now <= to)) return `it was made at ${timeText(said['iat'])} and here it is ${timeText(now)}; compare the clocks`;
  return undefined;
}

/** Reads a public key as admin_public_key has it. Throws a sentence for what is none. */
export function readPublicKey(text: string): KeyObject {
  const key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`a key of ${String(key.asymmetricKeyType)}, not of Ed25519`);
  return key;
}

/** What admin_public_key is for a private key. */
export function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

const digest = (body: string): string => createHash('sha256').update(body).digest('base64url');

const timeText = (seconds: unknown): string => {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? 'no time' : date.toISOString();
};
