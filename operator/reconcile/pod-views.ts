import type { Node, Pod, ReplicaSet } from '../api/meta.ts';
import { ANNOTATION, GOING, LABEL } from '../api/names.ts';
import type { PodReport } from '../api/pod-status.ts';
import type { Inputs } from '../decide/inputs.ts';
import type { PodAnswer, PodView, SetView } from '../decide/view.ts';
import { crashOf, problemOf } from './pod-problem.ts';

/** Pods and ReplicaSets as the decision sees them. Pure. */

/** What a pod's admin port said, or why it said nothing. */
export type Asked = { readonly report?: PodReport; readonly silence?: string };

/** @param node the one that the pod is on, if it is known */
export function podView(pod: Pod, asked: Asked, node?: Node): PodView {
  const { metadata, status } = pod;
  const annotations = metadata.annotations ?? {};
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const created = Date.parse(metadata.creationTimestamp ?? '');
  const problem = problemOf(pod, node);
  const crash = crashOf(pod);
  return {
    name: metadata.name,
    revision: metadata.labels?.[LABEL.revision] ?? '',
    ready: ready?.status === 'True' && metadata.deletionTimestamp === undefined,
    since: ready ? Date.parse(ready.lastTransitionTime) : created,
    createdAt: created,
    terminating: metadata.deletionTimestamp !== undefined,
    open: metadata.labels?.[LABEL.open] === 'true',
    going: annotations[ANNOTATION.cost] === String(GOING),
    over: status?.phase === 'Failed' || status?.phase === 'Succeeded',
    // Somebody may have edited it: then its time is over.
    ...optional('drainSince', annotations[ANNOTATION.drain], (text) => Date.parse(text) || created),
    ...optional('reloadedFor', annotations[ANNOTATION.reloaded], String),
    ...optional('codeTold', annotations[ANNOTATION.code], String),
    ...(problem === undefined ? {} : { problem }),
    ...(crash === undefined ? {} : { crash }),
    ...(pod.spec?.nodeName === undefined ? {} : { node: pod.spec.nodeName }),
    ...(asked.report ? { answer: answerOf(asked.report) } : {}),
    ...(asked.silence === undefined ? {} : { silence: asked.silence }),
  };
}

function optional<K extends string, T>(
  key: K,
  text: string | undefined,
  read: (text: string) => T,
): { [key in K]?: T } {
  return (text === undefined ? {} : { [key]: read(text) }) as { [key in K]?: T };
}

function answerOf(report: PodReport): PodAnswer {
  const { phase, reload, code, config, peers, sysctls = {}, workers, processes } = report;
  return {
    phase,
    // A program's own connections, as to its channel server, are nobody's to wait for.
    connections: processes.reduce(
      (sum, { clients, connections }) => sum + (clients ?? connections),
      0,
    ),
    counts: Object.fromEntries(workers.map(({ name, count }) => [name, count])),
    sysctls,
    ...(code === undefined ? {} : { code }),
    ...(config === undefined ? {} : { config }),
    ...(peers === undefined ? {} : { peers }),
    ...(reload
      ? {
          reload: {
            state: reload.state as 'running' | 'done' | 'failed',
            ...(reload.reason === undefined ? {} : { reason: reload.reason }),
          },
        }
      : {}),
  };
}

export function setView(set: ReplicaSet): SetView {
  const { metadata, spec } = set;
  const annotations = metadata.annotations ?? {};
  const failure = failureOf(set);
  return {
    name: metadata.name,
    revision: metadata.labels?.[LABEL.revision] ?? '',
    number: Number(annotations[ANNOTATION.number]) || 0,
    replicas: spec.replicas ?? 0,
    inputs: read<Inputs>(annotations[ANNOTATION.inputs]),
    skipped: read(annotations[ANNOTATION.skipped]),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** Why it cannot make or remove pods, in the API server's words. */
function failureOf({ status }: ReplicaSet): string | undefined {
  const failed = status?.conditions?.find(({ type }) => type === 'ReplicaFailure');
  return failed?.status === 'True' ? (failed.message ?? failed.reason) : undefined;
}

/** Somebody may have edited it. */
function read<T extends object>(text: string | undefined): T {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return (typeof value === 'object' && !Array.isArray(value) ? (value ?? {}) : {}) as T;
  } catch {
    return {} as T;
  }
}
