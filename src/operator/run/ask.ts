// One request to the admin port of a pod, on a connection of its own: pods are asked twice a minute, and a kept connection would be closed by then.

import * as http from 'node:http';

export interface Question {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Sent as JSON by POST; without it the path is only read. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For all of it, in milliseconds. */
  readonly withinMs: number;
  /** Of the answer. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Rejects with why there is no answer; whatever the answer says is one. */
export function ask({ host, port, path, body, headers, withinMs, maxBytes, signal }: Question): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const method = body === undefined ? 'GET' : 'POST';
  const request = http.request({ host, port, path, method, headers: { ...type, ...headers }, agent: false, ...(signal && { signal }) });
  const timer = setTimeout(() => request.destroy(new Error(`no answer to ${path} within ${withinMs} ms`)), withinMs);
  request.on('close', () => clearTimeout(timer));
  request.on('error', reject);
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('error', reject);
    response.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else request.destroy(new Error(`the answer to ${path} has more than ${maxBytes} bytes`));
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
  });
  request.end(body);
  return promise;
}
