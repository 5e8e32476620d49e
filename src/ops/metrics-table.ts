// Every metric there is: name, type, labels, meaning and what to look at. Exposition and docs/metrics.md both come from this table.

import { clusterNodeRows, clusterStatsRows } from './metrics-cluster.ts';
import { by, codes, counter, gauge, histogram, named, one, sample, type NodeRow, type StatsRow } from './metrics-row.ts';
import { closings, refusals } from './reasons.ts';
import { nodeStates, workerStates } from './snapshot.ts';

export const statsRows: readonly StatsRow[] = [
  {
    ...gauge('connections', 'connections', 'Connections being served, links of other nodes among them'),
    watch:
      'far apart between workers for long: connections are long-lived and were not spread anew; close to max_clients: more workers or nodes',
    samples: (s) => one(s.connections),
  },
  {
    ...counter('connections_accepted_total', 'connections', 'New connections taken by a worker'),
    watch: 'a jump is a storm of reconnects; look at what closed them before',
    samples: (s) => one(s.accepted),
  },
  {
    ...counter('connections_adopted_total', 'connections', 'Connections taken over from another worker'),
    watch: 'grows only while workers are rolled or their number changes',
    samples: (s) => one(s.adopted),
  },
  {
    ...counter('connections_handed_over_total', 'connections', 'Connections given to another worker'),
    watch: 'for the node equal to the adopted ones; if not, connections were lost on the way and the log says why',
    samples: (s) => one(s.handedOver),
  },
  {
    ...counter('connections_closed_total', 'connections', 'Connections closed, by reason', ['reason']),
    watch: 'anything but peer and idle deserves a look; the table of reasons is below',
    samples: (s) => by('reason', s.closed, closings),
  },
  {
    ...counter('connections_refused_total', 'connections', 'New connections closed at once, by reason', ['reason']),
    manager: true,
    watch: 'above zero, clients are turned away: raise the limit that the reason names, or add workers or nodes',
    samples: (s) => by('reason', s.refused, refusals),
  },
  {
    ...counter('frames_received_total', 'frames', 'Frames received'),
    watch: 'the rate is the load',
    samples: (s) => one(s.framesIn),
  },
  {
    ...counter('frames_sent_total', 'frames', 'Frames sent, replies and pushes'),
    watch: 'much more than received: pushes; less: requests wait or fail',
    samples: (s) => one(s.framesOut),
  },
  {
    ...counter('bytes_received_total', 'bytes', 'Bytes received'),
    watch: 'divided by the frames: the size of a request',
    samples: (s) => one(s.bytesIn),
  },
  {
    ...counter('bytes_sent_total', 'bytes', 'Bytes handed to sockets'),
    watch: 'compare with what the network can carry',
    samples: (s) => one(s.bytesOut),
  },
  {
    ...counter('requests_total', 'requests', 'Requests answered by modules of this node, by command and code of the reply', [
      'command',
      'code',
    ]),
    watch: 'the share of codes other than 0 is the error rate; docs/faults.md says what to do about each code',
    samples: (s) => named('command', s.commands, codes),
  },
  {
    name: 'request_duration_seconds',
    type: 'histogram',
    labels: ['command'],
    unit: 'seconds',
    help: 'Time from the bytes read to the reply handed to the socket, by command',
    watch:
      'histogram_quantile(0.99, ...) is what one client in a hundred waits; rising with the loop lag: too little CPU; alone: what the handler waits for',
    samples: (s) => named('command', s.commands, histogram),
  },
  {
    ...gauge('requests_in_flight', 'requests', 'Requests not yet answered'),
    watch: 'rising without more load: handlers wait for something',
    samples: (s) => one(s.inFlight),
  },
  {
    ...gauge('outgoing_bytes', 'bytes', 'Bytes written to sockets that the kernel has not taken yet'),
    watch: 'rising: clients read slower than they are sent to',
    samples: (s) => one(s.outgoingBytes),
  },
  {
    ...gauge('held_bytes', 'bytes', 'Bytes of frames that are unfinished or not yet handled'),
    watch: 'rising: slow senders, or more requests than handlers manage',
    samples: (s) => one(s.heldBytes),
  },
  {
    ...gauge('reading_paused_connections', 'connections', 'Connections that are not read for now, because a limit was reached'),
    watch: 'short peaks are the limits at work; a constant number means that a limit is too low or handlers are too slow',
    samples: (s) => one(s.paused),
  },
  {
    ...counter('limit_hits_total', 'times', 'How often a limit took effect, by its configuration key', ['limit']),
    manager: true,
    watch: 'the limit that grows is the one to raise, or the one that protects you; docs/configuration.md describes each',
    samples: (s, limits) => by('limit', s.limits, limits),
  },
  {
    ...gauge('event_loop_lag_seconds', 'seconds', 'Longest delay of the event loop in the last second; for the node the longest of all'),
    manager: true,
    watch: 'above 0.1 everybody on that worker waits: a handler computes too long, or the machine has too little CPU',
    samples: (s) => one(s.loopLagSeconds),
  },
  {
    ...gauge('process_resident_memory_bytes', 'bytes', 'Resident memory of the process'),
    manager: true,
    watch: 'rising while the connections do not: a leak; kill -USR2 prints the ledger',
    samples: (s) => one(s.rssBytes),
  },
  {
    ...counter('process_cpu_seconds_total', 'seconds', 'CPU time of the process, user and system'),
    manager: true,
    watch: 'a rate near 1 for a worker is a full core: more workers',
    samples: (s) => one(s.cpuSeconds),
  },
  ...clusterStatsRows,
];

