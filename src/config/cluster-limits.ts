// The rules between the fields of a tier as the API server works them out. For files the same rules stand in checks.ts, with more words.

import type { Expression } from './rules.ts';
import { camel, limitOptions } from './limit-options.ts';

type LimitKey = keyof typeof limitOptions;

/** The value of a limit, written or by default, as something that can be compared. */
function valueOf(key: LimitKey, kind: 'bytes' | 'ms'): string {
  const self = `self.${camel(key)}`;
  const { default: value } = limitOptions[key];
  if (kind === 'bytes') {
    return `quantity(!has(${self}) ? '${value}' : type(${self}) == int ? string(${self}) : ${self}.replace('B', ''))`;
  }
  return `duration(!has(${self}) ? '${value}ms' : type(${self}) == int ? string(${self}) + 'ms' : ${self})`;
}

function ordered(less: LimitKey, more: LimitKey, kind: 'bytes' | 'ms', because: string): Expression {
  const [low, high] = [valueOf(less, kind), valueOf(more, kind)];
  return {
    rule: `(!has(self.${camel(less)}) && !has(self.${camel(more)})) || ${kind === 'bytes' ? `${low}.compareTo(${high}) <= 0` : `${low} <= ${high}`}`,
    message: `${camel(more)} is below ${camel(less)}: ${because}; raise ${camel(more)} or lower ${camel(less)}`,
  };
}

/** Rules of spec.TIER.limits. */
export const limitRules: readonly Expression[] = [
  ordered('outgoing_limit', 'outgoing_burst', 'bytes', 'a slow reader would be closed before reading from it pauses'),
  ordered('max_frame', 'outgoing_burst', 'bytes', 'the largest reply would close the client that asked for it'),
  ordered('max_frame', 'worker_memory', 'bytes', 'the largest frame would not fit into the memory of a worker'),
  ordered('restart_min_ms', 'restart_max_ms', 'ms', 'the first wait would be longer than the longest'),
  {
    rule: "!has(self.hangMs) || [duration(type(self.hangMs) == int ? string(self.hangMs) + 'ms' : self.hangMs)].all(time, time < duration('0.5ms') || time >= duration('1999.5ms'))",
    message:
      'hangMs is below 2s: healthy workers, which give a sign of life each second, would be killed; give at least 2s, or 0 for no such limit',
  },
];

/** The port of the admin pages; without one it is so far above the port of clients or nodes. */
const ADMIN_ABOVE = 6000;

/** Rules about the ports of a tier: two that are the same could not both be had. Port 0 is any free one. */
export function portRules(tier: 'gate' | 'logic', nodePort: number): Expression[] {
  const gate = 'self.listeners[0].port';
  const node = `(has(self.nodePort) ? self.nodePort : ${nodePort})`;
  const base = tier === 'gate' ? gate : node;
  const fallback = `(${base} == 0 || ${base} + ${ADMIN_ABOVE} > 65535 ? 0 : ${base} + ${ADMIN_ABOVE})`;
  const admin = `(has(self.admin) && has(self.admin.port) ? (type(self.admin.port) == int ? int(self.admin.port) : 0) : ${fallback})`;
  const differ = (one: string, other: string, names: string): Expression => ({
    // without a listener that is said already
    rule: `${tier === 'gate' ? 'self.listeners.size() == 0 || ' : ''}${one} == 0 || ${one} != ${other}`,
    message: `${names} are the same; each needs a port of its own`,
  });
  const withAdmin = differ(node, admin, 'nodePort and admin.port');
  if (tier === 'logic') {
    return [
      withAdmin,
      {
        rule: "!has(self.nodeHost) || self.nodeHost != ''",
        message: 'nodeHost is empty, so nobody could connect to a logic node; remove it',
      },
    ];
  }
  return [differ(gate, node, 'listeners[0].port and nodePort'), differ(gate, admin, 'listeners[0].port and admin.port'), withAdmin];
}
