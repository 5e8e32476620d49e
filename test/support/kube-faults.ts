// A small API server that misbehaves on demand: it cuts, stalls, refuses, truncates, reorders and goes away.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeAccess } from '../../src/kube/access.ts';
import { KubeMemory, merged, type Entry, type Stored } from './kube-memory.ts';

export interface Received {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** What is done in place of an answer: one time, to the first request that it is for. */
export interface Fault {
  readonly when?: (request: Received) => boolean;
  readonly times?: number;
  readonly act:
    | 'cut'
    | 'stall'
    | 'page'
    | 'truncate'
    | 'then cut'
    /** It is done, and the answer does not come. */
    | 'lost'
    | { readonly status: number; readonly reason?: string; readonly headers?: Record<string, string>; readonly details?: object }
    /** Whatever it is. */
    | { readonly status: number; readonly body: object };
}

/** An open watch, and what can happen to it. */
export interface OpenWatch {
  readonly path: string;
  readonly query: URLSearchParams;
  send(type: string, object: object): void;
  /** The connection breaks. */
  cut(): void;
  /** The server ends it in order. */
  end(): void;
  /** Half a line, and the end. */
  truncate(): void;
  /** The connection stays, nothing comes any more. */
  stall(): void;
}

interface Ending {
  after(end: () => Promise<void> | void): void;
}

export class FaultyKube {
  readonly memory = new KubeMemory();
  readonly received: Received[] = [];
  readonly watches = new Set<OpenWatch>();
  /** What the next requests will not get. */
  readonly faults: Fault[] = [];
  token = 'first';
  /** Whether it begins watches with lists where it is asked to. Without, it says that it can not. */
  streams = false;
  connections = 0;
  readonly #sockets = new Set<Socket>();
  readonly #followers = new Set<() => void>();
  #server: Server | undefined;
  #port = 0;

  /** Listens on a free port; ends with the test. */
  static async start(t: Ending): Promise<FaultyKube> {
    const kube = new FaultyKube();
    await kube.listen();
    t.after(() => kube.away());
    return kube;
  }

  get access(): KubeAccess {
    return {
      server: new URL(`http://127.0.0.1:${this.#port}`),
      namespace: 'default',
      credentials: async () => ({ headers: { authorization: `Bearer ${this.token}` }, tls: {} }),
    };
  }

  /** It is there, again with what it knew. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  /** It is gone, with all its connections. */
  async away(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    this.cutAll();
    await closed;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  put(collection: string, object: object): Stored {
    const stored = this.memory.put(collection, object);
    this.#flush();
    return stored;
  }

  /** Somebody changes an object: the fields are no longer those of who applied them. */
  edit(collection: string, namespace: string, name: string, changes: object): Stored {
    const before = this.memory.get(collection, namespace, name)!;
    const after = merged(before, changes) as Stored;
    const others = (after.metadata.managedFields ?? []).map((entry) => ({
      ...entry,
      fieldsV1: { but: `those of ${this.memory.version}` },
    }));
    const managedFields = [...others, { manager: 'somebody', operation: 'Update', time: new Date().toISOString() }];
    return this.put(collection, { ...after, metadata: { ...after.metadata, managedFields } });
  }

  remove(collection: string, namespace: string, name: string): void {
    this.memory.remove(collection, namespace, name);
    this.#flush();
  }

  count(method: string, part = ''): number {
    return this.received.filter((request) => request.method === method && request.path.includes(part)).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const url = new URL(request.url ?? '/', 'http://kube');
    const text = Buffer.concat(chunks).toString();
    const received = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    this.received.push(received);
    const fault = this.#faultFor(received);
    if (fault === undefined) return this.#serve(received, response);
    const { act } = fault;
    if (act === 'cut') response.socket?.destroy();
    else if (act === 'page') response.writeHead(502, { 'content-type': 'text/html' }).end('<html>bad gateway</html>');
    else if (act === 'truncate') {
      response.writeHead(200, { 'content-length': 1000 }).write('{"kind":"Li');
      setImmediate(() => response.socket?.destroy());
    } else if (act === 'then cut') {
      response.on('finish', () => response.socket?.end());
      this.#serve(received, response);
    } else if (act === 'lost') {
      response.socket?.destroy();
      this.#serve(received, response);
    } else if (act === 'stall') return;
    else if ('body' in act) send(response, act.status, act.body);
    else refuse(response, act.status, act.reason ?? 'Fault', 'made to fail', act);
  }

  #faultFor(received: Received): Fault | undefined {
    const at = this.faults.findIndex(({ when }) => when?.(received) ?? true);
    const fault = this.faults[at];
    if (fault === undefined) return undefined;
    if ((fault.times ?? 1) <= 1) this.faults.splice(at, 1);
    else this.faults[at] = { ...fault, times: fault.times! - 1 };
    return fault;
  }

