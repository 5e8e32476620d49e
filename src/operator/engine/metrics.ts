// What the engine counts, by the names that controller-runtime gives them: dashboards and alerts that exist already fit.

import type { ExchangeOptions } from '../../kube/exchange.ts';
import type { ReflectorState } from '../../kube/reflector.ts';
import type { Applied } from './apply.ts';
import type { Lease } from './lease.ts';
import { Meter } from './meter.ts';
import { addProcessMetrics } from './process-metrics.ts';
import type { Queue, QueueObserver } from './queue.ts';
import type { Outcome, RunnerObserver } from './runner.ts';

const RECONCILE_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const QUEUE_BOUNDS = [0.000_01, 0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000];
const outcomes: readonly Outcome[] = ['success', 'error', 'requeue', 'requeue_after'];

type Seen = Parameters<NonNullable<ExchangeOptions['observe']>>[0];

/** `concurrency`: keys at a time. */
export class EngineMetrics {
  readonly meter = new Meter();
  readonly #controller: { readonly controller: string };
  readonly #queue: { readonly name: string; readonly controller: string };
  readonly #m: ReturnType<typeof families>;

  constructor(name: string, concurrency: number) {
    this.#controller = { controller: name };
    this.#queue = { name, controller: name };
    this.#m = families(this.meter);
    const { total, errors, terminal, timeouts, panics, concurrent, adds, retries } = this.#m;
    for (const result of outcomes) total.add({ ...this.#controller, result }, 0);
    for (const counter of [errors, terminal, timeouts, panics]) counter.add(this.#controller, 0);
    for (const counter of [adds, retries]) counter.add(this.#queue, 0);
    concurrent.set(this.#controller, concurrency);
    addProcessMetrics(this.meter);
  }

  /** What is looked up when somebody reads the page. */
  watch({
    queue,
    lease,
    reflectors,
  }: {
    queue: Queue;
    lease?: { readonly name: string; readonly lease: Lease } | undefined;
    reflectors: () => readonly (readonly [string, ReflectorState])[];
  }): void {
    const { meter } = this;
    const seconds = () => [...queue.runningMs.values()].map((ms) => ms / 1000);
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    meter.look('workqueue_depth', 'Keys that wait.', () => [[this.#queue, queue.depth]]);
    meter.look('workqueue_unfinished_work_seconds', 'How long all running reconciles have taken so far.', () => [
      [this.#queue, sum(seconds())],
    ]);
    meter.look('workqueue_longest_running_processor_seconds', 'How long the longest has taken so far.', () => [
      [this.#queue, Math.max(0, ...seconds())],
    ]);
    meter.look('controller_runtime_active_workers', 'Reconciles that run.', () => [[this.#controller, queue.runningMs.size]]);
    if (lease !== undefined)
      meter.look('leader_election_master_status', 'Whether this process is the leader.', () => [
        [{ name: lease.name }, Number(lease.lease.isLeader)],
      ]);
    if (lease !== undefined)
      meter.look(
        'leader_election_slowpath_total',
        'Renewals that found that somebody else had changed the lease.',
        () => [[{ name: lease.name }, lease.lease.contested]],
        'counter',
      );
    /** One row for each kind, however many namespaces it is watched in. */
    const each = (value: (state: ReflectorState) => number, join: (...values: number[]) => number) => () => {
      const rows = new Map<string, number>();
      for (const [kind, state] of reflectors()) rows.set(kind, join(rows.get(kind) ?? 0, value(state)));
      return [...rows].map(([kind, n]) => [{ kind }, n] as const);
    };
    const plus = (a = 0, b = 0) => a + b;
    meter.look(
      'kimserver_watch_restarts_total',
      'Watches that were begun.',
      each(({ watches }) => watches, plus),
      'counter',
    );
    meter.look(
      'kimserver_watch_relists_total',
      'Lists that were read.',
      each(({ lists }) => lists, plus),
      'counter',
    );
    meter.look(
      'kimserver_watch_last_event_seconds',
      'Since the last sign of life of the API server.',
      each(({ quietMs }) => quietMs / 1000, Math.max),
    );
  }

  get queue(): QueueObserver {
    const { adds, retries, waited, worked } = this.#m;
    return {
      added: () => adds.add(this.#queue),
      retried: () => retries.add(this.#queue),
      waited: (seconds) => waited.observe(this.#queue, seconds),
      worked: (seconds) => worked.observe(this.#queue, seconds),
    };
  }

  get runner(): RunnerObserver {
    const { total, errors, terminal, timeouts, panics, time } = this.#m;
    return {
      ran: (result, seconds) => {
        total.add({ ...this.#controller, result });
        time.observe(this.#controller, seconds);
        if (result === 'error') errors.add(this.#controller);
      },
      terminal: () => terminal.add(this.#controller),
      timedOut: () => timeouts.add(this.#controller),
      panicked: () => panics.add(this.#controller),
    };
  }

  /** For KubeClient's `observe`. */
  request({ method, host, code, seconds }: Seen): void {
    const { requests, requestTime } = this.#m;
    requests.add({ code, method, host });
    requestTime.observe({ verb: method, host }, seconds);
  }

  /** For KubeClient's `limited`. */
  limited(verb: string, host: string, seconds: number): void {
    this.#m.limited.observe({ verb, host }, seconds);
  }

  applied(kind: string, { what, conflicts }: Applied<unknown>): void {
    const { drift, conflicted } = this.#m;
    if (what === 'corrected') drift.add({ kind });
    if (conflicts.length > 0) conflicted.add({ kind }, conflicts.length);
  }
}

function families(meter: Meter) {
  return {
    total: meter.counter('controller_runtime_reconcile_total', 'Reconciles by what came of them.'),
    errors: meter.counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed.'),
    terminal: meter.counter('controller_runtime_terminal_reconcile_errors_total', 'Reconciles that failed and are not tried again.'),
    timeouts: meter.counter('controller_runtime_reconcile_timeouts_total', 'Reconciles that were told to give up.'),
    panics: meter.counter('controller_runtime_reconcile_panics_total', 'Reconciles that failed by a mistake of the program.'),
    time: meter.histogram('controller_runtime_reconcile_time_seconds', 'How long reconciles take.', RECONCILE_BOUNDS),
    concurrent: meter.gauge('controller_runtime_max_concurrent_reconciles', 'Reconciles that may run at a time.'),
    adds: meter.counter('workqueue_adds_total', 'Keys that were added.'),
    retries: meter.counter('workqueue_retries_total', 'Keys that were added again after a failure.'),
    waited: meter.histogram('workqueue_queue_duration_seconds', 'How long keys wait.', QUEUE_BOUNDS),
    worked: meter.histogram('workqueue_work_duration_seconds', 'How long keys are worked on.', QUEUE_BOUNDS),
    requests: meter.counter('rest_client_requests_total', 'Requests to the API server by their answer.'),
    requestTime: meter.histogram('rest_client_request_duration_seconds', 'Until the head of the answer.', RECONCILE_BOUNDS),
    limited: meter.histogram('rest_client_rate_limiter_duration_seconds', 'How long requests wait for their turn.', RECONCILE_BOUNDS),
    drift: meter.counter('kimserver_drift_corrections_total', 'Objects that somebody else had changed and that were put right.'),
    conflicted: meter.counter('kimserver_field_conflicts_total', 'Fields that were taken from other managers.'),
  };
}
