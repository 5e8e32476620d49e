// The table of faults: everything a peer can be told by number, with its meaning and what to do about it.
// Codes 0-21, 11001-11009 and 12001-12009 are co_kimserver's (its error.h); clients in the field switch on them, so they never change.

interface FaultRow {
  readonly code: number;
  readonly text: string;
  readonly meaning: string;
  readonly cure: string;
}

/** Every fault by name. `text` is what the peer reads when nothing more exact is said; docs/faults.md is made from this table. */
export const faults = {
  ok: { code: 0, text: 'ok', meaning: 'the request was answered', cure: 'nothing to do' },
  failed: {
    code: 1,
    text: 'internal error',
    meaning: 'a handler threw an error that is not a fault',
    cure: 'look for the trace id of the reply in the log of the node',
  },
  invalidMessage: {
    code: 2,
    text: 'invalid request data',
    meaning: 'the data of the request does not parse as what the command takes',
    cure: 'the text names the field; compare the request with the types of the module',
  },
  invalidWorker: {
    code: 3,
    text: 'invalid worker index!',
    meaning: 'a node asked for a worker that does not exist',
    cure: 'the asking node has an old table of nodes; it is right again when its directory is',
  },
  unknownCommand: {
    code: 4,
    text: 'invalid cmd!',
    meaning: 'no module answers this command; a client connection is closed after this reply',
    cure: 'list the commands with "kim modules list" and compare "modules" in the configuration',
  },
  invalidParams: { code: 5, text: 'invalid parameters', meaning: 'a value is out of range', cure: 'the text names it' },
  invalidConnection: {
    code: 6,
    text: 'invalid connection',
    meaning: 'the connection is not fit for this request',
    cure: 'connect to the port that the command is meant for',
  },
  sendFailed: { code: 7, text: 'send failed', meaning: 'bytes could not be sent', cure: 'send the request again' },
  encodeFailed: {
    code: 8,
    text: 'encode failed',
    meaning: 'a handler returned what cannot be encoded as the reply of the command',
    cure: 'the log names the field; compare the reply with the type in the module',
  },
  invalidProcess: {
    code: 9,
    text: 'not available in this process',
    meaning: 'something was asked of the manager that only workers do, or the reverse',
    cure: 'this is a defect of a module or of the node; report it',
  },
  invalidPacket: { code: 10, text: 'invalid packet', meaning: 'bytes that are not a frame', cure: 'check codec and port' },
  invalidResponse: {
    code: 11,
    text: 'invalid response',
    meaning: 'another node answered with something that is not an answer',
    cure: 'compare the versions of the nodes',
  },
  transferFailed: {
    code: 12,
    text: 'transfer failed',
    meaning: 'a connection could not be passed to a worker',
    cure: 'connect again; the log of the manager has the reason',
  },
  transferDone: { code: 13, text: 'transfer done', meaning: 'internal: the connection now lives in a worker', cure: 'none' },
  connectFailed: {
    code: 14,
    text: 'node connect failed',
    meaning: 'no connection to the other node could be made',
    cure: 'check that the node runs and that its node port can be reached',
  },
  noNode: {
    code: 15,
    text: 'can not find node',
    meaning: 'no node of the wanted type is known',
    cure: 'start one, and check that both nodes use the same directory',
  },
  noConnection: {
    code: 16,
    text: 'can not find connection',
    meaning: 'the connection that a message was meant for is gone',
    cure: 'the client left; nothing to do',
  },
  readFailed: { code: 17, text: 'read failed', meaning: 'reading from a peer failed', cure: 'send the request again' },
  timeout: {
    code: 18,
    text: 'request timed out',
    meaning: 'the answer did not come within its deadline',
    cure: 'raise timeoutMs of the command or request_timeout_ms, or find what the handler waits for',
  },
  decodeFailed: {
    code: 19,
    text: 'packet decode failed',
    meaning: 'a body that came over a link between nodes does not parse',
    cure: 'compare the versions of the nodes',
  },
  closed: {
    code: 20,
    text: 'connection closed',
    meaning: 'the connection closed before the answer came',
    cure: 'send the request again when it may be done twice',
  },
  databaseExit: { code: 21, text: 'database manager exit', meaning: 'the database pool is closing', cure: 'try again later' },
  commandStep: { code: 101, text: 'exec step', meaning: 'first version only: a command went to its next step', cure: 'none' },
  commandTimeout: { code: 102, text: 'exec command timeout', meaning: 'first version only: a command timed out', cure: 'try again' },
  redisConnectFailed: { code: 11001, text: 'redis connect failed', meaning: 'no connection to Redis', cure: 'check host and port' },
  redisDisconnect: { code: 11002, text: 'redis disconnected', meaning: 'the connection to Redis was lost', cure: 'try again' },
  redisReadFailed: { code: 11003, text: 'read redis failed!', meaning: 'a read from Redis failed', cure: 'see the log' },
  redisWriteFailed: { code: 11004, text: 'write redis failed!', meaning: 'a write to Redis failed', cure: 'see the log' },
  redisNoConnection: { code: 11005, text: 'no redis connection', meaning: 'no connection was free', cure: 'raise max_conn_cnt' },
  redisOverLimit: { code: 11006, text: 'too many redis tasks', meaning: 'the queue for Redis is full', cure: 'raise max_conn_cnt' },
  redisCleared: { code: 11007, text: 'redis tasks cleared', meaning: 'queued commands were dropped on exit', cure: 'try again' },
  redisAppendFailed: { code: 11008, text: 'append redis command failed', meaning: 'a command was refused', cure: 'see the log' },
  redisReplyFailed: { code: 11009, text: 'get redis reply failed', meaning: 'Redis sent no usable reply', cure: 'see the log' },
  mysqlFailed: { code: 12001, text: 'mysql failed', meaning: 'the database failed', cure: 'see the log' },
  mysqlConnection: { code: 12002, text: 'get mysql connection failed', meaning: 'no connection was free', cure: 'raise max_conn_cnt' },
  mysqlInvalidQuery: { code: 12003, text: 'invalid query sql', meaning: 'a read was asked to write', cure: 'use a write' },
  mysqlQueryFailed: { code: 12004, text: 'mysql query failed', meaning: 'a query failed', cure: 'see the log' },
  mysqlExecFailed: { code: 12005, text: 'mysql exec failed', meaning: 'a write failed', cure: 'see the log' },
  mysqlNoNode: {
    code: 12006,
    text: 'can not find mysql node',
    meaning: 'no database of that name',
    cure: 'see "database" in the configuration',
  },
  mysqlOverLimit: { code: 12007, text: 'too many mysql tasks', meaning: 'the queue for the database is full', cure: 'raise max_conn_cnt' },
  mysqlTimeout: { code: 12008, text: 'mysql task timed out', meaning: 'the database was too slow', cure: 'see the slow log' },
  mysqlConnectFailed: { code: 12009, text: 'mysql connect failed', meaning: 'no connection to the database', cure: 'check host and port' },
} as const satisfies Record<string, FaultRow>;

