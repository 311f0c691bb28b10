import type { Condition, KubeObject, Labels } from './meta.ts';

/**
 * `SocketServer` as it is after the API server has put in the defaults of `schema.ts`: what has a default is always
 * there. Types only; each field is described in the schema, which is what `kubectl explain` shows.
 */

export type SocketServer = KubeObject & {
  readonly spec: SocketServerSpec;
  readonly status?: SocketServerStatus;
};

export type SocketServerSpec = {
  readonly replicas: number;
  readonly image: string;
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  /** Path of the program in the image; or of the file in `code.configMap`. */
  readonly app: string;
  readonly code?: { readonly configMap: string };
  readonly workers: readonly WorkerSpec[];
  readonly config: Readonly<Record<string, string>>;
  readonly env: readonly unknown[];
  readonly envFrom: readonly unknown[];
  readonly resources: unknown;
  readonly service: ServiceSpec;
  readonly drain: DrainSpec;
  readonly rollout: RolloutSpec;
  readonly limits: LimitsSpec;
  readonly tuning: TuningSpec;
  readonly channelRef?: Reference;
  readonly gatewayRef?: Reference;
  /** A strategic patch of the pod template, bounded by what the schema lists. */
  readonly podTemplate: PodPatch;
};

/** An object of the same namespace. */
export type Reference = { readonly name: string };

export type WorkerSpec = {
  readonly name: string;
  readonly count?: number;
  /** `scheme://host:port`. Without it the program's own address counts, and the Service has no port for it. */
  readonly listen?: string;
  /** Port of the Service, if it is not the one that is listened on. */
  readonly servicePort?: number;
};

export type ServiceSpec = {
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'None';
  readonly annotations: Labels;
  readonly externalTrafficPolicy?: 'Cluster' | 'Local';
  readonly loadBalancerClass?: string;
};

export type DrainSpec = { readonly propagationSeconds: number; readonly windowSeconds: number };

export type RolloutSpec = {
  /** A number, or a share of `replicas` as `25%`. */
  readonly maxSurge: number | string;
  readonly maxUnavailable: number | string;
  readonly minReadySeconds: number;
  readonly paused: boolean;
  /** 0: derived from replicas, drain and minReadySeconds. */
  readonly progressDeadlineSeconds: number;
  readonly revisionHistoryLimit: number;
};

export type LimitsSpec = {
  readonly maxConnections?: number;
  readonly messagesPerSecond?: number;
  readonly maxConnectionAge?: number;
};

export type TuningMode = 'Safe' | 'UserNamespace' | 'KubeletAllowed' | 'Privileged' | 'Off';

export type TuningSpec = {
  readonly mode: TuningMode;
  /** Added to the defaults of the mode; an empty text takes a default away. */
  readonly sysctls: Readonly<Record<string, string>>;
};

export type PodPatch = {
  readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec?: Readonly<Record<string, unknown>>;
};

/** As it is after the API server has put in the defaults of `schema-channel.ts`. */
export type ChannelServer = KubeObject & {
  readonly spec: ChannelServerSpec;
  /** The same as of a `SocketServer`. */
  readonly status?: SocketServerStatus;
};

export type ChannelServerSpec = Pick<
  SocketServerSpec,
  | 'replicas'
  | 'imagePullPolicy'
  | 'imagePullSecrets'
  | 'resources'
  | 'drain'
  | 'rollout'
  | 'tuning'
  | 'podTemplate'
> & {
  readonly engine: 'builtin' | 'nats';
  readonly nats?: { readonly servers: readonly string[] };
  readonly image?: string;
  /** Bytes that a pod keeps of all channels with history. */
  readonly history: { readonly maxBytes: number };
};

/** What an edit needs, from the cheapest to the dearest. */
export type ChangeClass = 'None' | 'Hot' | 'WorkerReload' | 'PodReplacement' | 'Scale';

export type Phase =
  | 'Pending'
  | 'Running'
  | 'Updating'
  | 'Reloading'
  | 'Scaling'
  | 'Paused'
  | 'Degraded'
  | 'Stalled'
  | 'Invalid'
  | 'Deleting';

/** The change under way, or the last one. Times are RFC 3339. */
export type ChangeStatus = {
  readonly class: ChangeClass;
  /** The fields that changed, as in `image, env`. */
  readonly reason: string;
  readonly startedAt: string;
  readonly finishedAt?: string;
  /** As in `2 of 4 pods`. */
  readonly progress: string;
  /** When that last changed. */
  readonly progressedAt: string;
  /** When it will be done if all goes on as it does; only while it runs. */
  readonly expectedAt?: string;
};

export type PodStatus = {
  readonly name: string;
  readonly revision: string;
  readonly ready: boolean;
  /** Whether the Service sends new connections to it. */
  readonly open: boolean;
  readonly connections?: number;
  /** `Starting`, `Serving`, `Closed`, `Draining`, `Terminating`, or why nothing is known. */
  readonly state: string;
};

export type SocketServerStatus = {
  readonly observedGeneration?: number;
  /** Pods that are not terminating; what the scale sub-resource shows. */
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Ready pods of the wanted revision, with the wanted code. */
  readonly updatedReplicas: number;
  readonly drainingReplicas: number;
  /** Of all pods, terminating ones included. */
  readonly connections: number;
  /** Labels of all pods, for the scale sub-resource. */
  readonly selector: string;
  /** Name of the wanted revision, and its number: 1, 2, 3 …; 0 while nothing has been made. */
  readonly revision: string;
  readonly revisionNumber: number;
  readonly phase: Phase;
  readonly change?: ChangeStatus;
  readonly conditions: readonly Condition[];
  /** At most 50, the least ready first. */
  readonly pods: readonly PodStatus[];
};
