// What a plan is made from and what it says: everything that the operator decides in one pass, as data.

import type { KubeObject } from '../../kube/types.ts';
import type { Happened } from '../event-reasons.ts';
import type { DrainCause, KimClusterStatus } from '../status-types.ts';

/** An object to be applied, or one as it is; what stands beside its metadata is read field by field. */
export interface Manifest extends KubeObject {
  readonly [field: string]: unknown;
}

export interface PodCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
}

interface ContainerState {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
  };
}

/** As much of a pod as is looked at. */
export interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string; readonly containers?: readonly { readonly name: string; readonly image?: string }[] };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly PodCondition[];
    readonly containerStatuses?: readonly ContainerState[];
    readonly initContainerStatuses?: readonly ContainerState[];
  };
}

/** What a node said on its admin port a moment ago. Counts are since it started. */
export interface NodeView {
  readonly state: 'starting' | 'serving' | 'draining' | 'stopping';
  /** All that are open, links of other nodes among them. */
  readonly connections: number;
  /** Those that other nodes opened, if it is known. */
  readonly links?: number;
  /** Without those that leave. */
  readonly workers: number;
  readonly version: string;
  /** Options in effect, as GET /config has them. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Another one when they are others; nodes of the first releases do not say it. */
  readonly configDigest?: string | undefined;
  /** Replies, and those of them with a code that says that something failed. */
  readonly replies: number;
  readonly failures: number;
  /** Connections taken, and those of them that ended without anybody meaning it. */
  readonly accepted: number;
  readonly broken: number;
  /** What became of its clients since it drains. */
  readonly left?: { readonly moved: number; readonly closed: number; readonly forced: number };
  /** Directories that it can not reach. */
  readonly lostDirectories: readonly string[];
}

/** The operator itself, as it was installed. */
export interface OperatorFacts {
  readonly version: string;
  readonly namespace: string;
  /** Labels of its pods, for NetworkPolicies. */
  readonly podLabels: Readonly<Record<string, string>>;
  /** Its own image: for clusters that name none. */
  readonly image: string;
  readonly zookeeperImage: string;
  /** With which nodes judge its tokens; base64 (DER, SPKI). Empty: none. */
  readonly publicKey: string;
  /** Whether modules come as image volumes instead of being copied; Kubernetes 1.33 or later with that feature. */
  readonly imageVolumes: boolean;
}

/** Everything that is known besides the KimCluster. Nothing in it is changed. */
export interface Observed {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Letters and digits that stand for a text, at least 40 of them, the same everywhere: SHA-256 in hexadecimal. */
  hash(text: string): string;
  readonly operator: OperatorFacts;
  /**
   * Objects in the namespace of the cluster that carry its label (kimserver.io/cluster), and all that have a name that a plan wants,
   * whoever owns them. Pods are not among them.
   */
  readonly objects: readonly Manifest[];
  /** Pods with the label of the cluster, those that end included. */
  readonly pods: readonly Pod[];
  /** By name of the pod; a pod that does not answer is not in it. */
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** HorizontalPodAutoscalers of the namespace. */
  readonly autoscalers: readonly Manifest[];
  /** Whether the API server knows ServiceMonitors. */
  readonly hasServiceMonitors: boolean;
  /** When the status was written last, milliseconds since 1970; 0 for never. */
  readonly statusAt: number;
  /** The status as it stands in the cluster. */
  readonly status: KimClusterStatus | undefined;
}

/** What has to be done that is not an object to apply. Each may be done again without harm. */
export type Action =
  /** Say to the node that it shall leave: POST /drain. It stays until its pod goes. */
  | {
      readonly kind: 'drain';
      readonly pod: string;
      readonly cause: DrainCause;
      readonly seconds: number;
      /** Connections that the others can take in each second. */
      readonly perSecond: number;
    }
  /** Merge annotations into a pod: what is being done with it, and what its removal costs. */
  | { readonly kind: 'annotate'; readonly pod: string; readonly annotations: Readonly<Record<string, string>> }
  /** Delete a pod that serves nobody any more. */
  | { readonly kind: 'deletePod'; readonly pod: string; readonly uid: string }
  /** POST /workers. A node ignores what is older than what it was told last. */
  | { readonly kind: 'setWorkers'; readonly pod: string; readonly count: number; readonly generation: number }
  /** POST /settings: options that change in a running node. */
  | {
      readonly kind: 'setSettings';
      readonly pod: string;
      readonly config: Readonly<Record<string, unknown>>;
      readonly generation: number;
    }
  | { readonly kind: 'addFinalizer' }
  | { readonly kind: 'removeFinalizer' };

/** What people are told once, when it happens. */
export type PlanEvent = Happened;

/** An object that goes: by what it is and the uid that was seen, so that no other of its name is meant. */
export interface Removal {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** Everything that the operator decided in one pass. */
export interface Plan {
  /** In the order in which they are to be applied. */
  readonly apply: readonly Manifest[];
  readonly remove: readonly Removal[];
  readonly actions: readonly Action[];
  readonly events: readonly PlanEvent[];
  readonly status: KimClusterStatus;
  /** When to look again even if nothing is heard, in milliseconds. */
  readonly requeueMs: number;
}
