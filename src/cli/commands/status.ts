// kim status: one look at a running node.

import { setTimeout as pause } from 'node:timers/promises';
import { parseAdminUrl } from '../address.ts';
import { fetchStatus } from '../admin-client.ts';
import { ratesOf, type Look, type NodeRates } from '../rates.ts';
import { statusLines } from '../status-text.ts';
import { painter } from '../terminal.ts';

interface StatusOptions {
  rates: boolean;
  output: 'text' | 'json';
}

export const DEFAULT_ADDRESS = '127.0.0.1:9355';
const BETWEEN_MS = 1000;

export async function runStatus([address = DEFAULT_ADDRESS]: readonly string[], { rates, output }: StatusOptions): Promise<number> {
  const url = parseAdminUrl(address);
  const first = await look(url);
  if (!rates) return show(first, output);
  await pause(BETWEEN_MS);
  const second = await look(url);
  return show(second, output, ratesOf(second, first));
}

async function look(url: URL): Promise<Look> {
  const status = await fetchStatus(url);
  return { at: Date.now(), status };
}

function show({ at, status }: Look, output: StatusOptions['output'], rates?: NodeRates): number {
  const text =
    output === 'json'
      ? JSON.stringify({ ...status, ...(rates !== undefined && { rates: { seconds: rates.seconds, ...rates.total } }) }, undefined, 2)
      : statusLines(status, at, painter(process.stdout.isTTY), rates).join('\n');
  process.stdout.write(`${text}\n`);
  return 0;
}
