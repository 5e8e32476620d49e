// Amounts as Kubernetes writes them: 500m processors, 1Gi of memory, 25% of the pods.

import { hinted, ruled } from './rules.ts';
import { object } from './shapes.ts';
import { z } from './z.ts';

const QUANTITY = /^(\d{1,15}(\.\d{0,9})?|\.\d{1,9})(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;
const FACTORS: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};
const INT_OR_STRING = { 'x-kubernetes-int-or-string': true };

type Quantity = string | number;

/** `500m`, `2`, `1Gi` as a number. */
export function quantityValue(quantity: Quantity): number {
  const [, amount, , unit = ''] = QUANTITY.exec(String(quantity)) ?? [];
  return Number(amount) * (FACTORS[unit] ?? NaN);
}

/** An amount of something; `example` is how it looks. */
export function quantity(example: string) {
  const error = `a quantity like ${example}`;
  const type = z.union([z.int({ error }).min(0, { error }), z.string({ error }).max(32, { error }).regex(QUANTITY, { error })], { error });
  return hinted(type, { schema: { ...INT_OR_STRING, minimum: 0, maxLength: 32, pattern: QUANTITY.source } });
}

/** A number of pods, or a share of them. */
export function podsOrPercent(min: 0 | 1) {
  const error = `a number of pods from ${min} to 100, or a share like "25%"`;
  const pattern = min === 0 ? /^(100|[1-9]?[0-9])%$/ : /^(100|[1-9][0-9]?)%$/;
  const type = z.union([z.int({ error }).min(min, { error }).max(100, { error }), z.string({ error }).regex(pattern, { error })], {
    error,
  });
  return hinted(type, { schema: { ...INT_OR_STRING, minimum: min, maximum: 100, pattern: pattern.source } });
}

/** Whether none is meant. */
export function isNone(pods: Quantity): boolean {
  return pods === 0 || pods === '0%';
}

const amounts = (what: string) =>
  z.record(z.string(), quantity('500m, 2 or 1Gi'), { error: `${what} by name, as { cpu: 500m, memory: 512Mi }` }).meta({
    kubernetes: { schema: { maxProperties: 16 } },
  });

type Amounts = Readonly<Record<string, Quantity>>;

function fits(name: 'cpu' | 'memory') {
  const of = (which: string) => `quantity(string(self.${which}['${name}']))`;
  return {
    rule: `!has(self.requests) || !has(self.limits) || !('${name}' in self.requests) || !('${name}' in self.limits) || ${of('requests')}.compareTo(${of('limits')}) <= 0`,
    message: `requests.${name} is above limits.${name}, so no pod could start; raise the limit or lower the request`,
    holds: ({ requests, limits }: { requests?: Amounts | undefined; limits?: Amounts | undefined }) => {
      const [least, most] = [requests?.[name], limits?.[name]];
      return least === undefined || most === undefined || quantityValue(least) <= quantityValue(most);
    },
  };
}

/** Processors and memory of a container. */
export function resources() {
  const type = object({
    requests: amounts('what is set aside')
      .optional()
      .meta({ description: 'What is set aside for each pod: { cpu: 500m, memory: 512Mi }.' }),
    limits: amounts('the most that may be used').optional().meta({ description: 'The most that each pod may use. More memory ends it.' }),
  });
  return ruled(type, [fits('cpu'), fits('memory')]);
}
