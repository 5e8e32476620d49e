// Asks the admin server of a node for its status.

import { get, type IncomingMessage } from 'node:http';
import { nodeStatusSchema, type NodeStatus } from '../ops/admin-schema.ts';
import { Failure } from './problem.ts';

/** An answer takes milliseconds; a node that needs longer does not answer. */
const TIMEOUT_MS = 5000;
/** The status of 512 workers with many commands is far below. */
const MAX_BODY = 64 * 1024 * 1024;

/** Throws a Failure with one sentence for a node that can not be asked. `url` is that of the admin server. */
export async function fetchStatus(url: URL): Promise<NodeStatus> {
  const { status, body } = await fetchText(new URL('status', url));
  const value = parse(body);
  if (status !== 200) {
    const { error } = (value ?? {}) as { error?: unknown };
    throw new Failure(`${url.href} refuses to show its status: ${typeof error === 'string' ? error : `HTTP status ${status}`}`);
  }
  const judged = nodeStatusSchema.safeParse(value);
  if (judged.success) return judged.data;
  throw new Failure(
    `${url.href} answers, but not with the status of a node; check the port (the admin port, not that of clients) and the version of the node`,
  );
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function fetchText(url: URL): Promise<{ status: number; body: string }> {
  try {
    const response = await request(url);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_BODY) throw new Failure(`${url.origin} sends more than ${MAX_BODY} bytes; this is not the status of a node`);
      chunks.push(chunk);
    }
    return { status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(`cannot ask the admin server at ${url.host}: ${whyNot(error as NodeJS.ErrnoException)}`, { cause: error });
  }
}

function request(url: URL): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, resolve);
    asked.on('error', reject);
  });
}

function whyNot(error: NodeJS.ErrnoException): string {
  // a name with several addresses fails with one error for each
  const { code, name } = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
  if (name === 'AbortError' || name === 'TimeoutError' || code === 'ABORT_ERR') {
    return `it gave no answer within ${TIMEOUT_MS / 1000} s; look at the log of the node`;
  }
  if (code?.startsWith('HPE_') === true) return 'it does not speak HTTP; check the port (the admin port, not that of clients)';
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there; start a node ("kim up"), or give the address that its log calls "admin"',
    ECONNRESET: 'it closed the connection; check the port (the admin port, not that of clients)',
    ENOTFOUND: 'the name is not known; check how it is written',
    EAI_AGAIN: 'the name is not known; check how it is written, and that the network has a name server',
    EHOSTUNREACH: 'there is no way to that address; check the network',
    ENETUNREACH: 'there is no way to that address; check the network',
  };
  return known[code ?? ''] ?? error.message;
}
