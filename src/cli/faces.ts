// One program with two faces: "kim" for nodes and files on this machine, "kubectl kim" for clusters in Kubernetes. The name that it is called by decides.

import { basename } from 'node:path';
import type { AnyCommand } from './command.ts';
import { commands, groups } from './commands.ts';
import { kubeCommands } from './kube/commands.ts';

export interface Face {
  /** What users type. */
  readonly name: string;
  readonly about: string;
  readonly commands: readonly AnyCommand[];
  readonly groups: Readonly<Record<string, string>>;
  /** Words in the order in which commands understand them. */
  order(words: readonly string[]): readonly string[];
}

const kim: Face = { name: 'kim', about: 'kimserver: long-lived TCP connections as a service', commands, groups, order: (words) => words };
const kubectlKim: Face = {
  name: 'kubectl kim',
  about: 'kimserver in Kubernetes: look into KimClusters and their pods, drain a pod, find a user',
  commands: kubeCommands,
  groups: {},
  order: flagsLast,
};

/** `program` is the path by which this process was started: kubectl looks for a program named kubectl-kim. */
export function faceOf(program: string): Face {
  return /^kubectl-kim(\.\w+)?$/.test(basename(program)) ? kubectlKim : kim;
}

/** Flags of kubectl that take a value. */
const WITH_VALUE = ['-n', '--namespace', '--context', '--kubeconfig', '-o', '--output'];

/** Flags of kubectl may stand before the command: "kubectl kim -n shop status". */
function flagsLast(words: readonly string[]): readonly string[] {
  let begin = 0;
  while (words[begin]?.startsWith('-') === true) begin += WITH_VALUE.includes(words[begin]!) ? 2 : 1;
  const command = words.slice(begin);
  return command.length === 0 ? words : [command[0]!, ...words.slice(0, begin), ...command.slice(1)];
}
