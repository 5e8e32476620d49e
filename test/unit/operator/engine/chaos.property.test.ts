// The engine in any storm of faults, edits and processes that end: it comes to rest with what is wanted, and then it keeps still.

import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { FaultyKube, type Fault } from '../../../support/kube-faults.ts';
import { fc, forAllInTurns } from '../../../support/property.ts';
import { gardens, toyController, type Bed, type Garden, type Toy } from '../../../support/toy-controller.ts';
import { turns } from '../../../support/turns.ts';
import { until } from '../../../support/until.ts';

const GARDENS = '/apis/test.kimserver.io/v1/gardens';
const MAPS = '/api/v1/configmaps';
const rules = {
  backoff: { minMs: 2, maxMs: 10 },
  reflector: { backoff: { minMs: 2, maxMs: 10 }, silenceMs: 100, pageSize: 2 },
  settleMs: 1,
  graceMs: 2000,
};

const plant = fc.constantFrom('fern', 'rose', 'moss');
const spec = fc.record({ beds: fc.integer({ min: 0, max: 3 }), plant });
const acts: Fault['act'][] = [
  'cut',
  'lost',
  'page',
  'truncate',
  'then cut',
  { status: 500 },
  { status: 429, headers: { 'retry-after': '0' } },
  { status: 410, reason: 'Expired' },
  { status: 409, reason: 'Conflict' },
];
const step = fc.oneof(
  fc.record({ do: fc.constant('plant' as const), spec }),
  fc.record({
    do: fc.constant('fault' as const),
    act: fc.constantFrom(...acts),
    times: fc.integer({ min: 1, max: 3 }),
    on: fc.constantFrom('GET', 'PATCH', 'DELETE', 'watch'),
  }),
  fc.record({ do: fc.constant('watches' as const), how: fc.constantFrom('cut', 'end', 'truncate', 'stall') }),
  fc.record({ do: fc.constant('forget' as const) }),
  fc.record({ do: fc.constant('edit' as const), bed: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ do: fc.constant('remove' as const), bed: fc.integer({ min: 0, max: 2 }) }),
  fc.record({ do: fc.constant('away' as const) }),
  fc.record({ do: fc.constant('die' as const) }),
);
const storms = fc.record({
  streams: fc.boolean(),
  steps: fc.array(fc.tuple(step, fc.integer({ min: 0, max: 30 })), { maxLength: 14 }),
  last: spec,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Storm {
  readonly kube: FaultyKube;
  readonly #t: TestContext;
  toy: Toy;
  /** What is edited more often is fought about. */
  #edits = 0;

  constructor(t: TestContext, kube: FaultyKube) {
    this.#t = t;
    this.kube = kube;
    this.toy = this.#begin();
  }

  #begin(): Toy {
    const toy = toyController(this.kube.access, { rules });
    this.#t.after(() => toy.controller.stop());
    toy.controller.start();
    return toy;
  }

  plant(wanted: Garden['spec']): void {
    this.kube.put(GARDENS, { ...gardens, metadata: { name: 'g', namespace: 'shop' }, spec: wanted });
  }

  beds(): string {
    const maps = this.kube.memory.list(MAPS) as unknown as Bed[];
    return maps
      .map(({ metadata, data }) => `${metadata.name}=${data['plant']}`)
      .sort()
      .join();
  }

  async do(one: Step): Promise<void> {
    const { kube } = this;
    const name = `g-bed-${'bed' in one ? one.bed : 0}`;
    switch (one.do) {
      case 'plant':
        return this.plant(one.spec);
      case 'fault': {
        const { act, times, on } = one;
        kube.faults.push({ act, times, when: ({ method, query }) => (on === 'watch' ? query.has('watch') : method === on) });
        return;
      }
      case 'watches':
        for (const watch of [...kube.watches]) watch[one.how]();
        return;
      case 'forget':
        kube.memory.compacted = kube.memory.version;
        return;
      case 'edit':
        if (++this.#edits < 5 && kube.memory.get(MAPS, 'shop', name)) kube.edit(MAPS, 'shop', name, { data: { plant: 'weed' } });
        return;
      case 'remove':
        return kube.remove(MAPS, 'shop', name);
      case 'away':
        await kube.away();
        return kube.listen();
      case 'die':
        await this.toy.controller.stop();
        this.toy = this.#begin();
    }
  }
}

test('whatever fails, is edited or dies in between, it comes to rest with what is wanted, and writes nothing more', async (t) => {
  await forAllInTurns(
    storms,
    async ({ streams, steps, last }) => {
      const kube = await FaultyKube.start(t);
      kube.streams = streams;
      const storm = new Storm(t, kube);
      for (const [one, pauseTurns] of steps) {
        await storm.do(one);
        await turns(pauseTurns);
      }
      kube.faults.length = 0;
      storm.plant(last);
      const wanted = Array.from({ length: last.beds }, (_, i) => `g-bed-${i}=${last.plant}`).join();
      const { controller } = storm.toy;
      const status = () => (kube.memory.get(GARDENS, 'shop', 'g') as Garden | undefined)?.status?.beds;
      await until(() => storm.beds() === wanted && status() === last.beds, `the beds are ${wanted}; they are ${storm.beds()}`);
      const idle = () =>
        /active_workers\{.*\} 0\n/.test(controller.metrics.meter.text()) &&
        /workqueue_depth\{.*\} 0\n/.test(controller.metrics.meter.text());
      const lookAgain = async () => {
        const looks = storm.toy.reconciled.length;
        controller.look('shop/g');
        await until(() => storm.toy.reconciled.length > looks && idle(), 'it has looked');
        return kube.memory.version;
      };
      // the copy may still be on its way to what was written
      let before = await lookAgain();
      const isStill = async () => {
        const [version, now] = [before, await lookAgain()];
        before = now;
        return version === now;
      };
      await until(isStill, 'nothing is written any more');
      assert.equal(storm.beds(), wanted);
      assert.deepEqual(controller.health.liveProblems, []);
      await controller.stop();
      await kube.away();
    },
    25,
  );
});
