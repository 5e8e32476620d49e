// Who may ask the admin server what: no web page of a stranger, and changes only from this machine or with a token (admin-token.ts).

import { BlockList, isIP } from 'node:net';

/** An error that the asking side is told: an HTTP status and one sentence. Sources throw it with 409 to refuse something. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, { headers = {}, details = {} }: Partial<Pick<AdminError, 'headers' | 'details'>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
    this.details = details;
  }
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address, not a name, is one of this machine's own; `::ffff:127.0.0.1` is. */
export function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && loopback.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

export interface Asked {
  method: string;
  /** Address of the other end. */
  peer: string;
  host: string | undefined;
  origin: string | undefined;
  /** It carries a token, which is judged later: that is made of the body, too. */
  hasToken: boolean;
}

/**
 * Lets a request pass or throws an AdminError. `address` is what the server is bound to, `name` what the configuration calls it.
 *
 * A web page can make a browser on this machine send requests here. Its own name can be made to lead here (DNS rebinding), but then
 * that name stands in Host: so Host has to be an address or localhost. A page that is not ours shows itself by Origin.
 */
export function guard({ method, peer, host, origin, hasToken }: Asked, address: string, name: string): void {
  const changes = method !== 'GET' && method !== 'HEAD';
  if (changes && !hasToken && !isLoopback(peer)) {
    throw new AdminError(
      403,
      `changes are not taken from ${peer} without a token of the operator; send them from the machine or the pod of the node`,
    );
  }
  const asked = /^\[?(.+?)\]?(?::\d+)?$/.exec(host ?? '')?.[1]?.toLowerCase() ?? '';
  const local = asked === 'localhost' || isLoopback(asked);
  // Bound to all addresses, probes and scrapes come to any of them by its number.
  const known = (!changes || hasToken) && !isLoopback(address) && (isIP(asked) !== 0 || asked === name.toLowerCase());
  if (!local && !known) {
    throw new AdminError(403, `host "${host ?? ''}" is not answered here; ask for localhost or the address of this machine`);
  }
  if (origin !== undefined && !isSame(origin, host ?? '')) {
    throw new AdminError(403, `origin "${origin}" is not answered here; only the page of this server may ask`);
  }
}

function isSame(origin: string, host: string): boolean {
  const url = `http://${host}`;
  return URL.canParse(origin) && URL.canParse(url) && new URL(origin).origin === new URL(url).origin;
}
