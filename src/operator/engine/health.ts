// Whether this process does its work: what runs in circles is asked whether it still does, and the answer is what probes see.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is wrong, in a sentence; undefined: nothing. */
export type Check = () => string | undefined;

export class Health {
  readonly #live = new Map<string, Check>();
  readonly #ready = new Map<string, Check>();

  /** A loop that must go round: when it stands still only a new process helps. */
  live(name: string, check: Check): void {
    this.#live.set(name, check);
  }

  /** What must be there before this process is of use. */
  ready(name: string, check: Check): void {
    this.#ready.set(name, check);
  }

  get liveProblems(): string[] {
    return problemsOf(this.#live);
  }

  get readyProblems(): string[] {
    return problemsOf(this.#ready);
  }
}

function problemsOf(checks: ReadonlyMap<string, Check>): string[] {
  return [...checks].flatMap(([name, check]) => {
    const problem = check();
    return problem === undefined ? [] : [`${name}: ${problem}`];
  });
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const DEADLINE_MS = 5000;

/**
 * Serves /livez, /readyz and /metrics: without a host on all addresses, those of IPv6 too where there are any. Port 0 takes a free one. Throws
 * when the address can not be had.
 */
export async function serveHealth(
  health: Health,
  metrics: () => string,
  { host, port }: { host?: string; port: number },
): Promise<HealthServer> {
  // whoever opens connections and says nothing must not keep probes out for longer than these take
  const limits = { requestTimeout: DEADLINE_MS, headersTimeout: DEADLINE_MS, connectionsCheckingInterval: 1000, maxHeaderSize: 8 << 10 };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const [path] = (request.url ?? '').split('?');
    const problems = { '/livez': () => health.liveProblems, '/readyz': () => health.readyProblems }[path ?? ''];
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      response.writeHead(405, { allow: 'GET, HEAD' }).end('only GET and HEAD are taken\n');
    else if (problems !== undefined) {
      const found = problems();
      response.writeHead(found.length > 0 ? 503 : 200).end(`${found.join('\n') || 'ok'}\n`);
    } else if (path === '/metrics') response.end(metrics());
    else response.writeHead(404).end('there are /livez, /readyz and /metrics\n');
  };
  const server = createServer(limits, (request, response) => {
    request.resume();
    try {
      answer(request, response);
    } catch (error) {
      // a check that can not be made is no reason to end
      response.writeHead(500).end(`${(error as Error).message}\n`);
    }
  });
  server.maxConnections = 64;
  await listening(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listening(server: Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new Error(`cannot listen on ${host ?? '*'}:${port} for health and metrics: ${error.message}`, {
          cause: error,
        }),
      ),
    );
    server.listen(port, host, () => resolve());
  });
}
