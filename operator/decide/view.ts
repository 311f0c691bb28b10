import type { SocketServer } from '../api/types.ts';
import type { Inputs } from './inputs.ts';
import type { ClusterFacts } from './tuning.ts';

/** What the operator sees of a server before it decides. Times are milliseconds since 1970. Types only. */

/** One server of a service, as `POST /peers` takes it. */
export type Member = { readonly id: string; readonly address: string };

/** Where the servers are that programs may use: the body of `POST /peers`. A missing service is one without servers of ours. */
export type Peers = {
  readonly version: number;
  readonly channel?: readonly Member[];
  readonly gateway?: readonly Member[];
};

/** A pod of a server that others refer to. */
export type PeerPod = {
  readonly name: string;
  readonly ip?: string;
  readonly ready: boolean;
  /** It drains, or is on its way out. */
  readonly leaving: boolean;
  readonly over: boolean;
  /** What its admin port said last, however long ago; `undefined` if this operator has not heard it yet. */
  readonly gateways?: readonly string[];
};

/** What a reference leads to. `what` is as in `ChannelServer events`. */
export type PeerSource =
  | { readonly is: 'missing'; readonly what: string }
  | { readonly is: 'addresses'; readonly what: string; readonly addresses: readonly string[] }
  | { readonly is: 'pods'; readonly what: string; readonly pods: readonly PeerPod[] };

/** By service; one without a reference is not there. */
export type PeerSources = { readonly channel?: PeerSource; readonly gateway?: PeerSource };

/** What a pod's admin port said. */
export type PodAnswer = {
  /** `starting`, `running`, `held`, `draining` or `stopping`. */
  readonly phase: string;
  readonly connections: number;
  /** Digest of the code that its processes run. */
  readonly code?: string;
  /** Digest of its hot configuration. */
  readonly config?: string;
  /** Processes of each Worker. */
  readonly counts: Readonly<Record<string, number>>;
  readonly reload?: {
    readonly state: 'running' | 'done' | 'failed';
    readonly reason?: string;
  };
  /** Effective kernel settings. */
  readonly sysctls: Readonly<Record<string, string>>;
  /** Version of the list of peers that it has. */
  readonly peers?: number;
};

/** How the program of a pod ended last, and how often it has. */
export type Crash = { readonly exitCode: number; readonly times: number };

export type PodView = {
  readonly name: string;
  readonly revision: string;
  readonly ready: boolean;
  /** Since when it has been ready, or not. */
  readonly since: number;
  readonly createdAt: number;
  readonly terminating: boolean;
  readonly open: boolean;
  readonly drainSince?: number;
  /** It is marked as the one to remove. */
  readonly going: boolean;
  /** What its last reload was for. */
  readonly reloadedFor?: string;
  /** Digest of the code that it was told to mount. */
  readonly codeTold?: string;
  /** Why it does not become ready, if that is known: `ImagePullBackOff: …`. */
  readonly problem?: string;
  readonly crash?: Crash;
  /** Name of its node, once it has one. */
  readonly node?: string;
  /** Phase `Failed` or `Succeeded`: it will never run again. */
  readonly over: boolean;
  readonly answer?: PodAnswer;
  /** Why there is no answer. */
  readonly silence?: string;
};

export type SetView = {
  readonly name: string;
  readonly revision: string;
  readonly number: number;
  readonly replicas: number;
  readonly inputs: Inputs;
  /** Sysctls that its pods were meant to have and do not, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
  /** Why it cannot make its pods, as with a quota, in the API server's words. */
  readonly failure?: string;
};

export type Observed = {
  /** With every default in its spec. */
  readonly server: SocketServer;
  readonly sets: readonly SetView[];
  readonly pods: readonly PodView[];
  /** Digest of the files in `code.configMap`, if the server has one and it is there. */
  readonly code?: string;
  /** Digest of `config`. */
  readonly config: string;
  /** Objects that the spec names and that are not there, as `ConfigMap chat-code`. */
  readonly missing: readonly string[];
  /** What the API server refused, in its words. */
  readonly refused?: string;
  /** For a server that refers to others, or did. */
  readonly peers?: { readonly sources: PeerSources; readonly now: Peers | undefined };
  /** Servers that are not ours do its work, as `the 3 NATS servers in spec.nats.servers`: it has no pods. */
  readonly elsewhere?: string;
  readonly cluster: ClusterFacts;
  readonly now: number;
};

/** Something that a pod itself is asked to do. */
export type PodAction =
  | { readonly do: 'drain'; readonly pod: string }
  | { readonly do: 'undrain'; readonly pod: string }
  /** Writes down what code it should mount, and that a reload for `want` begins. */
  | { readonly do: 'reload'; readonly pod: string; readonly want: string }
  /** Writes down that it is as wanted already. */
  | { readonly do: 'adopt'; readonly pod: string; readonly want: string }
  | { readonly do: 'config'; readonly pod: string }
  /** Gives it the list of peers. */
  | { readonly do: 'peers'; readonly pod: string };

/** Something that is done to objects. */
export type ObjectAction =
  | {
      readonly do: 'create-set';
      readonly revision: string;
      readonly number: number;
      readonly replicas: number;
    }
  | { readonly do: 'scale-set'; readonly set: string; readonly replicas: number }
  /** Its revision is wanted again: the highest number is the newest. */
  | { readonly do: 'number-set'; readonly set: string; readonly number: number }
  | { readonly do: 'delete-set'; readonly set: string }
  | { readonly do: 'open'; readonly pod: string }
  | { readonly do: 'close'; readonly pod: string }
  /** Marks it as the one to remove, or takes that back. */
  | { readonly do: 'mark'; readonly pod: string; readonly going: boolean }
  | {
      readonly do: 'event';
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    };

/** What is to be done, in order. */
export type Action = PodAction | ObjectAction;
