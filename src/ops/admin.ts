// The admin HTTP server of a node: health, metrics, views and the few changes that need no restart. Loopback unless told otherwise.

import type { KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { addressText } from '../config/address.ts';
import type { z } from '../config/z.ts';
import { AdminError, guard } from './admin-guard.ts';
import { adminRoutes, type AdminSource, type Answer, type Route } from './admin-routes.ts';
import { tokenProblem } from './admin-token.ts';
import type { Logger } from './log.ts';

const MAX_CONNECTIONS = 64;
const MAX_BODY = 64 << 10;
const MAX_HEADER = 8 << 10;
const MAX_HEADERS = 64;

export interface AdminOptions {
  /** Address or name to listen on; default 127.0.0.1. */
  host?: string;
  /** 0 takes a free one. */
  port: number;
  /** Listens in place of that where the port is open already. */
  listen?: ((server: Server) => void) | undefined;
  source: AdminSource;
  /** Who may change something from elsewhere; without it nobody may. */
  tokens?: AdminTokens | undefined;
  log: Logger;
  /** How long a request may take to arrive, and how long its answer may take to be made; default 10,000. */
  deadlineMs?: number;
}

export interface AdminTokens {
  /** server_name. */
  readonly node: string;
  /** node_host. */
  readonly host: string;
  readonly publicKey: KeyObject;
}

export interface Admin {
  readonly url: string;
  readonly port: number;
  /** Stops listening, lets answers leave for up to a second and closes the rest. */
  close(): Promise<void>;
}

/** Starts the admin server. Throws one sentence when the address cannot be had. */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const { host = '127.0.0.1', port, listen, source, tokens, log, deadlineMs = 10_000 } = options;
  const limits = { requestTimeout: deadlineMs, headersTimeout: deadlineMs, connectionsCheckingInterval: Math.min(1000, deadlineMs) };
  const server = createServer({ ...limits, keepAliveTimeout: 5000, maxHeaderSize: MAX_HEADER }, (request, response) => {
    void respond(request, response);
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADERS;
  // An answer that nobody reads is given up, too.
  server.setTimeout(2 * deadlineMs);
  server.on('clientError', refuse);
  server.on('drop', () => log.debug('admin connection refused', { open: MAX_CONNECTIONS }));

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)));
    server.once('listening', resolve);
    if (listen === undefined) server.listen({ host, port });
    else listen(server);
  });
  server.on('error', (error) => log.error('admin server failed', { error }));
  const bound = server.address() as AddressInfo;

  /** Never throws: whatever goes wrong becomes an answer. */
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      answer = await withDeadline(answerTo(request), deadlineMs);
    } catch (error) {
      answer = failure(error, request);
    }
    send(request, response, answer);
  }

  async function answerTo(request: IncomingMessage): Promise<Answer> {
    const method = request.method ?? '';
    const { host: asked, origin, authorization } = request.headers;
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    guard({ method, peer: request.socket.remoteAddress ?? '', host: asked, origin, hasToken: token !== undefined }, bound.address, host);
    const [path = '', ...query] = (request.url ?? '').split('?');
    const { route, name } = findRoute(method, path);
    const text = route.request === undefined ? '' : await readBody(request);
    if (token !== undefined) judge(token, path, text);
    const body = route.request === undefined ? undefined : parseJson(text, route.request);
    return route.run(source, { query: new URLSearchParams(query.join('?')), body, name });
  }

  function judge(token: string, path: string, body: string): void {
    if (tokens === undefined) throw new AdminError(403, 'no token is taken here: the node has no admin_public_key');
    const problem = tokenProblem(tokens.publicKey, token, { node: tokens.node, host: tokens.host, path, body }, Date.now() / 1000);
    if (problem !== undefined) throw new AdminError(403, `the token is not taken: ${problem}`);
  }

  function failure(error: unknown, request: IncomingMessage): Answer {
    if (error instanceof AdminError)
      return { status: error.status, headers: error.headers, body: { error: error.message, ...error.details } };
    log.error('admin request failed', { method: request.method, url: request.url, error });
    return { status: 500, body: { error: 'the request failed; the log of the node says why' } };
  }

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const timer = setTimeout(() => server.closeAllConnections(), 1000);
    await closed;
    clearTimeout(timer);
  }

  return { url: `http://${addressText(bound.address, bound.port)}/`, port: bound.port, close };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const anotherPort = 'set admin_port to another port, or to 0 for any free one';
  const [why, cure] = {
    EADDRINUSE: ['the port is taken', anotherPort],
    EACCES: ['this user may not', anotherPort],
    EADDRNOTAVAIL: ['the address is not of this machine', 'set admin_host to one that is'],
    ENOTFOUND: ['the name is not known', 'set admin_host to an address of this machine'],
  }[error.code ?? ''] ?? [error.message, 'check admin_host and admin_port'];
  return new Error(`cannot listen on ${addressText(host, port)} for the admin server: ${why}; ${cure}`, { cause: error });
}

