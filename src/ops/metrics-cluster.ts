// The metrics of the cluster: what workers count of it, and what the manager knows.

import { bindResults, greetResults, pushResults, spreadResults } from './cluster-stats.ts';
import { by, codes, counter, gauge, histogram, named, one, sample, type NodeRow, type StatsRow } from './metrics-row.ts';

export const clusterStatsRows: readonly StatsRow[] = [
  {
    ...counter('relayed_requests_total', 'requests', 'Requests that other nodes answered, by route and code of the reply', [
      'route',
      'code',
    ]),
    watch:
      'codes 14, 15, 16, 18 and 20 are faults on the way, all others came from the node that answered; docs/faults.md says what to do about each',
    samples: (s) => named('route', s.routes, codes),
  },
  {
    name: 'relay_duration_seconds',
    type: 'histogram',
    labels: ['route'],
    unit: 'seconds',
    help: 'Time from a request read at the gate to the answer of the other node, by route',
    watch:
      'minus kim_request_duration_seconds of the node that answers it is the way between them; rising alone: links wait, or the gate has too little CPU',
    samples: (s) => named('route', s.routes, histogram),
  },
  {
    ...gauge(
      'links',
      'links',
      'Links to workers of other nodes that are up, by who opened them; of incoming ones those of kimserver nodes',
      ['direction'],
    ),
    watch: 'falling without a rollout: nodes or the network are gone; GET /links has each',
    samples: (s) => by('direction', { outgoing: s.cluster.links.up, incoming: s.cluster.links.incoming }, []),
  },
  {
    ...counter('links_opened_total', 'links', 'Links that came up'),
    watch: 'grows when nodes come; else something closes links',
    samples: (s) => one(s.cluster.links.opened),
  },
  {
    ...counter('link_reconnects_total', 'links', 'Links that came up again after they had been lost'),
    watch: 'growing steadily: a node that flaps; a C++ node closes a link behind each unknown command',
    samples: (s) => one(s.cluster.links.reopened),
  },
  {
    ...counter('links_lost_total', 'links', 'Links that were up and ended'),
    watch: 'the log says why, and at which node',
    samples: (s) => one(s.cluster.links.lost),
  },
  {
    ...counter('link_failures_total', 'attempts', 'Links that could not be opened'),
    watch: 'a node is announced and can not be reached: is it alive, is its address right, does a firewall stand between',
    samples: (s) => one(s.cluster.links.failed),
  },
  {
    ...gauge('link_requests_in_flight', 'requests', 'Requests sent on links and not yet answered'),
    watch: 'rising without more load: the nodes behind the links wait for something',
    samples: (s) => one(s.cluster.links.inFlight),
  },
  {
    ...gauge('link_requests_waiting', 'requests', 'Requests that wait to be sent on a link'),
    watch: 'above zero for long: links do not open, or link_in_flight is reached, or a C++ node takes one at a time',
    samples: (s) => one(s.cluster.links.waiting),
  },
  {
    ...gauge('nodes_left_alone', 'nodes', 'Nodes that the breaker leaves alone now; for the node the most of any worker'),
    watch: 'above zero: GET /members says which, and the log why',
    samples: (s) => one(s.cluster.leftAlone),
  },
  {
    ...counter('breaker_opened_total', 'times', 'How often a worker began to leave a node alone'),
    watch: 'each time sessions of that node went to others',
    samples: (s) => one(s.cluster.breakerOpened),
  },
  {
    ...gauge('remote_sessions', 'sessions', 'Sessions of clients of gates that are served here'),
    watch: 'close to max_remote_sessions: more logic nodes; far apart between nodes: see the shares in GET /routes',
    samples: (s) => one(s.cluster.remoteSessions),
  },
  {
    ...gauge('users', 'users', 'Users whose clients are connected here'),
    watch: 'far below the connections: clients do not log in',
    samples: (s) => one(s.cluster.users),
  },
  {
    ...gauge('lost_sessions', 'sessions', 'Sessions of clients that began with HELLO, lost their connections and may come back'),
    watch: 'at max_lost_sessions the oldest of them end before their time',
    samples: (s) => one(s.cluster.lostSessions),
  },
  {
    ...counter('greetings_total', 'times', 'Clients that began with HELLO and what became of their sessions, by result', ['result']),
    watch:
      'begun and resumed are WELCOMEs; unknown: tokens that nobody knew, as after a gate that was killed; expired: nobody came back within resume_ms; asked: clients that were sent MOVE',
    samples: (s) => by('result', s.cluster.greetings, greetResults),
  },
  {
    ...counter('pushes_total', 'messages', 'Messages to one user that were sent from here, by result', ['result']),
    watch: 'failed: the gate of the user did not answer, or too much waits; slow: clients do not read',
    samples: (s) => by('result', s.cluster.pushes, pushResults),
  },
  {
    ...counter(
      'group_messages_total',
      'messages',
      'Messages to groups and to everybody that were sent from here, each client counted, by result',
      ['result'],
    ),
    watch: 'failed counts gate workers that did not answer, whose clients may have missed a message',
    samples: (s) => by('result', s.cluster.spreads, spreadResults),
  },
  {
    ...counter('locator_lookups_total', 'times', 'How often it was looked up where a user is, by whether the cache knew', ['result']),
    watch: 'many misses: messages to users who are not there, or more users than the cache holds',
    samples: (s) => by('result', { hit: s.cluster.locator.hits, miss: s.cluster.locator.misses }, []),
  },
  {
    ...counter('locator_asks_total', 'users', 'Users that all gate workers were asked for'),
    watch: 'each costs a message to every gate worker',
    samples: (s) => one(s.cluster.locator.asks),
  },
  {
    ...counter('binds_total', 'logins', 'Logins of clients of this node as users, by result', ['result']),
    watch: 'replaced: users log in a second time; refused: second_login does not let them; unknown: a gate did not answer',
    samples: (s) => by('result', s.cluster.binds, bindResults),
  },
];

export const clusterNodeRows: readonly NodeRow[] = [
  {
    ...gauge('members', 'nodes', 'Nodes of the cluster as this one knows them, itself included', ['type', 'source', 'state']),
    watch: 'must be the same on all nodes but for seconds; less than are running: their directory is lost, see kim_directory_up',
    samples: ({ cluster }) => cluster.members.map(({ type, source, state, nodes }) => sample({ type, source, state }, nodes)),
  },
  {
    ...gauge('members_version', '', 'Goes up with each change of the members, and of the rings made of them'),
    watch: 'growing all the time: a node that comes and goes',
    samples: ({ cluster }) => one(cluster.version),
  },
  {
    ...gauge('directory_up', '', '1 while a directory works, else 0', ['directory']),
    watch: '0: what is known stays known, but nobody new is seen; GET /status says what is wrong',
    samples: ({ cluster }) => cluster.directories.map(({ name, state }) => sample({ directory: name }, state === 'up' ? 1 : 0)),
  },
  {
    ...gauge('announced', '', '1 once the own record was read back from a directory; 0 before, and for a node that is alone'),
    watch: '0 on a node that should be found: its directory can not be written',
    samples: ({ cluster }) => one(cluster.announced ? 1 : 0),
  },
];