export type FaultName = keyof typeof faults;

/** What a connection was closed for, or a new one refused: the label `reason` of the metrics, and of the log. */
export type CloseReason =
  | 'peer' // the other end closed
  | 'reset' // the other end reset, or the network failed
  | 'frame' // bytes that are not a frame, or a body that does not parse
  | 'size' // a frame above max_frame
  | 'unknown_command'
  | 'idle' // nothing came for keep_alive
  | 'first_byte' // nothing came at all
  | 'slow_sender' // a frame was not finished in time
  | 'slow_reader' // replies were not read in time
  | 'outgoing' // more unsent bytes than outgoing_burst
  | 'memory' // the budget of the worker was exceeded and this one held most
  | 'drain'
  | 'module' // a module closed it
  | 'worker' // the worker ended
  | 'max_clients'
  | 'max_clients_per_address'
  | 'accept_queue'
  | 'not_ready';

/** An error meant for the peer: its code and text go into the reply. Anything else that is thrown becomes code 1 and a log line. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly fault: FaultName;
  readonly code: number;

  /** `text` is sent to the peer; without it the text of the table is. */
  constructor(fault: FaultName, text?: string, options?: ErrorOptions) {
    super(text ?? faults[fault].text, options);
    this.fault = fault;
    this.code = faults[fault].code;
  }
}

/** The fault of a code, for people: undefined for codes that an application made up. */
export function faultByCode(code: number): (FaultRow & { name: FaultName }) | undefined {
  for (const [name, row] of Object.entries(faults)) if (row.code === code) return { name: name as FaultName, ...row };
  return undefined;
}
