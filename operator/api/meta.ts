/** The parts of Kubernetes objects that we read or write; nothing that we ignore is named. Types only. */

export type Labels = Readonly<Record<string, string>>;

export type Meta = {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly generation?: number;
  readonly resourceVersion?: string;
  /** RFC 3339. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly ownerReferences?: readonly OwnerReference[];
};

export type OwnerReference = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
};

/** Any object. */
export type KubeObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Meta;
};

export type Condition = {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word in CamelCase. */
  readonly reason: string;
  /** A sentence. */
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
};

export type Pod = KubeObject & {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Pick<
      Condition,
      'type' | 'status' | 'lastTransitionTime' | 'reason' | 'message'
    >[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
};

export type ContainerStatus = {
  readonly name: string;
  readonly restartCount: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: unknown;
    readonly terminated?: ContainerEnd;
  };
  readonly lastState?: { readonly terminated?: ContainerEnd };
};

export type ContainerEnd = {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
};

export type ReplicaSet = KubeObject & {
  readonly spec: { readonly replicas?: number; readonly template?: unknown };
  readonly status?: {
    readonly replicas?: number;
    readonly observedGeneration?: number;
    readonly conditions?: readonly Pick<Condition, 'type' | 'status' | 'reason' | 'message'>[];
  };
};

export type ConfigMap = KubeObject & {
  readonly data?: Readonly<Record<string, string>>;
  /** Base64. */
  readonly binaryData?: Readonly<Record<string, string>>;
};

export type Secret = KubeObject & { readonly data?: Readonly<Record<string, string>> };

/** Its labels say what PodSecurity enforces. */
export type Namespace = KubeObject;

export type Node = KubeObject & {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: {
    readonly nodeInfo?: { readonly kubeletVersion: string; readonly kernelVersion: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly runtimeHandlers?: readonly {
      readonly name: string;
      readonly features?: { readonly userNamespaces?: boolean };
    }[];
  };
};
