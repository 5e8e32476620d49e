// The numbers that the system itself uses (co_kimserver protocol.h). A reply is always the command + 1 with the same seq.
// Clients never reach them: with the protobuf codec a client that sends one is answered like any unknown command.

/** Applications use 1000 and more; 999 ends the system's range (CMD_SYS_END). */
export const FIRST_CLIENT_COMMAND = 1000;

export const commands = {
  /** A worker asks the node port of another node for the worker whose index is the data, as decimal text. */
  connectToWorker: 21,
  /** Then tells that worker who it is: data is target_node; the reply carries the other's. */
  tellWorker: 23,
  /** One of ours asks a node port who is there, and is told again whenever that changes; data of the answers is in wire/proto/nodes.proto. */
  describe: 25,
  /** On an idle link, every 2 s; data is the text "heartbeat". */
  heartbeat: 31,
  addNode: 41,
  deleteNode: 43,
  syncNodes: 45,
  registerNode: 47,
  updatePayload: 49,
} as const;

/** Above are commands between workers of ours, and those of applications. */
export const LAST_ORIGINAL = 60;

/** Between workers of ours; odd ones ask, even ones answer. */
export const isControl = (cmd: number): boolean => cmd >= 61 && cmd <= 99;

/** A client has left the gate that says so (cluster/farewell.ts); it has no answer. */
export const FAREWELL = 99;
