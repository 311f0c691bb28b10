import type { Condition } from './meta.ts';

/** The conditions of a status, as Kubernetes' own conventions and kstatus want them. Pure. */

/** A condition before it is known when it came about. */
export type Finding = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

export const yes = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'True',
  reason,
  message,
});

export const no = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'False',
  reason,
  message,
});

/** Nothing can be said, with the reason. */
export const unknown = (type: string, reason: string, message: string): Finding => ({
  type,
  status: 'Unknown',
  reason,
  message,
});

/**
 * Findings as conditions: the time is kept where the status is the same as before.
 *
 * @param now RFC 3339
 */
export function conditionsOf(
  findings: readonly Finding[],
  before: readonly Condition[],
  generation: number,
  now: string,
): Condition[] {
  return findings.map((finding) => {
    const last = before.find(({ type }) => type === finding.type);
    const since = last?.status === finding.status ? last.lastTransitionTime : now;
    return { ...finding, lastTransitionTime: since, observedGeneration: generation };
  });
}

export function conditionOf(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((each) => each.type === type);
}