function findRoute(method: string, path: string): { route: Route; name: string } {
  const routes = adminRoutes.filter((route) => nameIn(route, path) !== undefined);
  const names = adminRoutes.map((route) => `${route.method} ${route.path}`);
  if (routes.length === 0) throw new AdminError(404, `there is no ${path.slice(0, 200)} here; see routes`, { details: { routes: names } });
  const found = routes.find((route) => route.method === (method === 'HEAD' ? 'GET' : method));
  if (found) return { route: found, name: nameIn(found, path)! };
  const allow = routes.map((route) => (route.method === 'GET' ? 'GET, HEAD' : route.method)).join(', ');
  throw new AdminError(405, `${path} takes ${allow}, not ${method}`, { headers: { allow } });
}

/** What the last part of the path of a route stands for here, empty where there is no such part; undefined for another path. */
function nameIn(route: Route, path: string): string | undefined {
  const [before = '', variable] = route.path.split(':');
  if (variable === undefined) return path === route.path ? '' : undefined;
  if (!path.startsWith(before) || path.includes('/', before.length)) return undefined;
  try {
    return decodeURIComponent(path.slice(before.length));
  } catch {
    throw new AdminError(400, `the address ends with "${path.slice(before.length, 200)}", which is not percent-encoded UTF-8`);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json') throw new AdminError(415, `content-type "${type ?? ''}" is not taken; send application/json`);
  const chunks: Buffer[] = [];
  let length = 0;
  // What is too long is read to its end all the same and thrown away: a client that is still sending would not see the answer.
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= MAX_BODY) chunks.push(chunk);
  }
  if (length > MAX_BODY) throw new AdminError(413, `the body has ${length} bytes; at most ${MAX_BODY} are taken`);
  return Buffer.concat(chunks).toString();
}

/** The body, parsed and checked. An empty one is `{}`. */
function parseJson(text: string, schema: z.ZodType): unknown {
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new AdminError(400, `the body is not JSON: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new AdminError(400, sentence(parsed.error));
  return parsed.data;
}

/** The first thing that does not fit, with the field it stands in. */
function sentence({ issues: [issue] }: z.ZodError): string {
  const where = issue?.path.length ? `"${issue.path.join('.')}"` : 'the body';
  return `${where} does not fit: ${issue?.message.replace(/^Invalid input: /, '').replace(/^[A-Z]/, (letter) => letter.toLowerCase())}`;
}

function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Answer): void {
  const text = typeof body === 'string' ? body : `${JSON.stringify(body, undefined, 2)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  const text = `no answer within ${ms} ms; try again, or look for a hanging worker in the log`;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AdminError(504, text, { headers: { connection: 'close' } })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', `the headers are longer than ${MAX_HEADER} bytes`],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time'],
};

/** Answers what is not HTTP, or too slow or too long to become a request. */
function refuse(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, text] = CLIENT_ERRORS[error.code ?? ''] ?? ['400 Bad Request', 'this is not an HTTP request'];
  const body = `${JSON.stringify({ error: text })}\n`;
  const head = `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\n\r\n${body}`);
}