  #serve(received: Received, response: ServerResponse): void {
    const { method, path, query, headers } = received;
    if (headers.authorization !== `Bearer ${this.token}`) return refuse(response, 401, 'Unauthorized', 'who are you');
    const { collection, namespace, name } = partsOf(path);
    if (method === 'GET' && query.get('watch') === 'true') return this.#watch(received, response);
    if (method === 'GET' && name === undefined) return this.#list(received, response);
    const before = name === undefined ? undefined : this.memory.get(collection, namespace, name);
    if (method === 'POST') {
      const object = received.body as Stored;
      if (this.memory.get(collection, namespace, object.metadata.name)) return refuse(response, 409, 'AlreadyExists', 'it is there');
      return send(response, 201, this.put(collection, object));
    }
    if (method === 'PATCH') {
      if (before === undefined && !headers['content-type']?.includes('apply')) return refuse(response, 404, 'NotFound', 'it is not there');
      const given = merged(before ?? {}, received.body) as Stored;
      return send(response, before ? 200 : 201, this.put(collection, owned(given, received)));
    }
    if (before === undefined) return refuse(response, 404, 'NotFound', `${name} not found`);
    if (method === 'GET') return send(response, 200, before);
    if (method === 'PUT') {
      const given = received.body as Stored;
      const { resourceVersion } = given.metadata;
      if (resourceVersion !== undefined && resourceVersion !== before.metadata.resourceVersion)
        return refuse(response, 409, 'Conflict', 'the object has been modified');
      return send(response, 200, this.put(collection, given));
    }
    this.remove(collection, namespace ?? '', before.metadata.name);
    send(response, 200, { kind: 'Status', status: 'Success' });
  }

  /** Pages are named by where they begin. */
  #list({ path, query }: Received, response: ServerResponse): void {
    const { collection, namespace } = partsOf(path);
    const all = this.memory.list(collection, namespace);
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? all.length);
    const more = from + limit < all.length ? String(from + limit) : '';
    const metadata = { resourceVersion: String(this.memory.version), continue: more };
    const items = all.slice(from, from + limit).map((item) => ({ ...item, apiVersion: undefined, kind: undefined }));
    send(response, 200, { kind: `${all[0]?.kind ?? 'Thing'}List`, apiVersion: all[0]?.apiVersion ?? 'v1', metadata, items });
  }

  #watch({ path, query }: Received, response: ServerResponse): void {
    const { collection, namespace } = partsOf(path);
    const isStreamed = query.get('sendInitialEvents') === 'true';
    if (isStreamed && !this.streams) return refuse(response, 422, 'Invalid', 'sendInitialEvents: Forbidden');
    let position = isStreamed ? this.memory.version : Number(query.get('resourceVersion'));
    if (position < this.memory.compacted) return refuse(response, 410, 'Expired', 'too old resource version');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const write = (type: string, object: object) => response.write(`${JSON.stringify({ type, object })}\n`);
    const mine = (entry: Entry) =>
      entry.collection === collection && (namespace === undefined || entry.object.metadata.namespace === namespace);
    const follow = () => {
      for (const entry of this.memory.history) if (entry.version > position && mine(entry)) write(entry.type, entry.object);
      position = this.memory.version;
    };
    const close = () => {
      this.#followers.delete(follow);
      this.watches.delete(watch);
    };
    const watch: OpenWatch = {
      path,
      query,
      send: write,
      cut: () => response.socket?.destroy(),
      end: () => response.end(),
      truncate: () => response.end('{"type":"ADDED","object":{"metada'),
      stall: () => this.#followers.delete(follow),
    };
    response.on('close', close);
    this.watches.add(watch);
    this.#followers.add(follow);
    if (isStreamed) {
      for (const object of this.memory.list(collection, namespace)) write('ADDED', object);
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      if (this.streams) write('BOOKMARK', { metadata: { resourceVersion: String(position), annotations } });
    }
    follow();
  }

  #flush(): void {
    for (const follow of this.#followers) follow();
  }
}

/** /apis/apps/v1/namespaces/shop/deployments/gate is of the collection /apis/apps/v1/deployments. */
function partsOf(path: string): { collection: string; namespace?: string; name?: string } {
  const match = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/.))?\/([^/]+)(?:\/([^/]+))?/.exec(path);
  if (match === null) throw new Error(`the test asks for ${path}`);
  const [, group, namespace, plural, name] = match;
  return { collection: `${group}/${plural}`, ...(namespace && { namespace }), ...(name && { name }) };
}

/** Who applied what, as far as it can be seen from outside. */
function owned(object: Stored, { query, body, path }: Received): Stored {
  if (path.endsWith('/status')) return object;
  const manager = query.get('fieldManager') ?? '';
  const mine = { manager, operation: 'Apply', fieldsV1: { of: JSON.stringify(body).length } };
  const others = (object.metadata.managedFields ?? []).filter((entry) => entry.manager !== manager);
  return { ...object, metadata: { ...object.metadata, managedFields: [mine, ...others] } };
}

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  { headers = {}, details = {} }: { headers?: Record<string, string>; details?: object } = {},
): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, reason, message, details }));
}