export const nodeRows: readonly NodeRow[] = [
  {
    ...gauge('info', '', 'Always 1; the labels say what runs', ['name', 'type', 'version']),
    watch: 'several versions at once outside a rollout',
    samples: (s) => [sample({ name: s.name, type: s.type, version: s.version }, 1)],
  },
  {
    ...gauge('ready', '', '1 when the node takes new connections, else 0'),
    watch: '0 for more than a minute: GET /readyz gives the reasons',
    samples: (s) => one(s.ready ? 1 : 0),
  },
  {
    ...gauge('state', '', '1 for the state the node is in, 0 for the others', ['state']),
    watch: 'draining for longer than drain_ms',
    samples: (s) => nodeStates.map((state) => sample({ state }, s.state === state ? 1 : 0)),
  },
  {
    ...gauge('start_time_seconds', 'seconds', 'When the node started, in seconds since 1970'),
    watch: 'changes: the whole node was restarted',
    samples: (s) => one(Date.parse(s.startedAt) / 1000),
  },
  {
    ...gauge('workers', 'workers', 'Worker processes by state', ['state']),
    watch: 'held above 0: a worker dies at once again and again; the log has its last words',
    samples: (s) => workerStates.map((state) => sample({ state }, s.workers.filter((worker) => worker.state === state).length)),
  },
  {
    ...counter('worker_restarts_total', 'times', 'How often a worker was started again after it died', ['worker']),
    watch: 'any growth is a crash; its clients saw a close',
    samples: (s) => s.workers.map((worker) => sample({ worker: String(worker.index) }, worker.restarts)),
  },
  {
    ...counter('manager_connections_accepted_total', 'connections', 'Connections accepted by the manager, to be passed to workers'),
    watch: 'zero with is_reuseport, where workers accept themselves',
    samples: (s) => one(s.manager.accepted),
  },
  {
    ...counter('passes_total', 'connections', 'Connections passed to a worker, clients and nodes'),
    watch: 'stays behind what the manager accepted when connections leave before they are passed',
    samples: (s) => one(s.manager.passes),
  },
  {
    ...gauge('pass_queue', 'connections', 'Connections accepted and not yet taken by a worker'),
    watch: 'above zero for long: workers are too busy to take connections; is_reuseport suits storms better',
    samples: (s) => one(s.manager.passQueue),
  },
  ...clusterNodeRows,
];
