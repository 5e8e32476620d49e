// An address with its port, as people and programs write it.

/** `127.0.0.1:3355`, `[::1]:3355`. Names of nodes in rings and lists are without brackets, as the original has them. */
export function addressText(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
