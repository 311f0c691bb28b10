import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CHARTS,
  commandPath,
  type KubeObject,
  objects,
  rendered,
  template,
} from '../../../tools/helm.ts';

/** What the tests of both charts need. */

export const NO_HELM: string | undefined =
  commandPath('helm') === undefined
    ? 'there is no helm on PATH or in CLUSTER_HOME/bin; test/cluster/cluster build makes it'
    : undefined;

export const NO_PROMTOOL: string | undefined =
  commandPath('promtool') === undefined
    ? "there is no promtool on PATH; it comes with Debian's package prometheus"
    : undefined;

/** Names of the values files that a chart has to work with. */
export function ciValues(chart: string): string[] {
  return readdirSync(join(CHARTS, chart, 'ci')).sort();
}

/** Arguments that make helm use one of them. */
export function using(chart: string, file: string): string[] {
  return ['--values', join(CHARTS, chart, 'ci', file)];
}

/** `Kind namespace/name` of each. */
export function namesOf(all: readonly KubeObject[]): string[] {
  return all.map(({ kind, metadata }) =>
    metadata.namespace === undefined
      ? `${kind} ${metadata.name}`
      : `${kind} ${metadata.namespace}/${metadata.name}`,
  );
}

/** The one object of this kind, and of this name if one is given. */
export function one(all: readonly KubeObject[], kind: string, name?: string): KubeObject {
  const found = all.filter(
    (each) => each.kind === kind && (name === undefined || each.metadata.name === name),
  );
  if (found.length !== 1 || !found[0])
    throw new Error(`${found.length} x ${kind} ${name ?? ''} in ${namesOf(all).join(', ')}`);
  return found[0];
}

type Security = {
  readonly runAsNonRoot?: boolean;
  readonly runAsUser?: number;
  readonly allowPrivilegeEscalation?: boolean;
  readonly readOnlyRootFilesystem?: boolean;
  readonly privileged?: boolean;
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] };
  readonly seccompProfile?: { readonly type: string };
};
export type PodSpec = {
  readonly hostNetwork?: boolean;
  readonly hostPID?: boolean;
  readonly hostIPC?: boolean;
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: Security;
  readonly volumes?: readonly Record<string, unknown>[];
  readonly initContainers?: readonly { readonly securityContext?: Security }[];
  readonly containers: readonly {
    readonly securityContext?: Security;
    readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  }[];
};

/** Why PodSecurity `restricted` would not let a pod in, and why we would not either. */
export function notRestricted(pod: PodSpec): string[] {
  const own = pod.securityContext ?? {};
  const volumes = (pod.volumes ?? []).filter((volume) => 'hostPath' in volume);
  const found = [
    [pod.hostNetwork || pod.hostPID || pod.hostIPC, 'shares a namespace with the host'],
    [own.runAsNonRoot !== true || own.runAsUser === 0, 'may run as root'],
    [own.seccompProfile?.type !== 'RuntimeDefault', 'has no seccomp profile'],
    [volumes.length > 0, 'mounts a path of the host'],
    ...[...(pod.initContainers ?? []), ...pod.containers].flatMap(
      ({ securityContext: of = {} }) => [
        [of.privileged, 'is privileged'],
        [of.allowPrivilegeEscalation !== false, 'may gain privileges'],
        [!of.capabilities?.drop?.includes('ALL') || of.capabilities.add, 'has capabilities'],
        [of.readOnlyRootFilesystem !== true, 'may write into its root'],
      ],
    ),
  ] as const;
  return found.filter(([is]) => is).map(([, why]) => String(why));
}

/** What helm says against values; `undefined` if nothing. */
export function refusal(chart: string, ...set: string[]): string | undefined {
  try {
    template(chart, ...set.flatMap((each) => ['--set-json', each]));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What helm prints after an installation. Only a cluster has it printed, so here a copy of the chart makes an object of it. */
export function notes(chart: string, ...args: string[]): string {
  const copy = mkdtempSync(join(tmpdir(), 'notes-'));
  try {
    cpSync(join(CHARTS, chart), copy, { recursive: true });
    renameSync(join(copy, 'templates/NOTES.txt'), join(copy, 'notes'));
    writeFileSync(join(copy, 'templates/notes.yaml'), NOTES);
    const all = objects(
      rendered(copy, 'demo', 'apps', '--show-only', 'templates/notes.yaml', ...args),
    );
    return one(all, 'ConfigMap')['data'].notes;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const NOTES = `apiVersion: v1
kind: ConfigMap
metadata: { name: notes }
data:
  notes: {{ tpl (.Files.Get "notes") . | quote }}
`;
