import type { Namespace, Node } from '../api/meta.ts';
import { ANNOTATION } from '../api/names.ts';
import type { ClusterFacts } from '../decide/tuning.ts';

/** What a namespace's pods may do, and what its nodes can. Pure. */

/** @param serverMinor 36 for Kubernetes 1.36 */
export function factsOf(
  serverMinor: number,
  nodes: Iterable<Node>,
  namespace: Namespace | undefined,
): ClusterFacts {
  const usable = [...nodes].filter(
    ({ spec, status }) =>
      spec?.unschedulable !== true &&
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  );
  const infos = usable.flatMap(({ status }) => (status?.nodeInfo ? [status.nodeInfo] : []));
  const kernels = infos.map(({ kernelVersion }) => kernelOf(kernelVersion)).sort(compare);
  const level = namespace?.metadata.labels?.['pod-security.kubernetes.io/enforce'];
  return {
    minor: Math.min(serverMinor, ...infos.map(({ kubeletVersion }) => minorOf(kubeletVersion))),
    kernel: kernels[0] ?? [0, 0],
    userNamespaces: usable.length > 0 && usable.every(canUserNamespaces),
    allowedSysctls: common(usable.map(allowedOf)),
    podSecurity: level === 'baseline' || level === 'restricted' ? level : 'privileged',
  };
}

/** The default runtime handler has no name. */
function canUserNamespaces({ status }: Node): boolean {
  return (status?.runtimeHandlers ?? []).some(
    ({ name, features }) => name === '' && features?.userNamespaces === true,
  );
}

function allowedOf({ metadata }: Node): string[] {
  const text = metadata.annotations?.[ANNOTATION.allowedSysctls] ?? '';
  return text
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function common(lists: readonly (readonly string[])[]): string[] {
  const [first = [], ...others] = lists;
  return first.filter((each) => others.every((list) => list.includes(each)));
}

/** 36 for `v1.36.3`. */
const minorOf = (version: string): number => Number(/^v?\d+\.(\d+)/.exec(version)?.[1] ?? 0);

/** [6, 18] for `6.18.44-generic`. */
function kernelOf(version: string): readonly [number, number] {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(major), Number(minor)];
}

const compare = ([a, b]: readonly [number, number], [c, d]: readonly [number, number]): number =>
  a - c || b - d;
